"""All that only a GPU can show, in one command: tests, rendering, training, the whole pipeline, and the studies.

    python benchmarks/on_a_card.py --data CAMVID --out card             # an hour of a large GPU at most
    python benchmarks/on_a_card.py --data CAMVID --out card --only tests rendering --minutes 9
    python benchmarks/on_a_card.py --data CAMVID --out smoke --smoke    # on a CPU: does each part run at all?

Each part is a program of its own with a limit of time; what it says lies in logs/, its numbers beside them as JSON. A
part that is done is not run again, one that ran out of time goes on where it stopped if it can.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
_LEAST_S = 20  # what is not begun with less left
_ENDS_WITHIN_S = 20


class Part(NamedTuple):
    """A program, and how long it may take."""

    limit_s: int
    card: str
    smoke: str  # the same on a CPU in seconds, for a look at whether it runs
    needs_data: bool = False


# In the order in which they are worth having. {out}, {work} and {data} are filled in.
PARTS = {
    "tests": Part(240, "-m pytest -q -m gpu tests/generators", "-m pytest -q tests/generators/test_segmenter_loss.py"),
    "rendering": Part(
        300,
        "benchmarks/bench_inference.py --device cuda --resolution 2048x1024 --share 1 --repetitions 5 --steps "
        "--out {out}/rendering.json",
        "benchmarks/bench_inference.py --resolution 128x128 --share 0.1 --repetitions 1 --subjects spade "
        "--out {out}/rendering.json",
    ),
    "training": Part(
        420,
        "benchmarks/bench_training.py --share 1 --out {out}/training.json",
        "benchmarks/bench_training.py --steps 1 --families pix2pix --resolutions 64x64 --out {out}/training.json",
    ),
    "pipeline": Part(
        240,
        "benchmarks/bench_pipeline.py --only run --samples 768 --resolution 2048x1024 --model full",
        "benchmarks/bench_pipeline.py --only run --samples 8 --resolution 64x64",
    ),
    "bake_off": Part(
        900,
        "studies/bake_off.py --on camvid --data {data} --budget card --out {work}/bake_off --results {out}",
        "studies/bake_off.py --on camvid --data {data} --budget tiny --families pix2pix crn --out {work}/bake_off "
        "--results {out}",
        needs_data=True,
    ),
    "dusk": Part(
        900,
        "studies/camvid_dusk.py --data {data} --budget card --workers 4 --out {work}/camvid_dusk --results {out}",
        "studies/camvid_dusk.py --data {data} --budget tiny --out {work}/camvid_dusk --results {out}",
        needs_data=True,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="where numbers and logs go")
    parser.add_argument("--work", type=Path, help="where models and data sets are made; OUT/work without it")
    parser.add_argument("--data", type=Path, help="CamVid: train, trainannot, val, valannot")
    parser.add_argument("--only", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--minutes", type=float, default=60.0, help="for all of it; nothing begins without time left")
    parser.add_argument("--smoke", action="store_true", help="every part in its smallest form, on a CPU as well")
    arguments = parser.parse_args()
    for name in arguments.only:
        if PARTS[name].needs_data and arguments.data is None:
            parser.error(f"{name} needs --data, the folder that holds train, trainannot, val and valannot")
    sys.exit(run(arguments))


def run(arguments: argparse.Namespace) -> int:
    """Every part that is asked for and not done; 1 where one failed or is left."""
    out = arguments.out.resolve()
    places = {
        "out": out,
        "work": (arguments.work or out / "work").resolve(),
        "data": arguments.data and arguments.data.resolve(),
    }
    ends = time.monotonic() + 60 * arguments.minutes
    (out / "logs").mkdir(parents=True, exist_ok=True)
    kept = out / ("smoke.json" if arguments.smoke else "done.json")  # a part that runs is not one that is done
    done = _read(kept)
    for name in arguments.only:
        part, left = PARTS[name], ends - time.monotonic()
        if done.get(name) == "done" or left < _LEAST_S:
            continue
        words = [word.format(**places) for word in (part.smoke if arguments.smoke else part.card).split(" ")]
        done[name] = _said(words, out / "logs" / f"{name}.log", min(part.limit_s, left))
        print(f"{name}: {done[name]}", flush=True)
        kept.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    left_over = [name for name in arguments.only if done.get(name) != "done"]
    if left_over:
        print(f"not done: {', '.join(left_over)}; see {out / 'logs'}", flush=True)
    return int(bool(left_over))


def _said(words: Sequence[str], log: Path, limit_s: float) -> str:
    """Run it, with what it says in the log; how it ended."""
    began = time.monotonic()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with log.open("ab") as kept:
        running = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, stdout=kept, stderr=kept, env=environment, start_new_session=True
        )
        try:
            code = running.wait(limit_s)
        except subprocess.TimeoutExpired:
            _end(running)
            return f"stopped after {limit_s:.0f} s"
    return "done" if code == 0 else f"failed with {code} after {time.monotonic() - began:.0f} s"


def _end(running: subprocess.Popen[bytes]) -> None:
    """With all that it started: first as Ctrl-C does, so that what can go on later keeps what it has."""
    for ending in (signal.SIGINT, signal.SIGKILL):
        os.killpg(running.pid, ending)
        try:
            running.wait(_ENDS_WITHIN_S)
            return
        except subprocess.TimeoutExpired:
            pass


def _read(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


if __name__ == "__main__":
    main()
