"""A sample that no worker survives is found, put aside, and its slot refilled: the same data set every time."""

import ctypes
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from generators.inference import Renderer
from orchestration.cluster import connect, shutdown
from pipeline.augment.editing import Editor
from pipeline.augment.finalise import finalise
from pipeline.augment.finishing import Finisher
from pipeline.augment.job import AugmentJob
from pipeline.augment.lease import hold_lease
from pipeline.augment.prepare import prepare
from pipeline.augment.rendering import RenderWorker
from pipeline.augment.rows import Judged
from pipeline.augment.run import run_augment
from pipeline.augment.workers import render_threads
from pipeline.console import Console, ProgressMode
from pipeline.errors import RunError
from pipeline.plan_record import settle_plan
from pipeline.recipe import load_recipe
from pipeline.shards.pixels import encode_labels
from pipeline.storage import Store

pytestmark = [pytest.mark.ray, pytest.mark.slow]

RECIPE = """\
name: deadly
source: {{format: streetscapes, scenes: 8, seed: 3}}
model: {model}
output: {{root: {root}, samples_per_shard: 4, image: {{format: png}}}}
on_error: {{max_fraction: 0.5}}
samples: 12
seed: 7
edits:
  - {{op: swap_class, from: vegetation, to: building, probability: 0.5}}
"""


def be_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse() -> None:
    raise RuntimeError("as if it had killed its worker")


ENDS: dict[str, Callable[[], Any]] = {
    "exit": partial(os._exit, 1),
    "kill": be_killed,
    "segfault": partial(ctypes.string_at, 0),
    "raise": refuse,
}


@dataclass(frozen=True)
class DeadlySource:
    """A source with scenes that end whoever reads them."""

    source: Any
    deadly: frozenset[str]
    end: str

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "source":
            raise AttributeError(name)
        return getattr(self.source, name)

    def read_scene(self, key: str, resolution: Any) -> Any:
        if key in self.deadly:
            ENDS[self.end]()
        return self.source.read_scene(key, resolution)


@dataclass(frozen=True)
class DeadlyJudge:
    """Ends the worker that looks at the image of one label map."""

    labels_png: bytes
    end: str

    def __call__(self, images: Any, labels: Any) -> list[Judged]:
        for each in labels:
            if encode_labels(each, CATALOG[0]) == self.labels_png:
                ENDS[self.end]()
        return [Judged(1.0)] * len(labels)

    def __reduce__(self) -> Any:
        return _judge, (self.labels_png, self.end, CATALOG[0])


CATALOG: list[Any] = []


def _judge(labels_png: bytes, end: str, catalog: Any) -> DeadlyJudge:
    CATALOG[:] = [catalog]
    return DeadlyJudge(labels_png, end)


@pytest.fixture(scope="module")
def ray():
    yield connect("local", num_cpus=2)
    shutdown()


def prepared(tmp_path, model: str, root: str) -> tuple[AugmentJob, Any, Store]:
    recipe = tmp_path / "deadly.yaml"
    recipe.write_text(RECIPE.format(model=model, root=root))
    job, record = prepare(load_recipe(recipe))
    return job, record, Store(root)


def run(job: AugmentJob, record: Any, store: Store, cluster: Any, judge: Any = None) -> Any:
    with Console(mode=ProgressMode.OFF).progress("augment") as progress:
        return run_augment(job, record, store, lambda: cluster, progress, "", lambda: judge)


def without_ray(job: AugmentJob, record: Any, store: Store, judge: Any = None) -> None:
    """The same data set where what kills raises instead, made here."""
    with hold_lease(store) as claim, render_threads():
        settle_plan(store, record)
        editor, renderer = Editor(job), RenderWorker(job, Renderer(job.model.load_generator()), judge)
        for shard in job.plan.shards():
            Finisher(job, store, claim)(shard.id, renderer(editor(list(shard.slots))))
        finalise(job, store, {}, 1.0, "")


def shards(store: Store) -> dict[str, bytes]:
    return {file.path: store.read(file.path) for file in store.list("shards")}


def rejects(store: Store) -> list[tuple[str, str, str, str]]:
    lines = [json.loads(line) for line in store.read(".synthgen/rejects.jsonl").splitlines()]
    return [(line["key"], line["source_key"], line["stage"], line["outcome"]) for line in lines]


@pytest.mark.parametrize("end", ["exit", *(pytest.param(end, marks=pytest.mark.soak) for end in ("kill", "segfault"))])
def test_a_scene_that_kills_its_editor_is_left_out_and_its_slot_refilled(tmp_path, tiny_model, ray, end):
    job, record, store = prepared(tmp_path, tiny_model, str(tmp_path / "out"))
    deadly = frozenset([job.plan.sample(5).source_key])
    tally = run(replace(job, source=DeadlySource(job.source, deadly, end)), record, store, ray)
    job, record, expected = prepared(tmp_path, tiny_model, str(tmp_path / "expected"))
    without_ray(replace(job, source=DeadlySource(job.source, deadly, "raise")), record, expected)
    assert tally.samples == 12
    assert shards(store) == shards(expected)
    assert rejects(store) == rejects(expected)
    assert tally.quarantined == len(rejects(store)) >= 1
    assert b"its worker died every time it was tried" in store.read(".synthgen/rejects.jsonl")


@pytest.mark.soak
def test_a_sample_that_kills_its_renderer_gives_its_slot_to_another_scene(tmp_path, tiny_model, ray):
    job, record, store = prepared(tmp_path, tiny_model, str(tmp_path / "out"))
    CATALOG[:] = [job.source.catalog]
    labels_png = Editor(job).edit(job.plan.sample(6)).labels_png
    tally = run(job, record, store, ray, DeadlyJudge(labels_png, "kill"))
    job, record, expected = prepared(tmp_path, tiny_model, str(tmp_path / "expected"))
    spec = job.plan.sample(6)
    assert (tally.samples, tally.quarantined) == (12, 1)
    assert rejects(store) == [(spec.key, spec.source_key, "render", "failed")]
    # A judge that fears nothing: what it finds stands in every record.
    harmless = DeadlyJudge(b"", "kill")
    without_ray(replace(job, source=DeadlySource(job.source, frozenset(), "raise")), record, expected, harmless)
    same, made = shards(expected), shards(store)
    assert {path for path in made if made[path] != same[path]} == {"shards/train-000001.tar"}


def test_more_deadly_samples_than_the_recipe_bears_end_the_run_in_words(tmp_path, tiny_model, ray):
    job, record, store = prepared(tmp_path, tiny_model, str(tmp_path / "out"))
    recipe = job.recipe.model_copy(update={"on_error": job.recipe.on_error.model_copy(update={"max_fraction": 0.0})})
    source = DeadlySource(job.source, frozenset([job.plan.sample(0).source_key]), "exit")
    with pytest.raises(RunError) as failed:
        run(replace(job, source=source, recipe=recipe), record, store, ray)
    assert str(failed.value) == (
        "1 rows killed their workers in stage edit, the last one in shard train-000000; 0 are borne by "
        "on_error.max_fraction; is there memory enough for one sample?"
    )
