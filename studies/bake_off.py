"""All generator families side by side: the same scenes, the same seconds of the device, the same six label maps.

    python studies/bake_off.py --on streetscapes                          # one core, half an hour
    python studies/bake_off.py --on camvid --data CAMVID
    python studies/bake_off.py --on camvid --data CAMVID --resolution 256x192
    python studies/bake_off.py --on camvid --data DIR --budget full       # a GPU

Every family trains by its own config for as many steps as its seconds allow; one segmentation network, trained on the
real pairs, then measures them all (`evaluate model`), and `evaluate compare` puts them side by side. Run again, it goes
on where it stopped.
"""

import argparse
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from steps import RESULTS, folder_of, keep_result, sets, synthgen

from generators import FAMILIES
from pipeline.train_config import load_train_config
from pipeline.training.batches import to_batch
from pipeline.training.data import PairReader
from pipeline.training.run import make_plan
from pipeline.training.state import TrainingState
from pipeline.training.workers import Group

_PROBED_STEPS = 3
_MULTIPLE = 32  # of the sides that every family can start from
_FEWEST_STEPS = 2


class Budget(NamedTuple):
    """How much is spent."""

    resolution: dict[str, str]  # by data set
    device_seconds: float  # of training, a family: processor seconds on a CPU, the clock on a GPU
    judge_steps: int
    judge_width: int
    scenes: int  # measured


BUDGETS = {
    "tiny": Budget({"streetscapes": "128x64", "camvid": "128x64"}, 0.0, 2, 4, 2),
    # A size at which minutes of a core show what a family is like: at twice the size all are a blur after them.
    "small": Budget({"streetscapes": "128x64", "camvid": "192x128"}, 150, 400, 16, 40),
    "card": Budget({"streetscapes": "512x256", "camvid": "480x352"}, 20, 600, 32, 101),  # minutes of a large GPU
    "full": Budget({"streetscapes": "512x256", "camvid": "480x352"}, 1800, 3000, 48, 101),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=("streetscapes", "camvid"), default="streetscapes")
    parser.add_argument("--data", type=Path, help="CamVid: train, trainannot, val, valannot")
    parser.add_argument("--budget", choices=BUDGETS, default="small")
    parser.add_argument("--seconds", type=float, help="of training a family, instead of the budget's")
    parser.add_argument("--resolution", help="WxH instead of the budget's: multiples of 32; kept beside its results")
    parser.add_argument("--families", nargs="*", default=list(FAMILIES), choices=list(FAMILIES))
    parser.add_argument("--out", type=Path, default=Path("runs/bake_off"), help="where everything is made")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the numbers are kept")
    arguments = parser.parse_args()
    if arguments.on == "camvid" and arguments.data is None:
        parser.error("--on camvid needs --data, the folder that holds train, trainannot, val and valannot")
    budget = BUDGETS[arguments.budget]
    if arguments.seconds is not None:
        budget = budget._replace(device_seconds=arguments.seconds)
    if arguments.resolution is not None:
        if not re.fullmatch(r"[1-9]\d{1,3}x[1-9]\d{1,3}", arguments.resolution) or any(
            side % _MULTIPLE for side in _sides(arguments.resolution)
        ):
            parser.error(f"--resolution {arguments.resolution}: WxH, both multiples of {_MULTIPLE}, such as 256x192")
        budget = budget._replace(resolution=budget.resolution | {arguments.on: arguments.resolution})
    run(arguments, budget)


def run(arguments: argparse.Namespace, budget: Budget) -> None:
    """Train and measure every family, then put them side by side."""
    on = arguments.on
    spent = (budget.resolution[on], *budget[1:])
    out = arguments.out.resolve() / folder_of(on, *spent)
    evaluations, trained = [], {}
    for family in arguments.families:
        options = _options(family, on, arguments.data, budget)
        measured = out / f"{family}-measured"
        evaluations.append(str(measured))
        changed = {key: value for key, value in options[1].items() if key.startswith("model.")}
        trained[family] = {**_steps(family, options, out / family, budget), "changed": changed}
        if (measured / "result.json").exists():
            continue
        _train(options, out / family, trained[family]["steps"])
        synthgen(
            *("evaluate", "model", str(out / family), "--limit", str(budget.scenes), "--out", str(measured)),
            *("--judge-steps", str(budget.judge_steps), "--judge-width", str(budget.judge_width)),
            *("--judges", str(out / "judges")),
        )
    synthgen("evaluate", "compare", *evaluations, "--out", str(out / "compared"))
    said = " --data CAMVID" if on == "camvid" else ""
    settings = {
        "command": f"python studies/bake_off.py --on {on}{said} --budget {arguments.budget}",
        "budget": arguments.budget,
        **budget._asdict(),
        "resolution": budget.resolution[on],
        "trained": trained,
    }
    if arguments.seconds is not None:
        settings["command"] += f" --seconds {arguments.seconds:g}"
    name = f"bake_off_{on}_{arguments.budget}"
    if arguments.resolution is not None:
        settings["command"] += f" --resolution {arguments.resolution}"
        name += f"_{arguments.resolution}"
    settings["sheet"] = f"{name}.jpg"
    keep_result(name, out / "compared", arguments.results, settings)
    shutil.copyfile(out / "compared" / "sheet.jpg", arguments.results / settings["sheet"])


def _sides(resolution: str) -> tuple[int, int]:
    width, height = resolution.split("x")
    return int(width), int(height)


def _options(family: str, on: str, data: Path | None, budget: Budget) -> tuple[str, dict[str, object]]:
    """The family's config for this data, and what the study changes in it: the size, and all pairs at that size."""
    resolution = budget.resolution[on]
    width, height = _sides(resolution)
    changes: dict[str, object] = {"name": family, "resolution": resolution, "workers": 1, "data.load": resolution}
    if on == "camvid":
        assert data is not None  # main has checked
        changes["source"] = f"{{format: camvid, root: '{data.resolve()}', split: train}}"
    config = on if family == "pix2pixhd" else f"{on}_{family}"
    plan = load_train_config(config, []).value
    if plan.coarse is not None:
        changes["coarse"] = "null"  # what one family may do, the others could do as well
    start = getattr(plan.family_config, "start_grid", None)
    if start is not None and getattr(plan.family_config, "use_vae", True):
        # Rows and columns that the network doubles until they are the image.
        rows, columns = start[0] * height // plan.resolution.height, start[1] * width // plan.resolution.width
        changes["model.start_grid"] = f"[{rows}, {columns}]"
    levels = getattr(plan.family_config, "levels", None)
    if levels is not None:  # how often the network halves the image
        changes["model.levels"] = min(levels, _halvings(width), _halvings(height))
    return config, changes


def _halvings(side: int) -> int:
    """How often a side can be halved without a rest."""
    return (side & -side).bit_length() - 1


def _steps(family: str, options: tuple[str, dict[str, object]], model: Path, budget: Budget) -> dict[str, Any]:
    """As many steps as the seconds allow; how many is kept, so that a study that goes on has the same."""
    config, changes = options
    kept = model.parent / f"{family}.json"
    if not kept.exists():
        seconds = _seconds_a_step(config, changes, model)
        steps = max(_FEWEST_STEPS, round(budget.device_seconds / seconds))
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"seconds_a_step": seconds, "steps": steps}), encoding="utf-8")
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def _train(options: tuple[str, dict[str, object]], model: Path, steps: int) -> None:
    config, changes = options
    changes = changes | {"steps": steps, "samples_every": steps, "checkpoints.every": max(1, steps // 2)}
    synthgen("train", "--config", config, "--output", str(model), *sets(changes))


def _seconds_a_step(config: str, changes: dict[str, object], model: Path) -> float:
    """What one step costs the device, the first left out."""
    overrides = [f"{key}={value}" for key, value in changes.items()]
    job = make_plan(load_train_config(config, [*overrides, "steps=8"]).value, str(model)).job
    device = torch.device("cuda" if job.use_gpu else "cpu")
    torch.set_num_threads(1)
    state = TrainingState(job, device, Group(0, 1))
    reader = PairReader(job.source.open(), job.views, job.cache_bytes, FAMILIES[job.family].paired)
    batch = to_batch([reader.pair(0)] * job.batch_size, device)
    state.train_step([batch])
    began = _clock(device)
    for _ in range(_PROBED_STEPS):
        state.train_step([batch])
    return (_clock(device) - began) / _PROBED_STEPS


def _clock(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


if __name__ == "__main__":
    main()
