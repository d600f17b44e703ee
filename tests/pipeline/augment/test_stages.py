"""The stages of one shard, driven here without Ray."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from generators.inference import DeviceFailed, Renderer
from pipeline.augment.editing import Editor
from pipeline.augment.finishing import Finisher
from pipeline.augment.job import AugmentJob
from pipeline.augment.lease import Claim
from pipeline.augment.prepare import prepare
from pipeline.augment.rendering import RenderWorker, batches
from pipeline.augment.rows import Judged, Outcome, RenderedSample
from pipeline.errors import RunError, SourceError
from pipeline.recipe import load_recipe
from pipeline.shards.commit import committed_shards, read_marker
from pipeline.shards.sample import decode_sample
from pipeline.shards.tar import read_samples
from pipeline.storage import Store


class BrokenSource:
    """A source some of whose scenes cannot be read."""

    def __init__(self, source, broken):
        self._source, self._broken = source, broken
        self.catalog = source.catalog

    def read_scene(self, key, resolution=None):
        if key in self._broken:
            raise SourceError(f"{key}.png: truncated")
        return self._source.read_scene(key, resolution)


@pytest.fixture
def job(recipe_file) -> AugmentJob:
    return prepare(load_recipe(recipe_file))[0]


@pytest.fixture(scope="module")
def renderer(toy_model):
    from pipeline.model_directory import open_model

    return Renderer(open_model(toy_model).load_generator())


class LabelsOnly:
    """A source without instance maps, as most folders are."""

    def __init__(self, source):
        self._source, self.catalog = source, source.catalog

    def read_scene(self, key, resolution=None):
        scene = self._source.read_scene(key, resolution)
        return replace(scene, instances=None, labels=scene.labels.astype(np.uint8))


class Owner(Claim):
    """A claim that always holds."""

    def check(self) -> None:
        return


def with_recipe(job: AugmentJob, **changes) -> AugmentJob:
    return replace(job, recipe=job.recipe.model_copy(update=changes))


def finish(job: AugmentJob, store: Store, slots):
    return Finisher(job, store, Owner(store.url, 1, "t"))("train-000000", slots)


def test_slots_come_out_in_order_with_what_the_plan_says(job, renderer):
    slots = RenderWorker(job, renderer)(Editor(job)([0, 1, 2, 3]))
    assert [slot.sample.edited.spec for slot in slots] == [job.plan.sample(n) for n in range(4)]
    assert all(not slot.rejects for slot in slots)


def test_the_same_slot_gives_the_same_bytes_in_any_company(job, renderer):
    together = RenderWorker(job, renderer)(Editor(job)([0, 1, 2, 3]))
    alone = RenderWorker(job, renderer)(Editor(job)([2]))
    assert replace(together[2], seconds={}) == replace(alone[0], seconds={})


def test_a_broken_scene_is_counted_and_its_slot_goes_to_the_next_one(job, renderer, tmp_path):
    broken = job.plan.sample(1).source_key
    job = replace(job, source=BrokenSource(job.source, {broken}))
    slots = RenderWorker(job, renderer)(Editor(job)([0, 1, 2, 3]))
    assert slots[1].sample.edited.spec == job.plan.spare(1, 1)
    assert slots[1].sample.edited.spec.key == job.plan.sample(1).key
    report = finish(job, Store(str(tmp_path)), slots)
    assert (report.committed, report.samples, report.outcomes) == (True, 4, {"failed": 1})
    assert read_marker(Store(str(tmp_path)), "train-000000").rejects == (
        {
            "shard": "train-000000",
            "key": "night_cars-00000001",
            "source_key": broken,
            "variant": 0,
            "stage": "edit",
            "outcome": "failed",
            "reason": f"SourceError: {broken}.png: truncated",
        },
    )


def test_a_shard_with_too_many_failures_is_not_committed(job, renderer, tmp_path):
    keys = [job.plan.sample(n).source_key for n in (0, 1)]
    job = replace(job, source=BrokenSource(job.source, set(keys)))
    report = finish(job, Store(str(tmp_path)), RenderWorker(job, renderer)(Editor(job)([0, 1, 2, 3])))
    assert not report.committed
    assert [failure.source_key for failure in report.failures][:2] == keys
    assert committed_shards(Store(str(tmp_path))) == []


def test_a_source_that_is_all_broken_leaves_empty_slots_instead_of_looping(job):
    job = replace(job, source=BrokenSource(job.source, set(job.source.keys())))
    [slot] = Editor(job)([0])
    assert slot.sample is None
    assert len(slot.rejects) == 65


def test_a_rejected_sample_is_drawn_again_from_its_own_scene_then_from_another(job, renderer):
    job = with_recipe(job, quality=job.recipe.quality.model_copy(update={"min_agreement": 0.5, "max_retries": 2}))
    verdicts = iter([0.1, 0.2, 0.3, 0.9])
    [slot] = RenderWorker(job, renderer, lambda images, labels: [Judged(next(verdicts)) for _ in images])(
        Editor(job)([5])
    )
    own = job.plan.sample(5).source_key
    assert [reject.source_key for reject in slot.rejects] == [own, own, own]
    assert slot.rejects[0].reason == "agreement below 0.5: 0.100"
    assert slot.sample.edited.spec == job.plan.spare(5, 3)
    assert slot.sample.agreement == 0.9
    assert len({reject.variant for reject in slot.rejects}) == 3


def test_a_rejected_sample_is_dropped_where_the_recipe_says_so(job, renderer, tmp_path):
    quality = job.recipe.quality.model_copy(update={"min_agreement": 0.5, "on_reject": "drop"})
    job = with_recipe(job, quality=quality)
    verdicts = iter([0.9, 0.1, 0.9])
    worker = RenderWorker(job, renderer, lambda images, labels: [Judged(next(verdicts)) for _ in images])
    slots = worker(Editor(job)([0, 1, 2]))
    assert [slot.rejects[0].outcome if slot.rejects else None for slot in slots].count(Outcome.REJECTED) == 1
    report = finish(job, Store(str(tmp_path)), slots)
    assert (report.committed, report.samples) == (True, 2)


def test_one_sample_that_cannot_be_rendered_takes_no_other_with_it(job, renderer):
    bad = Editor(job)([0])[0].sample.labels_png

    class Picky:
        device = torch.device("cpu")
        max_batch = 4

        def render(self, labels, instances, styles):
            from pipeline.augment.rendering import to_channels
            from pipeline.shards.pixels import decode_labels

            if any((each == to_channels(decode_labels(bad), job.model.catalog)).all() for each in labels):
                raise RuntimeError("no kernel for this")
            return renderer.render(labels, instances, styles)

    slots = RenderWorker(job, Picky())(Editor(job)([0, 1, 2, 3]))
    assert [len(slot.rejects) for slot in slots] == [1, 0, 0, 0]
    assert slots[0].rejects[0].reason == "RuntimeError: no kernel for this"
    assert all(isinstance(slot.sample, RenderedSample) for slot in slots)


def test_a_device_that_fails_ends_the_run_and_counts_against_no_scene(job):
    class Full:
        device = torch.device("cpu")
        max_batch = 4
        calls = 0

        def render(self, labels, instances, styles):
            self.calls += 1
            raise DeviceFailed("cuda:0 has not enough memory for one image of 64x32")

    full = Full()
    with pytest.raises(RunError, match=r"^cuda:0 has not enough memory for one image of 64x32$"):
        RenderWorker(job, full)(Editor(job)([0, 1, 2, 3]))
    assert full.calls == 1


def test_variants_of_an_unedited_scene_are_rendered_together_and_others_in_batches(recipe_text, renderer, tmp_path):
    text = re.sub(r"edits:\n(  - .*\n)+", "", recipe_text).replace("samples: 10", "variants_per_source: 5")
    path = tmp_path / "looks.yaml"
    path.write_text(text.format(root=tmp_path / "out"))
    job = prepare(load_recipe(path))[0]
    slots = Editor(job)(list(range(12)))
    assert [[slot.number for slot in batch] for batch in batches(slots, 4)] == [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
        [10, 11],
    ]
    singles = batches([slots[0], slots[5], slots[10]], 2)
    assert [[slot.number for slot in batch] for batch in singles] == [[0, 5], [10]]
    together = RenderWorker(job, renderer)(slots)
    assert [slot.number for slot in together] == list(range(12))
    assert replace(RenderWorker(job, renderer)(slots[7:8])[0], seconds={}) == replace(together[7], seconds={})


def test_a_shard_reads_back_as_pairs_of_one_size_with_flat_records(job, renderer, tmp_path):
    finish(job, Store(str(tmp_path)), RenderWorker(job, renderer)(Editor(job)([0, 1, 2, 3])))
    samples = dict(read_samples(Path(tmp_path, "shards", "train-000000.tar").read_bytes()))
    assert list(samples) == [f"night_cars-{n:08d}" for n in range(4)]
    for key, fields in samples.items():
        sample = decode_sample(key, fields)
        assert sample.image.shape == (32, 64, 3)
        flat = json.loads(fields["json"])
        assert {type(value) for value in flat.values()} <= {str, int, float}
        assert isinstance(flat["agreement"], float)
        assert flat["agreement"] == -1.0
        assert sum(json.loads(flat["pixels"]).values()) == 64 * 32


def test_a_run_that_was_taken_over_commits_nothing(job, renderer, tmp_path):
    store = Store(str(tmp_path))
    slots = RenderWorker(job, renderer)(Editor(job)([0]))
    with pytest.raises(RunError, match=r"taken this output over"):
        Finisher(job, store, Claim(store.url, 1, "nobody"))("train-000000", slots)
    assert committed_shards(store) == []


def test_scenes_without_instances_are_edited_styled_rendered_and_checked(job, renderer, tmp_path):
    swap = job.recipe.edits[:1]
    bare = with_recipe(replace(job, source=LabelsOnly(job.source)), edits=swap)
    slots = RenderWorker(bare, renderer)(Editor(bare)([0, 1]))
    assert [len(slot.rejects) for slot in slots] == [0, 0]
    for slot in slots:
        assert {row["class"] for row in json.loads(slot.sample.edited.styles)} >= {"road", "sky"}
        assert json.loads(slot.sample.edited.instances) == []
