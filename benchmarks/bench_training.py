"""How fast every family trains and in how much memory, as ratios to plain eager float32 in the same run.

    python benchmarks/bench_training.py                                             # all families, small, on two cores
    python benchmarks/bench_training.py --families spade oasis --resolutions 256x128 --share 0.25
    python benchmarks/bench_training.py --share 1 --out training.json               # with a GPU: up to 2048x1024

A step is both players' updates on one pair. On a CPU times are process seconds, on a GPU wall seconds with everything
done; of each way the least of a few steps after one that does not count (two where blocks are compiled). Memory is the
peak of the whole process on a CPU, of the device's allocations on a GPU. Each way runs in a process of its own.
`--data` trains a shipped config for some steps and tells how long it waited for pairs.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from measuring import provenance

from generators import FAMILIES
from orchestration.training import Worker
from pipeline.catalogs import load_catalog
from pipeline.resolution import Resolution
from pipeline.sources.streetscapes.source import StreetscapesConfig
from pipeline.train_config import load_train_config
from pipeline.training.batches import to_batch
from pipeline.training.data import Order, PairReader, Views
from pipeline.training.job import Job
from pipeline.training.loop import train
from pipeline.training.run import make_plan
from pipeline.training.state import TrainingState
from pipeline.training.workers import Group

BASELINE = "float32, eager"
PLAIN = {"precision": "float32", "channels_last": False}
WAYS: dict[str, dict[str, Any]] = {
    BASELINE: PLAIN,
    "float32, channels_last": {"precision": "float32"},
    "float32, channels_last, recompute": {"precision": "float32", "recompute": True},
    "float32, channels_last, compile": {"precision": "float32", "compile": True},
    "bfloat16": {"precision": "bfloat16", "channels_last": False},
    "bfloat16, channels_last": {"precision": "bfloat16"},
    "bfloat16, channels_last, recompute": {"precision": "bfloat16", "recompute": True},
    "bfloat16, channels_last, compile": {"precision": "bfloat16", "compile": True},
    "bfloat16, channels_last, compile, recompute": {"precision": "bfloat16", "compile": True, "recompute": True},
    "float16, channels_last": {"precision": "float16"},
}
ON_CPU = (BASELINE, "float32, channels_last", "float32, channels_last, recompute", "bfloat16, channels_last")
ON_GPU = tuple(
    way for way in WAYS if way not in ("float32, channels_last, recompute", "float32, channels_last, compile")
)


def main() -> None:
    arguments = parse()
    if arguments.one:
        print(json.dumps(measure(json.loads(arguments.one))))
        return
    if arguments.data:
        print(waiting(arguments.data, arguments.steps))
        return
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    clock = "wall seconds" if device.type == "cuda" else "process seconds"
    result: dict[str, Any] = {**provenance(device), "time": clock, "share": arguments.share, "rows": []}
    print(f"{result['device']}, torch {result['torch']}, {arguments.share:g} of the published width, one pair a step")
    print(f"{'family':<12}{'resolution':<11}{'way':<45}{'steps/s':>8}{'ratio':>8}{'GiB':>7}{'ratio':>8}")
    for family in arguments.families:
        for resolution in arguments.resolutions:
            for row in rows(family, resolution, arguments):
                result["rows"].append(row)
                print(line(row), flush=True)
                if arguments.out:
                    Path(arguments.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="*", default=sorted(FAMILIES), choices=sorted(FAMILIES))
    sizes = ["512x256", "1024x512", "2048x1024"] if gpu else ["128x64"]
    parser.add_argument("--resolutions", nargs="*", default=sizes, help="width x height, multiples of 64")
    parser.add_argument("--share", type=float, default=1.0 if gpu else 0.25, help="share of the published width")
    parser.add_argument("--ways", nargs="*", default=list(ON_GPU if gpu else ON_CPU), choices=list(WAYS))
    parser.add_argument("--steps", type=int, default=10 if gpu else 2, help="that count")
    parser.add_argument("--out", help="write the numbers as JSON, too")
    parser.add_argument("--data", metavar="CONFIG", help="how long training by this config waits for pairs")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


def rows(family: str, resolution: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A row a way; the first way is what the others are ratios to."""
    found: list[dict[str, Any]] = []
    for way in dict.fromkeys([BASELINE, *arguments.ways]):
        asked = {"family": family, "resolution": resolution, "way": way, "share": arguments.share}
        command = [sys.executable, __file__, "--one", json.dumps({**asked, "steps": arguments.steps})]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            found.append({**asked, "failed": done.stderr.strip().splitlines()[-1][:100]})
            continue
        found.append({**asked, **json.loads(done.stdout.splitlines()[-1])})
        base = found[0]
        if "failed" not in base:
            found[-1]["speed_ratio"] = base["step_s"] / found[-1]["step_s"]
            found[-1]["memory_ratio"] = found[-1]["memory_gib"] / base["memory_gib"]
    return found


def line(row: dict[str, Any]) -> str:
    start = f"{row['family']:<12}{row['resolution']:<11}{row['way']:<45}"
    if "failed" in row:
        return f"{start} {row['failed']}"
    ratios = row.get("speed_ratio", 0.0), row.get("memory_ratio", 0.0)
    text = f"{start}{1 / row['step_s']:>8.3g}{ratios[0]:>7.2f}x{row['memory_gib']:>7.2f}{ratios[1]:>7.2f}x"
    return "\n".join([text, *(f"    note: {note}" for note in row["notes"])])


def settings(share: float, size: Resolution) -> dict[str, dict[str, Any]]:
    """Settings of every family at a share of the published widths."""
    base, hidden = max(2, int(64 * share)), max(8, int(128 * share))
    judge = {"discriminator_channels": base}
    staged = {"base_channels": base, "hidden_channels": hidden, "upsampling": "normal", **judge}
    grid = (size.height // 64, size.width // 64)
    return {
        "pix2pixhd": {"base_channels": base, "num_enhancers": 1, "num_downsamplings": 3, **judge},
        "spade": staged,
        "ccfpse": {**staged, "pyramid_channels": base},
        "lab2pix_v1": {
            "base_channels": base,
            "hidden_channels": hidden,
            "trunk_blocks": 3,
            "start_grid": grid,
            "backbone_channels": base,
            "segmenter_channels": max(4, base // 2),
            **judge,
        },
        "lab2pix_v2": {**staged, "backbone_channels": base, "global_channels": base},
        "oasis": {"base_channels": base, "hidden_channels": hidden, **judge},
        "pix2pix": {"base_channels": base, "levels": 6, **judge},
        "crn": {"base_channels": 16 * base, "modules": 7, **judge},
    }


def measure(asked: dict[str, Any]) -> dict[str, Any]:
    """Seconds of a step and the peak of memory of one way, in this process."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    size = Resolution(*(int(side) for side in asked["resolution"].split("x")))
    config = FAMILIES[asked["family"]].config(**settings(asked["share"], size)[asked["family"]])
    source, catalog = StreetscapesConfig(scenes=1), load_catalog("cityscapes")
    views = Views(size)
    job = Job("bench", "", source, asked["family"], config, catalog, views, steps=1000, **WAYS[asked["way"]])
    state = TrainingState(job, device, Group())
    pair = PairReader(source.open(), views, 0).view(0, Order(1, 0).view_rng(0))
    batch = to_batch([pair], device)
    if not job.channels_last:
        batch = batch._replace(image_BCHW=batch.image_BCHW.contiguous())
    seconds = []
    ignored = 2 if job.compile else 1
    for _ in range(ignored + asked["steps"]):
        seconds.append(timed_step(state, batch, device))
    return {"step_s": min(seconds[ignored:]), "memory_gib": peak_gib(device), "notes": compile_notes(state)}


def timed_step(state: TrainingState, batch: Any, device: torch.device) -> float:
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    start = clock()
    state.train_step([batch])
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def peak_gib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def compile_notes(state: TrainingState) -> list[str]:
    return [note for note in state.notes if note.startswith("compile")]


def waiting(config: str, steps: int) -> str:
    """Train by a config in this process; the share of its steps' time that went into waiting for pairs."""
    few = [f"steps={max(steps, 60)}", "checkpoints.every=1000000", "samples_every=1000000", "validation.pairs=0"]
    seen: list[Any] = []

    class Listener(Worker):
        def report(self, report: Any) -> None:
            seen.append(report)

    with tempfile.TemporaryDirectory() as folder:
        train({"job": make_plan(load_train_config(config, [*few, "workers=1"]).value, folder).job}, Listener())
    last = [report for report in seen if report["event"] == "step"][-1]
    speed = f"{last['images_per_s']:.3g} images/s over the last steps"
    return f"{config}: {speed}, {last['waited_share']:.2%} of their time waiting for pairs"


if __name__ == "__main__":
    main()
