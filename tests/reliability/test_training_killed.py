"""A training that is killed, at any moment and again and again, ends as one that was left alone: to the bit."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("training_under_fire.py")


def killed(folder: Path, family: str, seed: int, kills: int) -> dict[str, Any]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(SCRIPT), str(folder), family, str(seed), str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def assert_undisturbed(found: dict[str, Any], kills: int) -> None:
    assert found["kills"] == kills
    assert (found["last"], found["failures"]) == (0, [])
    assert found["wrong"] == [], "losses differ from those of the undisturbed run"
    assert found["same_weights"]


@pytest.mark.slow
def test_kills_change_no_loss_and_no_weight(tmp_path: Path) -> None:
    """A coarse-to-fine training with an image pool and averaged weights."""
    found = killed(tmp_path, "pix2pixhd", seed=3, kills=3)
    assert_undisturbed(found, 3)
    assert "has written a file aside" in found["died"], "one of the deaths falls into the writing of a file"


@pytest.mark.soak
@pytest.mark.parametrize(("family", "kills"), [("pix2pixhd", 10), ("pix2pixhd", 40), ("oasis", 10)])
def test_many_kills_change_no_loss_and_no_weight(tmp_path: Path, family: str, kills: int) -> None:
    found = killed(tmp_path, family, seed=kills, kills=kills)
    assert_undisturbed(found, kills)
    assert len(found["died"]) == 4, "each kind of moment was one of death"
