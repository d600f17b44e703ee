"""Every generator family side by side: the same scenes, the same CPU time, the same label maps; 2 cores, half an hour.

    python studies/families.py

Each family trains on the procedural street world for as many steps as its share of CPU time allows; a segmentation
network that knows the real images then says how well the label maps are found again in what it renders, before training
and after. Keeps a contact sheet and the numbers; ends with an error where a family does not beat its own start by the
margin. Run again, it goes on where it stopped; with --families the others keep what an earlier run made of them.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from steps import RESULTS

from generators import FAMILIES
from orchestration.training import Worker
from pipeline.console import Console
from pipeline.evaluation.faithfulness import SceneRenderer, render_scenes
from pipeline.evaluation.judge import Judge, JudgeSettings, judge_for
from pipeline.evaluation.provenance import provenance
from pipeline.evaluation.scores import Scores, Tally
from pipeline.model_directory import STYLES, ModelDirectory, ModelFacts, TrainingSummary, open_model
from pipeline.report.contact_sheet import contact_sheet, encode_jpeg
from pipeline.sources.base import Image, Source
from pipeline.storage import Store
from pipeline.styles.bank import StyleBank
from pipeline.styles.of_model import fit_styles
from pipeline.styles.picks import StylePick
from pipeline.train_config import load_train_config
from pipeline.training.batches import to_batch
from pipeline.training.data import PairReader
from pipeline.training.loop import train
from pipeline.training.run import TrainingPlan, make_plan
from pipeline.training.state import TrainingState
from pipeline.training.workers import Group

ROOT = Path(__file__).resolve().parent.parent
SIZE = "128x64"
SCENES = 400
MARGIN = 0.05  # of mean IoU, over the family's own start
SHEET = ROOT / "docs" / "families.jpg"
# Start grids that fit the size; everything else as each family's streetscapes config says.
STARTS = {"spade": "[2, 4]", "lab2pix_v1": "[2, 4]"}
# The scene's own look, where the family has looks: the sheet then compares families, not draws.
OWN_LOOK = [StylePick(classes="all", pick="source", coherent=True)]
_PROBED_STEPS = 4
_CELL, _GAP = 144, 8  # of the sheet, whose gaps are those of every contact sheet
_FIRST = 2  # columns before the families: label map and image


class Shown(NamedTuple):
    """What one family made."""

    name: str
    numbers: dict[str, Any]
    pictures: list[Image]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120, help="CPU seconds of training a family gets")
    parser.add_argument("--families", nargs="*", default=list(FAMILIES), choices=list(FAMILIES))
    parser.add_argument("--measured", type=int, default=40, help="held-out scenes the numbers are of")
    parser.add_argument("--judge-steps", type=int, default=500)
    parser.add_argument("--margin", type=float, default=MARGIN, help="mean IoU that training must add")
    parser.add_argument("--out", type=Path, default=Path("runs/families"), help="where everything is made")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the numbers are kept")
    parser.add_argument("--sheet", type=Path, default=SHEET, help="where the contact sheet is kept")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    study = Study(arguments.out.resolve(), arguments.seconds, arguments.measured, arguments.judge_steps)
    shown: list[Shown] = []
    for name in arguments.families:
        shown.append(study.of_family(name))
        study.keep(shown, arguments.results, arguments.sheet)
    behind = [one.name for one in shown if one.numbers["gain"] < arguments.margin]
    if behind:
        sys.exit(f"no better than their own start by {arguments.margin} of mean IoU: {', '.join(behind)}")


class Study:
    """The scenes and the judge that all families share."""

    def __init__(self, out: Path, seconds: float, measured: int, judge_steps: int) -> None:
        self._out, self._seconds, self._measured = out, seconds, measured
        plan = _plan("pix2pixhd", 1, out)
        self._held_out: Source = plan.job.source.model_copy(update={"split": "val", "scenes": measured}).open()
        settings = JudgeSettings(steps=judge_steps)
        cache, console = Store(str(out / "judges")), Console(False, False)
        resolution = plan.job.views.resolution
        self._judge: Judge = judge_for(plan.job.source.open(), resolution, settings, cache, console)
        self._real: Scores | None = None

    def of_family(self, name: str) -> Shown:
        """Train one family and measure it before and after."""
        seconds_a_step = self._seconds_a_step(name)
        steps = max(20, round(self._seconds / seconds_a_step))
        trained, start = self._out / name, self._out / f"{name}-start"
        _train(_plan(name, steps, trained))
        _write_start(_plan(name, steps, start))
        before, _ = self._scores(start, [])
        after, pictures = self._scores(trained, OWN_LOOK)
        model = open_model(str(trained))
        numbers = {
            "family": name,
            "parameters": sum(weight.numel() for weight in model.load_generator().parameters()),
            "steps": steps,
            "seconds_a_step": round(seconds_a_step, 4),
            "mean_iou_before": before.mean_iou,
            "mean_iou": after.mean_iou,
            "gain": after.mean_iou - before.mean_iou,
            "pixel_accuracy_before": before.pixel_accuracy,
            "pixel_accuracy": after.pixel_accuracy,
            "notes": list(model.card.training.notes),
        }
        shown = f"mean IoU {before.mean_iou:.3f} -> {after.mean_iou:.3f} in {steps} steps"
        print(f"{name}: {shown}", file=sys.stderr, flush=True)
        return Shown(name, numbers, pictures)

    def _seconds_a_step(self, name: str) -> float:
        """CPU seconds that a step takes; kept, so that a study that goes on has the same number of steps."""
        kept = self._out / f"{name}.seconds_a_step"
        if not kept.exists():
            kept.write_text(repr(_probe(_plan(name, _PROBED_STEPS, self._out / name))), encoding="utf-8")
        return float(kept.read_text(encoding="utf-8"))

    def _scores(self, url: Path, picks: Sequence[StylePick]) -> tuple[Scores, list[Image]]:
        renderer = SceneRenderer(open_model(str(url)), picks if _has_bank(url) else [], seed=0)
        made, real = (Tally(self._judge.catalog, self._judge.ignored) for _ in range(2))
        pictures = []
        for scene, photograph, (image,) in render_scenes(renderer, self._held_out, self._keys, self._judge):
            found = self._judge.predict(torch.stack([torch.from_numpy(i) for i in (image, photograph)]).numpy())
            made.add(found[0], scene.labels)
            real.add(found[1], scene.labels)
            pictures.append(image)
        self._real = real.scores()
        return made.scores(), pictures

    @property
    def _keys(self) -> list[str]:
        return list(self._held_out.keys())[: self._measured]

    def keep(self, shown: Sequence[Shown], results: Path, sheet: Path) -> None:
        """The numbers and the picture, beside those of an earlier run for families that this one did not make."""
        assert self._real is not None
        columns = _columns(self._sheet(shown))
        first, made = columns[:_FIRST], dict(zip((one.name for one in shown), columns[_FIRST:], strict=True))
        numbers_of = {one.name: one.numbers for one in shown}
        for one, column in _earlier(results / "families.json", sheet, self._seconds, columns[0].shape[0]):
            made.setdefault(one["family"], column)
            numbers_of.setdefault(one["family"], one)
        origin = provenance() | {"command": f"python studies/families.py --seconds {self._seconds:g}"}
        numbers = {
            "study": "families",
            "kind": "families",
            "size": SIZE,
            "cpu_seconds_a_family": self._seconds,
            "scenes": SCENES,
            "measured": len(self._keys),
            "margin": MARGIN,
            "real": {"mean_iou": self._real.mean_iou, "pixel_accuracy": self._real.pixel_accuracy},
            "families": [numbers_of[name] for name in FAMILIES if name in numbers_of],
            "provenance": origin,
        }
        results.mkdir(parents=True, exist_ok=True)
        (results / "families.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
        rest = [made[name] for name in FAMILIES if name in made]
        sheet.write_bytes(encode_jpeg(np.hstack([*first, *rest, columns[0][:, :_GAP]]), 88))

    def _sheet(self, shown: Sequence[Shown]) -> Image:
        rows = []
        for number in _spread(len(self._keys), 6):
            scene, photograph = self._held_out.read(self._keys[number], self._judge.resolution)
            assert photograph is not None
            rendered = [one.pictures[number] for one in shown]
            rows.append([scene.catalog.palette[scene.labels], photograph, *rendered])
        headings = ["label map", "its image", *(one.name for one in shown)]
        return contact_sheet(rows, headings=headings, cell_width=_CELL)


def _columns(sheet: Image) -> list[Image]:
    """A contact sheet cut into its columns, each with the gap before it."""
    step = _CELL + _GAP
    return [sheet[:, x : x + step] for x in range(0, sheet.shape[1] - step, step)]


def _earlier(numbers: Path, sheet: Path, seconds: float, height: int) -> list[tuple[dict[str, Any], Image]]:
    """What an earlier run of the same budget kept: the numbers of each family and its column of the sheet."""
    if not numbers.exists() or not sheet.exists():
        return []
    kept, picture = json.loads(numbers.read_text(encoding="utf-8")), cv2.imread(str(sheet))
    if kept["cpu_seconds_a_family"] != seconds or picture is None or picture.shape[0] != height:
        return []
    columns = _columns(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))[_FIRST:]
    return list(zip(kept["families"], columns, strict=False))


def _plan(name: str, steps: int, output: Path) -> TrainingPlan:
    config = "streetscapes" if name == "pix2pixhd" else f"streetscapes_{name}"
    values: dict[str, object] = {
        "source.scenes": SCENES,
        "resolution": SIZE,
        "steps": steps,
        "workers": 1,
        "samples_every": steps,
        "checkpoints.every": max(1, steps // 2),
    }
    if name == "pix2pixhd":
        values["coarse"] = "null"
    if name in STARTS:
        values["model.start_grid"] = STARTS[name]
    overrides = [f"{key}={value}" for key, value in values.items()]
    return make_plan(load_train_config(config, overrides).value, str(output))


def _train(plan: TrainingPlan) -> None:
    """What `synthgen train` does, in this process: one thread for every family alike, and no cluster beside it."""
    directory = ModelDirectory(plan.job.output)
    if not directory.finished():
        train({"job": plan.job}, Worker())
    if not directory.store.exists(STYLES):
        model, source = open_model(plan.job.output), plan.job.source.open()
        directory.write_styles(fit_styles(model, source, plan.config.styles, lambda done, total: None))


def _probe(plan: TrainingPlan) -> float:
    """CPU seconds of one step of training, the first left out."""
    job = plan.job
    state = TrainingState(job, torch.device("cpu"), Group(0, 1))
    reader = PairReader(job.source.open(), job.views, job.cache_bytes, FAMILIES[job.family].paired)
    rng = torch.Generator().manual_seed(0)
    batches = []
    for index in torch.randint(len(reader), (_PROBED_STEPS,), generator=rng).tolist():
        batches.append(to_batch([reader.pair(index)] * job.batch_size, state.device))
    state.train_step(batches[:1])
    began = time.process_time()
    for batch in batches[1:]:
        state.train_step([batch])
    return (time.process_time() - began) / (len(batches) - 1)


def _write_start(plan: TrainingPlan) -> None:
    """The family as its training begins, as a model."""
    job = plan.job
    state = TrainingState(job, torch.device("cpu"), Group(0, 1))
    summary = TrainingSummary(
        source={}, source_fingerprint="", pairs=0, steps=0, batch_size=0, seed=job.seed, precision="float32", losses={}
    )
    facts = ModelFacts(job.name, job.family, job.config, job.catalog, job.views.resolution, summary)
    generator = state.system.generator
    directory = ModelDirectory(job.output)
    directory.write(facts, generator, state.system.encoder)
    directory.write_styles(StyleBank(generator.style_kind, generator.style_dim))


def _has_bank(url: Path) -> bool:
    return bool(open_model(str(url)).style_bank().clusters)


def _spread(size: int, most: int) -> list[int]:
    count = min(size, most)
    return [round(i * (size - 1) / max(1, count - 1)) for i in range(count)]


if __name__ == "__main__":
    main()
