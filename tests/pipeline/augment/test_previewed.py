"""What `synthgen preview` shows is what `synthgen augment` makes."""

from pipeline.augment.editing import Editor
from pipeline.augment.prepare import prepare
from pipeline.augment.rows import EditedSample, Slot
from pipeline.augment.run import with_context
from pipeline.preview_run import previewer_of
from pipeline.recipe import load_recipe
from pipeline.shards.pixels import encode_labels
from pipeline.storage import Store


def test_the_maps_shown_are_those_that_augment_makes(tmp_path, recipe_file, monkeypatch):
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path / "cache"))
    job, _ = prepare(load_recipe(recipe_file))
    previewer, note = previewer_of(job.recipe, job.source, job.plan, job.resolution)
    assert note == ""
    editor = Editor(with_context(job, Store(str(tmp_path / "out"))))
    for number in range(4):
        made = editor.fill(Slot(job.plan.shard_of(number), number)).sample
        spec, _, edited, _ = previewer.edited(number)
        assert isinstance(made, EditedSample)
        assert made.spec == spec
        assert made.labels_png == encode_labels(edited.labels, edited.catalog)
