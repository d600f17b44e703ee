"""Trains in child processes that are killed at given moments; run by test_training_killed.py, not by itself.

    python training_under_fire.py FOLDER FAMILY SEED KILLS

Everything is imported once and children are forked from here, so that ten deaths take seconds. What each child does is
counted: beginning a step, ending one, a file written but not yet in place, a file in place. It dies, by SIGKILL, at a
moment of each kind in turn, drawn from the seed. Prints as JSON what was seen.
"""

import contextlib
import importlib
import json
import os
import random
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from generators import family_named
from label_editing.scene import Scene
from orchestration.training import Worker
from pipeline.catalogs import load_catalog
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source, SourceConfig
from pipeline.training import keeper
from pipeline.training.data import Views
from pipeline.training.job import Job, Stage
from pipeline.training.loop import train
from pipeline.training.state import TrainingState

SMALL = {
    "pix2pixhd": {
        "base_channels": 4,
        "num_downsamplings": 1,
        "num_blocks": 1,
        "num_enhancers": 1,
        "num_enhancer_blocks": 1,
        "encoder_channels": 2,
        "encoder_downsamplings": 1,
        "discriminator_channels": 4,
        "pool_size": 2,
    },
    "oasis": {"base_channels": 2, "hidden_channels": 4, "noise_dim": 2, "discriminator_channels": 2},
}
STEPS = 10
MOMENTS = ("begins a step", "ends a step", "has written a file aside", "has put a file in place")


class FlatSource(Source):
    """Six scenes that cost nothing to make: a sky of growing height over a road."""

    format, split = "flat", "train"
    catalog = load_catalog("cityscapes")

    def keys(self) -> Sequence[str]:
        return [f"pair{i}" for i in range(6)]

    def attributes(self, key: str) -> Mapping[str, str]:
        return {}

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        size = resolution or Resolution(32, 16)
        labels = np.full((size.height, size.width), 7, np.uint8)
        labels[: 2 + int(key[4:])] = 23
        return Scene(labels, None, self.catalog, key, {})

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        return self.catalog.palette[self.read_scene(key, resolution).labels]

    def fingerprint(self) -> str:
        return "flat"


class FlatConfig(SourceConfig):
    format: str = "flat"

    def open(self) -> Source:
        return FlatSource()


def job_for(family: str, folder: Path) -> Job:
    """Two stages for pix2pixHD, averaged weights, a measurement and a checkpoint every second step."""
    config = family_named(family).config(**SMALL[family])
    job = Job(
        name=family,
        output=str(folder),
        source=FlatConfig(),
        family=family,
        config=config,
        catalog=FlatSource.catalog,
        views=Views(Resolution(128, 64) if family == "oasis" else Resolution(32, 16)),
        steps=STEPS,
        precision="float32",
        average_decay=0.9,
        reestimate=2,
        checkpoint_every=2,
        samples_every=5,
        validation_pairs=2,
    )
    if family != "pix2pixhd":
        return job
    coarse = config.model_copy(update={"num_enhancers": 0})
    return replace(job, before=(Stage(coarse, Views(Resolution(16, 8)), 4),))


class Child:
    """Counts moments and dies at one of them."""

    def __init__(self, log: Path, dies_at: tuple[int, int] | None) -> None:
        self._log, self._dies_at, self._counts = log, dies_at, [0] * len(MOMENTS)

    def moment(self, what: int) -> None:
        self._counts[what] += 1
        if (what, self._counts[what]) == self._dies_at:
            self._write({"died": MOMENTS[what]})
            os.kill(os.getpid(), signal.SIGKILL)

    def step(self, number: int, losses: dict[str, float]) -> None:
        self._write({"step": number, "losses": losses})

    def finished(self) -> None:
        self._write({"moments": self._counts, "modules": sorted(sys.modules)})

    def _write(self, line: dict[str, Any]) -> None:
        with self._log.open("a") as file:
            file.write(json.dumps(line) + "\n")


def run(job: Job, child: Child) -> None:
    plain_step, plain_replace, plain_sync = TrainingState.train_step, os.replace, os.fsync

    def step(state: TrainingState, batches: Any) -> dict[str, float]:
        child.moment(0)
        losses = plain_step(state, batches)
        child.step(state.step, losses)
        child.moment(1)
        return losses

    def sync(descriptor: int) -> None:
        plain_sync(descriptor)
        child.moment(2)

    def put(source: str, target: str) -> None:
        plain_replace(source, target)
        child.moment(3)

    TrainingState.train_step = step
    os.replace, os.fsync = put, sync
    train({"job": job}, Worker())
    child.finished()


def attempt(job: Job, log: Path, dies_at: tuple[int, int] | None) -> int:
    """Train in a child; how it ended."""
    process = os.fork()
    if process == 0:
        try:
            run(job, Child(log, dies_at))
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def weights(job: Job) -> dict[str, str]:
    """The bytes of every network that the training left, in hexadecimal."""
    names = ("generator.safetensors", f"{keeper.BEST}/generator.safetensors")
    return {name: (Path(job.output) / name).read_bytes().hex() for name in names}


def main() -> None:
    folder, family, seed, kills = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    folder.mkdir(parents=True, exist_ok=True)
    whole, killed = job_for(family, folder / "whole"), job_for(family, folder / "killed")
    assert attempt(whole, folder / "whole.log", None) == 0
    first = lines(folder / "whole.log")[-1]
    moments = first["moments"]
    # What training imports on its way is imported once, here, and not in every child.
    for name in first["modules"]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    rng, endings = random.Random(seed), []
    while endings.count(-signal.SIGKILL) < kills:
        # Each kind of moment in turn. A run that finishes before its moment comes is begun again from nothing.
        kind = endings.count(-signal.SIGKILL) % len(MOMENTS)
        dies_at = kind, rng.randint(1, max(1, moments[kind] // 2))
        endings.append(attempt(killed, folder / "killed.log", dies_at))
        if endings[-1] == 0:
            os.rename(killed.output, f"{killed.output}-{len(endings)}")
    endings.append(attempt(killed, folder / "killed.log", None))
    undisturbed = {line["step"]: line["losses"] for line in lines(folder / "whole.log") if "step" in line}
    seen = lines(folder / "killed.log")
    wrong = [line for line in seen if "step" in line and line["losses"] != undisturbed[line["step"]]]
    print(
        json.dumps(
            {
                "kills": endings.count(-signal.SIGKILL),
                "last": endings[-1],
                "failures": [ending for ending in endings if ending not in (0, -signal.SIGKILL)],
                "died": sorted({line["died"] for line in seen if "died" in line}),
                "steps_again": sum("step" in line for line in seen) - STEPS,
                "wrong": wrong[:2],
                "same_weights": weights(whole) == weights(killed),
            }
        )
    )


if __name__ == "__main__":
    main()
