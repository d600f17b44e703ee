"""The engine alone at the size of a cluster: stages that sleep instead of computing, on logical GPUs.

    python benchmarks/bench_scale.py                       # all of it, minutes
    python benchmarks/bench_scale.py --only gpus --shards 200
    python benchmarks/bench_scale.py --write docs/performance.md

A logical GPU is a process that sleeps 5 ms a sample; the baseline is that time alone, divided by the GPUs.
All of them and the driver share the cores of this machine, where a cluster has its own for each:
overheads are upper bounds.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from orchestration.cluster import connect, shutdown
from orchestration.flight import Flight
from orchestration.shard_engine import ShardTask, Stage, run_shards

SAMPLES_A_SHARD = 256
BATCH = 64
GPU_SECONDS_A_SAMPLE = 0.005
BEGIN, END = "<!-- bench_scale: begin -->", "<!-- bench_scale: end -->"


def make_sleeper(seconds_a_row: float) -> Callable[[list[Any]], list[Any]]:
    """A stage that takes its time and no CPU."""

    def work(rows: list[Any]) -> list[Any]:
        time.sleep(seconds_a_row * len(rows))
        return rows

    return work


def make_counter() -> Callable[[str, list[Any]], int]:
    """Finishing is counting."""
    return lambda _shard, rows: len(rows)


@dataclass(frozen=True)
class Measured:
    """One run of the engine."""

    gpus: int
    shards: int
    samples: int
    first_s: float  # until every worker was there
    wall_s: float  # from then on
    driver_cpu_s: float
    driver_mb: float
    seconds_a_sample: float

    @property
    def ideal_s(self) -> float:
        """What the GPUs need, were nothing else in the world."""
        return self.samples * self.seconds_a_sample / self.gpus

    def as_row(self) -> str:
        shard_ms = 1000 * self.driver_cpu_s / self.shards
        overhead = f"{self.wall_s / self.ideal_s - 1:.1%}" if self.ideal_s else "-"
        return (
            f"| {self.gpus} | {self.samples:,} | {self.shards:,} | {self.wall_s:.1f} | {self.ideal_s:.1f} | {overhead} "
            f"| {shard_ms:.1f} | {1000 * shard_ms / SAMPLES_A_SHARD:.0f} | {self.driver_cpu_s / self.wall_s:.0%} "
            f"| {self.driver_mb:.0f} |"
        )


def run(gpus: int, shards: int, seconds_a_sample: float) -> Measured:
    """The engine with so many logical GPUs, and an editor for every four of them, which takes an eighth of the time."""
    editors = max(1, gpus // 4)
    cluster = connect("local", editors, gpus)
    stages = [
        Stage("edit", partial(make_sleeper, seconds_a_sample / 8), BATCH),
        Stage("render", partial(make_sleeper, seconds_a_sample), BATCH, cpus=0.0, gpus=1.0),
    ]
    size, slots = SAMPLES_A_SHARD, range(shards * SAMPLES_A_SHARD)
    tasks = [ShardTask(f"train-{k:06d}", slots[k * size : (k + 1) * size]) for k in range(shards)]
    began = since = time.monotonic()
    cpu = _cpu_s()
    made, is_ready = 0, False

    def watch(flight: Flight) -> None:
        nonlocal since, cpu, made, is_ready
        if not is_ready and all(there == target for there, target in flight.workers.values()):
            since, cpu, made, is_ready = time.monotonic(), _cpu_s(), 0, True

    try:
        for count in run_shards(tasks, stages, make_counter, cluster, ordered=False, watch=watch):
            made += 1
            assert count == size
        return Measured(
            gpus=gpus,
            shards=made,
            samples=made * size,
            first_s=since - began,
            wall_s=time.monotonic() - since,
            driver_cpu_s=_cpu_s() - cpu,
            driver_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            seconds_a_sample=seconds_a_sample,
        )
    finally:
        shutdown()


def _cpu_s() -> float:
    return sum(os.times()[:2])


def measure(gpus: int, shards: int, seconds_a_sample: float) -> Measured:
    """One run in a process of its own, so that its peak of memory is its own."""
    command = [sys.executable, __file__, "--one", json.dumps([gpus, shards, seconds_a_sample])]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    measured = Measured(**json.loads(done.stdout.splitlines()[-1]))
    print(measured.as_row(), flush=True)
    return measured


def plan_of(samples: int) -> tuple[float, float]:
    """Seconds and peak MB of drawing a plan of so many samples, naming its shards and hashing it."""
    code = (
        "import resource, time; from pipeline.plan import draw_plan; began = time.monotonic(); "
        f"plan = draw_plan('p', [f'scene-{{k:06d}}' for k in range(5000)], {samples}, 7, {SAMPLES_A_SHARD}); "
        "shards = list(plan.shards()); plan.digest(); "
        "print(time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    seconds, megabytes = done.stdout.split()
    return float(seconds), float(megabytes)


HEADER = (
    "| logical GPUs | samples | shards | wall s | ideal s | overhead | driver CPU ms/shard | µs/sample "
    "| driver busy | peak MB |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Both sweeps as tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=["gpus", "samples", "plan"], help="one sweep")
    parser.add_argument("--gpus", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--shards", type=int, default=2000, help="of the sweep over GPUs")
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--write", type=Path, help="put the tables into this file, between its bench_scale marks")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asdict(run(*json.loads(options.one)))))
        return
    parts = [f"Measured by `{' '.join(['python', 'benchmarks/bench_scale.py', *_shown(sys.argv[1:])])}`."]
    if options.only in (None, "plan"):
        lines = [f"| {n:,} | {s:.2f} | {mb:.0f} |" for n in options.samples for s, mb in [plan_of(n)]]
        parts += ["", "Drawing the plan:", "", "| samples | s | peak MB |", "|---|---|---|", *lines]
        print("\n".join(lines), flush=True)
    if options.only in (None, "samples"):
        rows = [measure(8, max(1, n // SAMPLES_A_SHARD), 0.0).as_row() for n in options.samples]
        parts += ["", "Growth with samples, 8 logical GPUs, stages that take no time:", "", HEADER, *rows]
    if options.only in (None, "gpus"):
        rows = [measure(gpus, options.shards, GPU_SECONDS_A_SAMPLE).as_row() for gpus in options.gpus]
        parts += ["", "Growth with GPUs, a GPU stage of 5 ms a sample:", "", HEADER, *rows]
    if options.write:
        write_between(options.write, BEGIN, END, "\n".join(parts))


def _shown(arguments: list[str]) -> list[str]:
    return [argument for argument in arguments if argument != "--write" and not argument.endswith(".md")]


def write_between(path: Path, begin: str, end: str, text: str) -> None:
    """Replace what stands between two marks of a file."""
    said = path.read_text()
    before, after = said.partition(begin)[0], said.partition(end)[2]
    if begin not in said or end not in said:
        raise SystemExit(f"{path}: lacks the marks {begin} and {end}")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


if __name__ == "__main__":
    main()
