"""A plan of a million samples costs the driver next to nothing, and no more than a plan of ten thousand."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys, time
from orchestration.pieces import Mode, Pieces
from orchestration.shard_engine import ShardTask
from pipeline.plan import draw_plan

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before, began = peak_mb(), time.monotonic()
plan = draw_plan("p", [f"scene-{k:06d}" for k in range(5000)], int(sys.argv[1]), 7, 256)
tasks = [ShardTask(shard.id, shard.slots) for shard in plan.shards()]
pieces = Pieces([task.rows for task in tasks], stages=2, chunk_rows=64)
rows = 0
for _ in tasks:
    while not pieces.is_all_admitted and len(pieces.open) < 100:
        pieces.admit()
    for stage in (0, 1):
        while pieces.is_waiting(stage):
            piece = pieces.take(stage)
            pieces.worked(piece, object(), piece.rows)
            rows += piece.rows * stage
    while pieces.is_waiting(2):
        pieces.finished(pieces.take(2).shard)
assert rows == plan.num_samples and not pieces.open
print(time.monotonic() - began, peak_mb() - before)
"""


def cost(samples: int) -> tuple[float, float]:
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(samples)], text=True, capture_output=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


@pytest.mark.slow
def test_the_driver_plans_and_follows_a_million_samples_in_a_minute_and_a_gigabyte():
    _, small = cost(10_000)
    seconds, megabytes = cost(1_000_000)
    assert seconds < 60
    assert megabytes < 1000
    # Two integers a sample, and what a sort of them takes for a moment: nothing that is made for each.
    assert (megabytes - small) * 2**20 / 1_000_000 < 100
