"""What `synthgen preview` shows is what `synthgen augment` makes."""

import pytest
import torch

from pipeline import preview_run
from pipeline.augment.editing import Editor
from pipeline.augment.prepare import prepare
from pipeline.augment.rows import EditedSample, Slot
from pipeline.augment.run import with_context
from pipeline.augment.workers import RENDER_THREADS
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


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_preview_renders_with_the_threads_of_a_run(recipe_file, one_thread):
    preview_run._Imager(prepare(load_recipe(recipe_file))[0])
    assert torch.get_num_threads() == RENDER_THREADS


def test_looks_of_photographs_are_read_with_the_threads_of_a_run(recipe_file, one_thread, monkeypatch):
    seen = []

    def watched(bank, *_):
        seen.append(torch.get_num_threads())
        return bank

    monkeypatch.setattr("pipeline.styles.photographs.with_photographs", watched)
    prepare(load_recipe(recipe_file))
    assert seen == [RENDER_THREADS]
    assert torch.get_num_threads() == 1
