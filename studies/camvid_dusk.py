"""Dusk on CamVid: does day data rendered as dusk help a segmentation network on real dusk frames?

    python studies/camvid_dusk.py --data CAMVID --budget small --workers 2    # 2 cores, two hours
    python studies/camvid_dusk.py --data CAMVID --budget card --workers 4    # a large GPU for some minutes
    python studies/camvid_dusk.py --data CAMVID --budget full                # a GPU for half a day

Sequence 0001TP was filmed at dusk; its last 20 frames are held out and measured beside the official day validation.
A generator learns from all other training pairs; day label maps are rendered as dusk; five ways of training one
segmentation network are compared. Run again, it goes on where it stopped.

With --choose, all is trained and measured within the training frames: choices made there owe nothing to the frames that
the study measures on.
"""

import argparse
from collections.abc import Iterator, Sequence
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
DUSK = "0001TP"
NUM_HELD_OUT = 20
NUM_TO_CHOOSE_ON = 14  # frames of every sequence
ARMS_OF_DUSK = (*ARMS, "real + synthetic + copy-paste")
GOAL = {"group": "dusk", "points": 3, "class": "car", "kept": "day", "lost": 0.5}


class Budget(NamedTuple):
    """How much is spent."""

    resolution: str  # the generator learns at
    measured: str  # scenes are rendered at, and segmented at
    generator_steps: int
    generator_batch: int
    generator_width: int
    teacher_steps: int  # of the segmentation network that the generator learns from; 0: from none
    teacher_width: int
    coarse: float  # share of them at half the size
    decay: float  # share of them over which the rates fall
    samples: int
    surprise: float  # beyond which a label is not taught, in terms of what is usual; 0: every label is
    share: float  # of the pairs of a batch that are synthetic, pasted into or exposed anew, at first
    last_share: float | None  # and in the end, where it changes
    segmenter_steps: int
    judge_steps: int
    batch_size: int
    width: int
    seeds: int


# What another generator comes of.
OF_GENERATOR = ("resolution", "generator_steps", "generator_batch", "generator_width", "coarse", "decay")
OF_TEACHER = ("teacher_steps", "teacher_width", "batch_size")
BUDGETS = {
    "tiny": Budget("64x48", "64x48", 2, 1, 8, 2, 4, 0.5, 0.5, 2, 1.5, 0.3, None, 1, 2, 2, 4, 2),
    # Half an hour of a core for the generator, the rest for segmentation networks: while they are not trained to their
    # end, every real pair that a synthetic one takes the place of costs more than any can give.
    "small": Budget("160x128", "160x120", 9000, 1, 24, 3000, 24, 0.3, 0.5, 305, 1.5, 0.25, None, 8000, 1500, 4, 16, 5),
    # Minutes of a large GPU, which these networks do not fill: several trainings at a time share it.
    "card": Budget("480x352", "480x352", 900, 8, 48, 600, 32, 0.6, 0.5, 610, 1.5, 0.3, None, 1200, 600, 8, 32, 3),
    "full": Budget("480x352", "480x352", 20_000, 8, 64, 3000, 48, 0.7, 0.5, 1220, 1.5, 0.3, None, 4000, 3000, 8, 48, 5),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="CamVid: train, trainannot, val, valannot")
    parser.add_argument("--out", type=Path, default=Path("runs/camvid_dusk"), help="where everything is made")
    parser.add_argument("--budget", choices=BUDGETS, default="small")
    parser.add_argument("--workers", type=int, default=1, help="segmentation networks trained at a time")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the numbers are kept")
    parser.add_argument("--recipe", type=Path, help="another recipe than camvid_dusk.yaml, for a variation")
    parser.add_argument("--arm", action="append", choices=ARMS_OF_DUSK, help="only these of the comparison")
    parser.add_argument("--choose", action="store_true", help="hold out and measure on training frames")
    add_variations(parser)
    run(parsed(parser))


def run(arguments: argparse.Namespace) -> None:
    """Split, train, render, evaluate."""
    out, budget = arguments.out.resolve(), varied(BUDGETS[arguments.budget], arguments.set)
    if arguments.choose:
        out /= "choose"
    place, frames = place_of(out, arguments.called), out / "frames"
    made = place / "dusk"
    split_frames(arguments.data.resolve(), frames, arguments.choose)
    model = train_generator(frames, out, budget)
    recipe = (arguments.recipe or HERE / "camvid_dusk.yaml").resolve()
    synthgen("augment", "--recipe", str(recipe), *sets(_recipe(frames, model, made, budget)))
    settings = {
        "command": f"python studies/camvid_dusk.py --data CAMVID {said_of(arguments)}",
        "budget": arguments.budget,
        **budget._asdict(),
        "goal": GOAL,
    }
    judges = out / "judges"
    arms = arguments.arm or ARMS_OF_DUSK
    for part in evaluate(frames, model, made, place, judges, budget, arms, arguments.workers):
        keep_result(f"{name_of('camvid_dusk', arguments)}_{part}", place / part, arguments.results, settings)


def split_frames(data: Path, frames: Path, choose: bool = False) -> None:
    """Links to the frames: `train` without the last dusk frames, `val` with them beside the official day frames.

    To choose on, `val` holds the last frames of every sequence that are left in `train`, and none of those.
    """
    training = sorted(path.stem for path in (data / "train").glob("*.jpg"))
    held_out = _last(training, DUSK, NUM_HELD_OUT)
    measured_day = sorted(path.stem for path in (data / "val").glob("*.jpg"))
    if choose:
        training = [stem for stem in training if stem not in held_out]
        sequences = {stem.partition("_")[0] for stem in training}
        held_out = frozenset().union(*(_last(training, sequence, NUM_TO_CHOOSE_ON) for sequence in sequences))
        measured_day = []
    for stem in training:
        _link(data, "train", stem, frames, "val" if stem in held_out else "train")
    for stem in measured_day:
        _link(data, "val", stem, frames, "val")


def _last(stems: Sequence[str], sequence: str, count: int) -> frozenset[str]:
    of_sequence = [stem for stem in stems if stem.startswith(sequence)]
    return frozenset(of_sequence[len(of_sequence) - min(count, len(of_sequence) // 2) :])


def train_generator(frames: Path, out: Path, budget: Budget) -> Path:
    """One generator on all pairs, dusk and day; its folder."""
    width = int(budget.resolution.split("x")[0]) * 11 // 10
    options = {
        "source": _source(frames, "train"),
        "resolution": budget.resolution,
        "data.load": f"{width}x{width * 3 // 4}",  # the shape of CamVid's frames
        "data.balance": "time_of_day",
        "workers": 1,
        "steps": budget.generator_steps,
        "batch_size": budget.generator_batch,
        "model.base_channels": budget.generator_width,
        "model.discriminator_channels": budget.generator_width,
        "decay": budget.decay,
        "coarse.share": budget.coarse,
        "samples_every": max(1, budget.generator_steps // 6),
        "checkpoints.every": max(1, budget.generator_steps // 9),
    }
    if budget.teacher_steps:
        options["model.segmenter_weights"] = teacher(
            *(_source(frames, "train"), budget.resolution, budget.teacher_steps, budget.batch_size),
            *(budget.teacher_width, out / "judges"),
        )
    counts = (*OF_GENERATOR, *(OF_TEACHER if budget.teacher_steps else ()))
    model = out / folder_of("generator", *(budget._asdict()[name] for name in counts))
    synthgen("train", "--config", "camvid", "--output", str(model), *sets(options))
    return model


def evaluate(
    frames: Path, model: Path, made: Path, out: Path, judges: Path, budget: Budget, arms: Sequence[str], workers: int
) -> Iterator[str]:
    """Does it help, is the data like the real data, is the model faithful? Each part's name when it is there."""
    size = ["--resolution", budget.measured]
    judge = ["--judge-steps", str(budget.judge_steps), "--judge-width", str(budget.width)]
    judge += ["--judges", str(judges)]
    taught = "seen" if budget.surprise else "all"
    synthetic = f"{{format: webdataset, root: '{made}', labels: {taught}}}"
    synthgen(
        *("evaluate", "downstream", "--name", "CamVid at dusk", "--synthetic", synthetic),
        *("--real", _source(frames, "train"), "--holdout", _source(frames, "val"), "--by", "time_of_day"),
        *(*size, "--steps", str(budget.segmenter_steps), "--seeds", str(budget.seeds)),
        *("--batch-size", str(budget.batch_size), "--width", str(budget.width), "--share", str(budget.share)),
        *(("--last-share", str(budget.last_share)) if budget.last_share is not None else ()),
        *("--out", str(out / "downstream"), "--workers", str(workers)),
        *(option for arm in arms for option in ("--arm", arm)),
    )
    yield "downstream"
    synthgen(
        *("evaluate", "dataset", str(made), "--real", _source(frames, "train"), "--by", "time_of_day"),
        *(*judge, *size, "--out", str(out / "dataset")),
    )
    yield "dataset"
    synthgen("evaluate", "model", str(model), *judge, "--limit", "60", "--out", str(out / "model"))
    yield "model"


def _recipe(frames: Path, model: Path, made: Path, budget: Budget) -> dict[str, object]:
    return {
        "source.root": frames,
        "model": model,
        "output.root": made,
        "resolution": budget.measured,
        "samples": budget.samples,
        "output.samples_per_shard": min(64, budget.samples),
        "quality.max_surprise": budget.surprise or "null",
        "quality.judge_steps": budget.teacher_steps or budget.judge_steps,
    }


def _source(frames: Path, split: str) -> str:
    return f"{{format: camvid, root: '{frames}', split: {split}, instances: components}}"


def _link(data: Path, split: str, stem: str, frames: Path, into: str) -> None:
    for folder, ending in (("", ".jpg"), ("annot", ".png")):
        link = frames / f"{into}{folder}" / f"{stem}{ending}"
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(data / f"{split}{folder}" / f"{stem}{ending}")


if __name__ == "__main__":
    main()
