"""Label maps from one source, photographs from another."""

import json

import cv2
import numpy as np
import pytest

from pipeline.cli import main
from pipeline.console import Console
from pipeline.errors import SourceError
from pipeline.evaluation.judge import JudgeSettings, train_judge
from pipeline.resolution import Resolution
from pipeline.sources import SOURCES

SIZE = Resolution(64, 32)
LABELS = {"format": "streetscapes", "scenes": 3}


@pytest.fixture
def photographs(tmp_path):
    (tmp_path / "dashcam").mkdir()
    rng = np.random.default_rng(0)
    for number in range(5):
        cv2.imwrite(str(tmp_path / f"dashcam/{number}.png"), rng.integers(0, 256, (40, 80, 3), np.uint8))
    (tmp_path / "hours.csv").write_text("key,time_of_day\n0,night\n1,day\n")
    return {"format": "photographs", "root": str(tmp_path), "images": "dashcam/*.png", "attributes": "hours.csv"}


def test_every_photograph_and_every_label_map_has_its_turn(photographs):
    source = SOURCES["unpaired"](labels=LABELS, photographs=photographs).open()
    assert len(source.keys()) == 5
    streets = SOURCES["streetscapes"](scenes=3).open()
    seen = set()
    for number, key in enumerate(source.keys()):
        scene, image = source.read(key, SIZE)
        own = streets.read_scene(streets.keys()[number % 3], SIZE)
        np.testing.assert_array_equal(scene.labels, own.labels)
        assert image.shape == (32, 64, 3)
        seen.add(image.tobytes())
    assert len(seen) == 5
    assert dict(source.attributes(source.keys()[0])) == {"time_of_day": "night"}


def test_a_broken_photograph_is_named(photographs, tmp_path):
    (tmp_path / "dashcam/3.png").write_bytes(b"")
    source = SOURCES["unpaired"](labels=LABELS, photographs=photographs).open()
    with pytest.raises(SourceError, match=r"dashcam/3\.png: the file is empty$"):
        source.read(source.keys()[3], SIZE)


def test_a_pattern_that_matches_nothing_is_an_error(photographs):
    config = SOURCES["unpaired"](labels=LABELS, photographs={**photographs, "images": "*.jpg"})
    with pytest.raises(SourceError, match=r": no photograph matches \*\.jpg$"):
        config.open()


def test_roots_inside_are_made_absolute(photographs):
    config = SOURCES["unpaired"](labels=LABELS, photographs={**photographs, "root": "somewhere"})
    assert config.anchored().photographs.root.endswith("/somewhere")
    assert config.anchored().photographs.root.startswith("/")


def test_the_split_is_that_of_the_label_maps(photographs):
    config = SOURCES["unpaired"](labels={**LABELS, "split": "val"}, photographs=photographs)
    assert config.split == "val"
    again = SOURCES["unpaired"].model_validate(config.model_dump())
    other = again.model_copy(update={"split": "train"})
    for found, wanted in ((again, "val"), (other, "train")):
        own = SOURCES["streetscapes"](scenes=3, split=wanted).open()
        scene = found.open().read_scene("unpaired-00000000", SIZE)
        np.testing.assert_array_equal(scene.labels, own.read_scene(own.keys()[0], SIZE).labels)


def test_a_judge_is_not_taught_on_what_does_not_belong_together(photographs):
    source = SOURCES["unpaired"](labels=LABELS, photographs=photographs).open()
    with pytest.raises(SourceError, match=r"^unpaired: its images do not show its label maps; a judge is trained on"):
        train_judge(source, SIZE, JudgeSettings(steps=1), Console())


def test_a_family_that_learns_from_pairs_refuses(photographs, tmp_path, capsys):
    source = json.dumps({"format": "unpaired", "labels": LABELS, "photographs": photographs})
    with pytest.raises(SystemExit) as left:
        main(["train", "--config", "streetscapes_spade", f"--set=source={source}", "--dry-run"])
    assert left.value.code == 2
    assert capsys.readouterr().err == (
        "error: source: unpaired has images that do not show their label maps; spade learns from pairs "
        "(families that do without: lab2pix_v1)\n"
    )
