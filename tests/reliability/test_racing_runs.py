"""Processes that want one output at once, or one after the other: exactly one commits."""

import os
import random
import re
import signal
import time

import pytest

from pipeline.augment import lease
from pipeline.shards.commit import committed_shards
from pipeline.storage import Store
from tests.reliability.child_runs import CHILDREN, run_slowly, run_when_all_are_there, shorten_leases, start
from tests.reliability.tiny_run import contents, write_recipe

ROUNDS = [pytest.param(number, marks=[] if number == 0 else pytest.mark.soak) for number in range(10)]
_STALE_AFTER_S = 1.0


@pytest.mark.parametrize("runs", [2, 5])
@pytest.mark.parametrize("attempt", ROUNDS)
def test_of_several_runs_started_at_once_one_makes_the_data_set(tmp_path, runs, attempt, tiny_model, pristine):
    output = tmp_path / "out"
    recipe = write_recipe(tmp_path / "tiny.yaml", tiny_model, str(output))
    begin, asked, outcomes = CHILDREN.Barrier(runs), CHILDREN.Barrier(runs), CHILDREN.Queue()
    children = [start(run_when_all_are_there, begin, asked, outcomes, recipe) for _ in range(runs)]
    said = [outcomes.get(timeout=120) for _ in children]
    for child in children:
        child.join(30)
    assert said.count("proceeds") == 1, said
    refusal = re.compile(rf"^{re.escape(str(output))}: another run (is at work here: process \d+ |took this output )")
    assert all(refusal.match(text) for text in said if text != "proceeds"), said
    assert contents(Store(str(output))) == contents(Store(str(pristine)))


@pytest.mark.parametrize("seed", [pytest.param(s, marks=[] if s == 0 else pytest.mark.soak) for s in range(5)])
def test_an_owner_that_was_stopped_and_wakes_up_after_a_takeover_commits_nothing(
    tmp_path, seed, tiny_model, augment, pristine, monkeypatch
):
    output, rng = tmp_path / "out", random.Random(seed)
    recipe = write_recipe(tmp_path / "tiny.yaml", tiny_model, str(output))
    owns, outcomes = CHILDREN.Event(), CHILDREN.Queue()
    old = start(run_slowly, 0.3, _STALE_AFTER_S, owns, outcomes, recipe)
    assert owns.wait(120)
    time.sleep(rng.uniform(0, 2))  # before, in or after the first shards
    os.kill(old.pid, signal.SIGSTOP)
    store = Store(str(output))
    left = committed_shards(store)
    assert len(left) < 3, "the run was over before it was stopped"
    monkeypatch.setattr(lease, "HEARTBEAT_S", lease.HEARTBEAT_S)
    monkeypatch.setattr(lease, "STALE_AFTER_S", lease.STALE_AFTER_S)
    shorten_leases(_STALE_AFTER_S)
    time.sleep(_STALE_AFTER_S * 1.2)
    augment(store.url)
    times = store.times("")
    os.kill(old.pid, signal.SIGCONT)
    said = outcomes.get(timeout=120)
    old.join(30)
    after = store.times("")
    if said == "proceeds":  # it was stopped before it had looked what there is to do, and finds everything done
        assert (left, after) == ([], times)
    else:
        assert said.endswith("another run has taken this output over; this one commits nothing more")
    # What the old run was about to put when it was stopped is of the same plan: the same bytes, and marked by nobody.
    assert {path for path in times if after[path] != times[path]} <= {
        p for p in times if p.startswith(("shards/", ".synthgen/rows/"))
    }
    assert contents(store) == contents(Store(str(pristine)))
