"""The driver dies between any two steps of a commit or of the end of a run: the next run completes the same bytes."""

import signal

import pytest

from pipeline.augment.status import State, read_status
from pipeline.errors import InputError
from pipeline.shards import layout
from pipeline.shards.check import read_index
from pipeline.storage import Store
from tests.reliability import tiny_run
from tests.reliability.child_runs import run_until, start
from tests.reliability.tiny_run import contents, write_recipe

FIRST = "train-000000"
DEATHS = {
    "before its plan is written": ("create_exclusive", layout.PLAN, "before"),
    "before the first put": ("write_atomic", layout.shard_path(FIRST), "before"),
    "between put and rows": ("write_atomic", layout.shard_path(FIRST), "after"),
    "between put and marker": ("create_exclusive", layout.marker_path(FIRST), "before"),
    "between marker and report": ("create_exclusive", layout.marker_path(FIRST), "after"),
    "between the last marker and the manifest": ("create_exclusive", layout.marker_path("train-000002"), "after"),
    "after the manifest": ("write_atomic", layout.MANIFEST, "after"),
    "after the rejects": ("write_atomic", layout.REJECTS, "after"),
    "after the index of wids": ("write_atomic", layout.WIDS_INDEX, "after"),
    "after the preview": ("write_atomic", layout.PREVIEW, "after"),
    "after the card": ("write_atomic", layout.CARD, "after"),
    "after the report": ("write_atomic", layout.REPORT, "after"),
    "before dataset.json": ("write_atomic", layout.DATASET, "before"),
    "after dataset.json": ("write_atomic", layout.DATASET, "after"),
}


IN_EVERY_SUITE = ("between put and marker", "between marker and report", "before dataset.json")
CASES = [pytest.param(death, marks=[] if death in IN_EVERY_SUITE else pytest.mark.soak) for death in DEATHS]


@pytest.mark.parametrize("death", CASES)
def test_a_driver_that_dies_anywhere_leaves_a_run_that_the_next_completes(
    death, tiny_model, augment, pristine, tmp_path
):
    output = tmp_path / "out"
    child = start(run_until, *DEATHS[death], write_recipe(tmp_path / "tiny.yaml", tiny_model, str(output)))
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    store = Store(str(output))
    if death != "after dataset.json":
        with pytest.raises(InputError):  # nobody takes it for a whole data set
            read_index(store)
    if death != "before its plan is written":
        assert read_status(store).state is (State.COMPLETE if death == "after dataset.json" else State.STOPPED)
    augment(store.url)
    assert contents(store) == contents(Store(str(pristine)))


def test_what_a_worker_left_half_written_is_gone_when_the_run_ends(augment, tmp_path, monkeypatch):
    """One that is killed in the middle of a shard has no successor that would remove its file."""
    engine = tiny_run.one_after_the_other

    def littering(tasks, stages, make_finish, *cluster, **options):
        yield from engine(tasks, stages, make_finish, *cluster, **options)
        (tmp_path / "out" / "shards" / ".train-000000.tar.0a1b.synthgen-tmp").write_bytes(b"half")

    monkeypatch.setattr(tiny_run, "one_after_the_other", littering)
    store = augment(str(tmp_path / "out"))
    assert store.exists("dataset.json")
    assert store.leftovers() == []
