"""A model trained on streetscapes: night draws look like real nights and day draws like real days."""

from typing import NamedTuple

import numpy as np
import pytest

from label_editing.scene import Scene
from pipeline.cli import main
from pipeline.evaluation.faithfulness import SceneRenderer
from pipeline.model_directory import OpenModel, open_model
from pipeline.resolution import Resolution
from pipeline.sources.base import Image
from pipeline.sources.streetscapes import StreetscapesConfig
from pipeline.styles.picks import StylePick

pytestmark = pytest.mark.soak

SIZE = Resolution(128, 64)
LUMINANCE = np.array([0.299, 0.587, 0.114])
TRAINING = [
    "--set=source={format: streetscapes, scenes: 160, times_of_day: [day, night]}",
    f"--set=resolution={SIZE}",
    "--set=coarse=null",
    "--set=steps=400",
    "--set=workers=1",
    "--set=samples_every=400",
    "--set=checkpoints.every=400",
]


class Measured(NamedTuple):
    """What tells night from day."""

    luminance: float
    sky: np.ndarray  # mean RGB

    @classmethod
    def of(cls, image: Image, scene: Scene) -> "Measured":
        sky = image[scene.labels == scene.catalog.named("sky").id]
        return cls(float((image @ LUMINANCE).mean()), sky.mean(axis=0))


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> OpenModel:
    url = str(tmp_path_factory.mktemp("night_and_day") / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        with pytest.raises(SystemExit) as left:
            main(["train", "--config", "streetscapes", *TRAINING, "--output", url, "--cpus", "1", "--quiet"])
    assert not left.value.code
    return open_model(url)


def real(hour: str, split: str) -> list[tuple[Scene, Measured]]:
    """Scenes of an hour, with enough sky to speak of."""
    scenes = {"train": 160, "val": 60}[split]
    source = StreetscapesConfig(format="streetscapes", split=split, scenes=scenes, times_of_day=("day", "night")).open()
    found = []
    for key in source.keys():
        if source.attributes(key)["time_of_day"] != hour:
            continue
        scene, image = source.read(key, SIZE)
        if (scene.labels == scene.catalog.named("sky").id).mean() > 0.02:
            found.append((scene, Measured.of(image, scene)))
    assert len(found) >= 20
    return found


@pytest.fixture(scope="module")
def hours() -> dict[str, list[tuple[Scene, Measured]]]:
    """Held-out scenes, which are drawn, and after them those whose light the styles come from."""
    return {hour: real(hour, "val") + real(hour, "train") for hour in ("day", "night")}


@pytest.mark.parametrize("hour", ["night", "day"])
@pytest.mark.parametrize("other", ["night", "day"])
def test_draws_of_an_hour_fall_in_the_range_of_its_real_scenes(model, hours, hour, other):
    """Whatever hour the label map was drawn at: it is the style that brings the light."""
    pick = StylePick(classes="all", pick={"attribute": {"time_of_day": hour}}, coherent=True)
    renderer = SceneRenderer(model, [pick], seed=3)
    drawn = [Measured.of(renderer.images(scene)[0], scene) for scene, _ in hours[other][:20]]
    seen = [measured for _, measured in hours[hour]]
    light = np.array([m.luminance for m in drawn])
    low, high = min(m.luminance for m in seen), max(m.luminance for m in seen)
    assert ((low <= light) & (light <= high)).mean() >= 0.9, (light, low, high)
    sky = np.array([m.sky for m in drawn])
    skies = np.array([m.sky for m in seen])
    inside = ((skies.min(axis=0) <= sky) & (sky <= skies.max(axis=0))).all(axis=1)
    assert inside.mean() >= 0.9, (sky, skies.min(axis=0), skies.max(axis=0))


def test_the_two_ranges_are_apart(hours):
    """Or the test above would say nothing."""
    nights, days = ([m.luminance for _, m in hours[hour]] for hour in ("night", "day"))
    assert np.percentile(nights, 95) < np.percentile(days, 5)
