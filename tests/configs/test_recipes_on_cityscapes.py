"""Every recipe that ships edits maps of the Cityscapes layout with nothing changed but its source."""

from pathlib import Path

import pytest

from pipeline.augment.prepare import draw_recipe
from pipeline.configs import shipped
from pipeline.preview_run import previewer_of
from pipeline.recipe import load_recipe
from pipeline.recipe_source import opened_source

CITYSCAPES = Path(__file__).parents[3] / "shared" / "data" / "cityscapes"


@pytest.mark.skipif(not CITYSCAPES.is_dir(), reason=f"no Cityscapes maps at {CITYSCAPES}")
@pytest.mark.parametrize("name", shipped("recipes"))
def test_a_shipped_recipe_edits_cityscapes_maps(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path))
    source = f"source={{format: cityscapes, root: '{CITYSCAPES}', split: train}}"
    loaded = load_recipe(name, [source, "resolution=512x256", "samples=5", f"output.root={tmp_path}/out"])
    maps = opened_source(loaded)
    drawn = draw_recipe(loaded.value, maps, loaded.value.resolution)
    previewer, _ = previewer_of(drawn.recipe, maps, drawn.plan, loaded.value.resolution)
    made = [previewer.edited(slot) for slot in range(5)]
    assert all(edited.labels.shape == (256, 512) for _, _, edited, _ in made)
    assert any((scene.labels != edited.labels).any() for _, scene, edited, _ in made)
    assert any(record.applied for _, _, _, records in made for record in records)
