"""SIGKILL of a whole run, workers and Ray included, at any moment: the same command ends with the same bytes."""

import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pipeline.storage import Store
from tests.reliability.child_runs import start as start_child
from tests.reliability.process_tree import ProcessTree, synthgen
from tests.reliability.tiny_run import contents, run_here, write_recipe

SAMPLES = 24
KILLS = 25
_LONGEST_S = 400
_MOST_STARTS = 5


def finish(start: Callable[[], ProcessTree]) -> None:
    """The same command until it is done."""
    for _ in range(_MOST_STARTS):
        with start() as run:
            if run.finish(_LONGEST_S):
                return
    pytest.fail("Ray never came up")


@pytest.mark.soak
def test_a_run_that_is_killed_and_started_again_25_times_gives_the_bytes_of_one_that_was_not(
    tiny_model, augment, tmp_path
):
    undisturbed = contents(augment(str(tmp_path / "undisturbed"), SAMPLES))
    log, rng = tmp_path / "log", random.Random(0)

    def start(output: Path) -> ProcessTree:
        recipe = write_recipe(tmp_path / "tiny.yaml", tiny_model, str(output), SAMPLES)
        return synthgen("augment", "--recipe", str(recipe), "--cpus", "2", log=log)

    began = time.monotonic()
    finish(partial(start, tmp_path / "out-0"))
    length_s = time.monotonic() - began
    assert contents(Store(str(tmp_path / "out-0"))) == undisturbed

    killed, number, interrupted = 0, 1, set()
    while killed < KILLS:
        output = tmp_path / f"out-{number}"
        with start(output) as run:
            ended = run.wait(rng.uniform(0, length_s))
            whole = ended is not None and run.finish(0)
        if ended is None:
            killed += 1
            interrupted.add(len(list(output.glob(".synthgen/commits/*.json"))))
        elif whole:
            assert contents(Store(str(output))) == undisturbed
            number += 1
    finish(partial(start, output))
    assert contents(Store(str(output))) == undisturbed
    assert len(interrupted) > 1, f"every kill met the same state: {interrupted} shards"


@pytest.mark.parametrize("kills", [3, pytest.param(25, marks=pytest.mark.soak)])
def test_a_driver_killed_at_random_moments_of_its_steps_leaves_nothing_but_what_the_next_completes(
    kills, tiny_model, augment, tmp_path
):
    """With a loop for an engine no time goes into starting one: every moment is one of the steps of a run."""
    undisturbed = contents(augment(str(tmp_path / "undisturbed"), SAMPLES))
    rng, killed, number, lengths = random.Random(1), 0, 0, [1.0]
    while killed < kills:
        output = tmp_path / f"out-{number}"
        child = start_child(run_here, write_recipe(tmp_path / "tiny.yaml", tiny_model, str(output), SAMPLES))
        began = time.monotonic()
        child.join(rng.uniform(0, max(lengths)))
        if child.exitcode is None:
            child.kill()
            killed += 1
            child.join()
        else:
            assert child.exitcode == 0
            assert contents(Store(str(output))) == undisturbed
            lengths.append(time.monotonic() - began)
            number += 1
    augment(str(output), SAMPLES)
    assert contents(Store(str(output))) == undisturbed
