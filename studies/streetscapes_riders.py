"""Night scenes with rare riders, in the procedural street world: 2 cores, about 20 minutes.

    python studies/streetscapes_riders.py
    python studies/streetscapes_riders.py --set teacher_steps=600 --set surprise=1.5 --called NAME

The real data are day streets with few at night; a generator learns from all of it, night as often as day; day streets
get riders and are rendered as night; four ways of training one segmentation network are compared on held-out streets,
by hour. Run again, it goes on where it stopped. With a teacher the generator learns from a segmentation network, too,
and with a surprise labels that an image does not show are not taught, as in the study of CamVid's dusk.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

from steps import (
    ARMS,
    RESULTS,
    add_variations,
    folder_of,
    keep_result,
    name_of,
    parsed,
    place_of,
    said_of,
    sets,
    synthgen,
    teacher,
    varied,
)

HERE = Path(__file__).resolve().parent


class Budget(NamedTuple):
    """How much is spent."""

    resolution: str
    scenes: int
    held_out: int
    generator_steps: int
    teacher_steps: int  # of the segmentation network that the generator learns from; 0: from none
    surprise: float  # beyond which a label is not taught, in terms of what is usual; 0: every label is
    samples: int
    share: float  # of the pairs of a batch that are synthetic, pasted into or exposed anew
    segmenter_steps: int
    judge_steps: int
    batch_size: int
    width: int
    seeds: int


BUDGETS = {
    "tiny": Budget("64x32", 8, 4, 2, 2, 1.5, 2, 0.3, 1, 2, 2, 4, 2),
    "small": Budget("256x128", 120, 80, 1200, 0, 0.0, 160, 0.3, 300, 300, 8, 16, 3),
    "full": Budget("512x256", 400, 200, 8000, 2000, 1.5, 800, 0.3, 2000, 2000, 8, 32, 5),
}
WORKERS = 2  # segmentation networks trained at a time
# Nine of ten by day: a time given twice is drawn twice as often.
HOURS = "times_of_day: [day, day, day, day, day, day, day, day, day, night]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/streetscapes_riders"), help="where everything is made")
    parser.add_argument("--budget", choices=BUDGETS, default="small")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the numbers are kept")
    parser.add_argument("--arm", action="append", choices=ARMS, help="only these of the comparison")
    add_variations(parser)
    run(parsed(parser))


def run(arguments: argparse.Namespace) -> None:
    """Train, render, evaluate."""
    out, budget = arguments.out.resolve(), varied(BUDGETS[arguments.budget], arguments.set)
    place = place_of(out, arguments.called)
    judges = out / "judges"
    made_of = [budget.resolution, budget.scenes, budget.generator_steps]
    if budget.teacher_steps:
        made_of += [budget.teacher_steps, budget.batch_size, budget.width]
    model = out / folder_of("generator", *made_of)
    made = place / "night_riders"
    real = f"{{format: streetscapes, scenes: {budget.scenes}, {HOURS}}}"
    held_out = f"{{format: streetscapes, split: val, scenes: {budget.held_out}, times_of_day: [day, night]}}"
    training: dict[str, object] = {
        "source": real,
        "resolution": budget.resolution,
        "data.balance": "time_of_day",
        "steps": budget.generator_steps,
    }
    if budget.teacher_steps:
        training["model.segmenter_weights"] = teacher(
            real, budget.resolution, budget.teacher_steps, budget.batch_size, budget.width, judges
        )
    synthgen("train", "--config", "streetscapes", "--output", str(model), *sets(training))
    recipe: dict[str, object] = {
        "source.scenes": budget.scenes,
        "model": model,
        "output.root": made,
        "samples": budget.samples,
    }
    if budget.surprise:
        recipe["quality.max_surprise"] = budget.surprise
        recipe["quality.judge_steps"] = budget.teacher_steps or budget.judge_steps
    synthgen("augment", "--recipe", str(HERE / "streetscapes_riders.yaml"), *sets(recipe))
    size = ["--resolution", budget.resolution]
    judge = ["--judge-steps", str(budget.judge_steps), "--judge-width", str(budget.width)]
    judge += ["--judges", str(judges)]
    synthgen("evaluate", "model", str(model), *judge, "--limit", "40", "--out", str(place / "model"))
    synthgen(
        *("evaluate", "dataset", str(made), "--real", real, "--by", "time_of_day"),
        *(*judge, *size, "--out", str(place / "dataset")),
    )
    taught = "seen" if budget.surprise else "all"
    synthetic = f"{{format: webdataset, root: '{made}', labels: {taught}}}"
    synthgen(
        *("evaluate", "downstream", "--name", "riders at night", "--synthetic", synthetic),
        *("--real", real, "--holdout", held_out, "--by", "time_of_day", *size),
        *("--steps", str(budget.segmenter_steps), "--seeds", str(budget.seeds)),
        *("--batch-size", str(budget.batch_size), "--width", str(budget.width), "--share", str(budget.share)),
        *("--out", str(place / "downstream"), "--workers", str(WORKERS)),
        *(option for arm in arguments.arm or ARMS for option in ("--arm", arm)),
    )
    settings = {
        "command": f"python studies/streetscapes_riders.py {said_of(arguments)}",
        "budget": arguments.budget,
        **budget._asdict(),
    }
    for part in ("model", "dataset", "downstream"):
        keep_result(f"{name_of('streetscapes_riders', arguments)}_{part}", place / part, arguments.results, settings)


if __name__ == "__main__":
    main()
