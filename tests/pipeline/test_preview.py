"""A preview shows what augment will make, and says what was done."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from label_editing.boxes import Box
from label_editing.edits import EditContext
from label_editing.edits.base import EditRecord, TouchedInstance
from pipeline.augment.prepare import draw_recipe
from pipeline.console import Console
from pipeline.errors import InputError
from pipeline.preview import Previewer, described, preview_sheet
from pipeline.preview_run import check_out, make_preview, page_beside, write_preview
from pipeline.recipe import Recipe, load_recipe
from pipeline.sources.base import Source

SMALL = [
    "source.scenes=5",
    "source.where={}",
    "resolution=256x128",
    "samples=6",
    "edits.0.probability=1",
    "edits.1.probability=1",
]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path / "cache"))


def loaded(tmp_path, *more: str):
    return load_recipe("night_cars", [*SMALL, f"model={tmp_path}/none", f"output.root={tmp_path}/out", *more])


def previewed(recipe: Recipe, source: Source, context: EditContext) -> Previewer:
    return Previewer(recipe, source, draw_recipe(recipe, source, recipe.resolution).plan, context, recipe.resolution)


def test_without_a_model_maps_are_shown_and_a_line_says_so(tmp_path, capsys):
    rows = make_preview(loaded(tmp_path), 4, False, Console()).rows
    assert f"no model at {tmp_path}/none yet: maps only" in capsys.readouterr().err
    assert [len(row.pictures) for row in rows] == [2, 2, 2, 2]
    assert {picture.shape for row in rows for picture in row.pictures} == {(320, 640, 3)}
    assert all(row.done[2].startswith("add_instances: added car") for row in rows)
    assert not (tmp_path / "out").exists()


def test_no_more_rows_than_the_plan_has_samples(tmp_path):
    assert len(make_preview(loaded(tmp_path, "samples=2"), 12, True, Console(quiet=True)).rows) == 2


def test_a_preview_is_a_picture_and_a_page(tmp_path):
    recipe = loaded(tmp_path)
    made = make_preview(recipe, 2, True, Console(quiet=True))
    rows = made.rows
    write_preview(recipe, made, tmp_path / "seen" / "cars.png", ["samples=2"])
    assert np.array_equal(cv2.imread(str(tmp_path / "seen/cars.png"))[:, :, ::-1], preview_sheet(rows))
    text = page_beside(tmp_path / "seen" / "cars.png").read_text()
    assert text.count("data:image/jpeg;base64,") == 4
    assert all(row.spec.source_key in text and row.done[2] in text for row in rows)
    assert "# --set samples=2\n" in text
    with pytest.raises(InputError, match=r"^--out .*cars\.txt: expected a \.png or \.jpg file$"):
        check_out(tmp_path / "cars.txt")


@pytest.mark.parametrize("resolution", ["null", "64x32"])
def test_without_a_size_the_note_says_that_maps_keep_their_own(tmp_path, resolution):
    recipe = loaded(tmp_path, f"resolution={resolution}")
    note = make_preview(recipe, 1, True, Console(quiet=True)).note
    own_size = "maps keep their own size; at the model's, edits may fall out another way"
    assert (own_size in note) == (resolution == "null")


def test_a_scene_that_refuses_gives_way_to_the_next_spare(tmp_path):
    recipe = loaded(tmp_path, "edits=[{op: remove_instances, classes: [rider, motorcycle], required: true}]").value
    source = recipe.source.open()
    previewer = previewed(recipe, source, EditContext())
    for slot in range(3):
        spec, scene, edited, records = previewer.edited(slot)
        assert records[0].applied
        assert (scene.labels != edited.labels).any()
        assert spec.key.endswith(f"{slot:08d}")


def test_an_edit_that_did_nothing_says_why():
    child = EditRecord(op="mirror", applied=True)
    records = [
        EditRecord(op="add_instances", applied=False, reason="no road to stand on"),
        EditRecord(op="repeat", applied=True, children=(child,)),
    ]
    assert described(records) == ["add_instances: no road to stand on", "repeat: applied", "mirror: applied"]


def test_instances_of_a_class_are_counted_not_listed():
    def touched(*names: str, what: str = "removed") -> tuple[TouchedInstance, ...]:
        box = Box(0, 0, 1, 1)
        return tuple(TouchedInstance(id=1, class_name=name, box=box, area=1, what=what) for name in names)

    instances = touched("person", "rider", "person") + touched("car", what="added")
    record = EditRecord(op="swap", applied=True, instances=instances)
    assert described([record]) == ["swap: removed person (2), rider; added car"]


def test_maps_are_previewed_without_torch():
    """Importing it takes longer than a dozen maps do."""
    loads = "import sys, pipeline.preview_run; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loads], check=False).returncode == 0


def test_a_balance_over_many_scenes_is_glanced_at_and_the_note_says_so(tmp_path):
    recipe = loaded(tmp_path, "source.scenes=60", "balance={by: pixels, target: {car: 0.1}}")
    made = make_preview(recipe, 2, True, Console(quiet=True))
    assert "scenes are drawn from 24 of 60, until a run or" in made.note
    source = recipe.value.source.open()
    draw_recipe(recipe.value, source, recipe.value.resolution)  # as a run does, which counts all
    assert "scenes are drawn" not in make_preview(recipe, 2, True, Console(quiet=True)).note


def test_a_class_that_a_glance_does_not_see_is_looked_for_in_every_scene(tmp_path):
    recipe = loaded(tmp_path, "source.scenes=60", "resolution=64x32", "balance={target: {caravan: 0.1}}")
    with pytest.raises(InputError, match=r"no scene of the source has caravan"):
        make_preview(recipe, 2, True, Console(quiet=True))
