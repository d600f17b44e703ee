"""The page of `evaluate judge`."""

from collections.abc import Sequence
from typing import Any

from pipeline.evaluation.judge import Judge, JudgeSettings
from pipeline.evaluation.judge_result import JudgeResult
from pipeline.evaluation.networks import SMALL
from pipeline.evaluation.page_parts import UNSEEN, agreement_plot, colors_of, confusion_table, iou_plot, warnings
from pipeline.evaluation.terms import terms_section
from pipeline.report.page import Page, Plot, Section, Sheet, Table, Tile, Words
from pipeline.report.sheet import map_shot, photo_shot
from pipeline.sources.base import Source
from pipeline.sources.selection import keys_with_images

_TERMS = ("segmentation network", "judge", "IoU", "agreement", "held-out")
_METHOD = (
    "The network names a class for every pixel of each held-out photograph, and its answer is compared with the label "
    "map. Classes that occur in none of these label maps are left out of the means."
)
_ONE_TRAINING = "There is one training of one seed: another seed would come out a little different."


def judge_page(
    name: str,
    result: JudgeResult,
    judge: Judge,
    settings: JudgeSettings | None,
    learned: Source,
    held_out: Source,
    provenance: dict[str, Any],
) -> Page:
    """How far its opinion can be trusted: class by class, best and worst scenes, what it confuses.

    Without settings it is a published network.
    """
    worst, best = result.extremes()
    sections = [
        Section("Which classes does it know?", [*warnings(result.notes), *_classes(result)]),
        Section("Worst scenes, by agreement", [_sheet(worst, result, held_out, judge)]),
    ]
    if best:
        sections.append(Section("Best scenes, by agreement", [_sheet(best, result, held_out, judge)]))
    sections += [
        Section("Which class is taken for which", [confusion_table(result.confusion, judge.catalog, "the photograph")]),
        Section("Scene by scene", [agreement_plot(result.agreements)]),
        terms_section(*_TERMS),
        Section("How it was measured", _how(judge, settings)),
    ]
    origin = "The judge is a published network. It"
    if settings is not None:
        pairs, drawn = len(keys_with_images(learned)), settings.steps * settings.batch_size
        few = f"{drawn} pictures, drawn among " if drawn < pairs else ""
        origin = f"The judge learned from {few}{pairs} real pairs, and"
    lead = f"{origin} was shown the photographs of {len(result.agreements)} held-out scenes."
    return Page(f"Judge of {name}", lead, _tiles(result), sections, provenance, _answer(result))


def _answer(result: JudgeResult) -> str:
    """What a reader in a hurry takes along."""
    said = (
        f"In held-out photographs the judge finds {result.scores.pixel_accuracy:.0%} of the labelled pixels "
        f"again, with a mean IoU of {result.scores.mean_iou:.0%}."
    )
    blind = [name for name, iou in result.scores.class_iou.items() if iou < UNSEEN]
    if blind:
        said += f" Of {', '.join(blind)} it can say nothing: it does not find {'it' if len(blind) == 1 else 'them'}."
    return said


def _tiles(result: JudgeResult) -> list[Tile]:
    scores = result.scores
    classes = len(scores.class_iou)
    known = sum(iou >= UNSEEN for iou in scores.class_iou.values())
    return [
        Tile("mean IoU", f"{scores.mean_iou:.1%}", f"of {classes} classes"),
        Tile("pixels found again", f"{scores.pixel_accuracy:.1%}", f"of {len(result.agreements)} scenes"),
        Tile("classes it finds", f"{known} of {classes}", "with an IoU of 1% or more"),
    ]


def _classes(result: JudgeResult) -> list[Plot | Table]:
    scores = result.scores
    names = sorted(scores.class_iou, key=lambda name: -scores.class_iou[name])
    rows = [[name, f"{scores.class_iou[name]:.1%}", f"{scores.class_accuracy[name]:.1%}"] for name in names]
    rows.append(["mean IoU", f"{scores.mean_iou:.1%}", ""])
    left_out = f"Occur in no label map, and left out: {', '.join(scores.absent)}." if scores.absent else ""
    return [
        iou_plot(names, {"photographs": scores.class_iou}, "", "IoU by class"),
        Table(("class", "IoU", "pixels found"), rows, strong=(len(names),), note=left_out),
    ]


def _sheet(keys: Sequence[str], result: JudgeResult, held_out: Source, judge: Judge) -> Sheet:
    catalog, rows, maps = judge.catalog, [], []
    for key in keys:
        scene, image = held_out.read(key, judge.resolution)
        assert image is not None  # it was measured
        [found] = judge.predict(image[None])
        labels, seen = catalog.palette[scene.labels], catalog.palette[catalog.id_of[found]]
        maps += [labels, seen]
        shots = [
            map_shot(labels, "label map"),
            map_shot(seen, "what the judge sees"),
            photo_shot(image, "photograph"),  # last: on a phone it is as wide as both
        ]
        rows.append((f"{key}: agreement {result.agreements[key]:.0%}", shots))
    return Sheet(rows, colors=colors_of(catalog, result.scores.class_iou, maps))


def _how(judge: Judge, settings: JudgeSettings | None) -> list[Words | Table]:
    if settings is None:
        return [Words(_METHOD)]
    width = f", width {settings.width}" if settings.segmenter == SMALL else ""
    rows = [
        ["network", f"{settings.segmenter}{width}"],
        ["size of images", str(judge.resolution)],
        ["steps", f"{settings.steps} of {settings.batch_size} images"],
        ["seed", str(settings.seed)],
        ["known as", judge.fingerprint],
    ]
    return [Words(f"{_METHOD} {_ONE_TRAINING}"), Table(("the judge", ""), rows)]
