"""Ctrl-C and SIGTERM at several moments of a real run: it ends soon, says how to go on, and goes on from there."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ray, pytest.mark.slow]

SYNTHGEN = [sys.executable, "-m", "pipeline.cli"]
RECIPE = """\
name: tiny
source: {{format: streetscapes, scenes: 8, seed: 3}}
model: {model}
output: {{root: {root}, samples_per_shard: 4, image: {{format: png}}}}
samples: {samples}
seed: 7
edits:
  - {{op: swap_class, from: vegetation, to: building, probability: 0.5}}
"""
SECONDS_TO_LEAVE = 10.0


def start(recipe: Path, *options: str) -> subprocess.Popen[str]:
    """The command in a process group of its own, as a terminal gives it one."""
    return subprocess.Popen(
        [*SYNTHGEN, "augment", "--recipe", str(recipe), "--cpus", "2", *options],
        env={**os.environ, "RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def lease_is_taken(root: Path) -> bool:
    return bool(list(root.glob(".synthgen/leases/*.json")))


def ray_is_up(root: Path) -> bool:
    return lease_is_taken(root) and bool(list(root.glob(".synthgen/plan.json")))


def a_shard_is_there(root: Path) -> bool:
    return bool(list(root.glob(".synthgen/commits/*.json")))


def most_shards_are_there(root: Path) -> bool:
    return len(list(root.glob(".synthgen/commits/*.json"))) >= 4


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "the lease is taken": lease_is_taken,
    "the plan is there": ray_is_up,
    "a shard is there": a_shard_is_there,
    "most shards are there": most_shards_are_there,
}


def wait_for(moment: Callable[[Path], bool], root: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 400
    while not moment(root):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("sent", "moment"),
    [
        (signal.SIGTERM, "a shard is there"),
        (signal.SIGINT, "the plan is there"),
        pytest.param(signal.SIGTERM, "the lease is taken", marks=pytest.mark.soak),
        pytest.param(signal.SIGINT, "a shard is there", marks=pytest.mark.soak),
        pytest.param(signal.SIGINT, "most shards are there", marks=pytest.mark.soak),
        pytest.param(signal.SIGTERM, "most shards are there", marks=pytest.mark.soak),
    ],
)
def test_a_run_that_is_interrupted_leaves_soon_and_goes_on_with_the_command_it_prints(
    tmp_path, tiny_model, sent, moment
):
    root, recipe = tmp_path / "out", tmp_path / "tiny recipe.yaml"
    recipe.write_text(RECIPE.format(model=tiny_model, root=root, samples=64))
    process = start(recipe)
    wait_for(MOMENTS[moment], root, process)
    sent_at = time.monotonic()
    # A terminal sends Ctrl-C to everything that the command has started; a scheduler tells the command alone.
    (os.killpg if sent == signal.SIGINT else os.kill)(process.pid, sent)
    _, err = process.communicate(timeout=120)
    took = time.monotonic() - sent_at
    assert process.returncode == 130, err
    assert "Traceback" not in err
    said = err.splitlines()[-1]
    assert said.startswith("interrupted: go on where it stopped with: synthgen augment --recipe ")
    assert took < SECONDS_TO_LEAVE
    assert not lease_is_taken(root)
    assert not [path for path in root.rglob("*") if path.name.endswith("synthgen-tmp")]
    marked = [path.stem for path in root.glob(".synthgen/commits/*.json")]
    there = {path: path.stat().st_mtime_ns for path in root.glob("shards/*.tar") if path.stem in marked}

    again = shlex.split(said.partition("with: synthgen ")[2])
    goes_on = subprocess.Popen(
        [*SYNTHGEN, *again, "--json"],
        env=dict(os.environ, RAY_AUTH_MODE="disabled"),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    out, err = goes_on.communicate(timeout=600)
    assert goes_on.returncode == 0, err
    made = json.loads(out)
    assert made["samples"] == 64
    assert made["samples_made_now"] == 64 - 4 * len(there)
    assert all(path.stat().st_mtime_ns == when for path, when in there.items())
