"""The page of `evaluate dataset`."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.evaluation.dataset import DatasetResult
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.likeness import EVERY
from pipeline.evaluation.looks import ClassLook
from pipeline.report.contact_sheet import contact_sheet, encode_jpeg
from pipeline.report.page import Color, Page, Picture, Plot, Section, Table, Words
from pipeline.report.plots import Bar, bars, histogram
from pipeline.sources.base import Source

_PAIRS_LISTED = 12
_METHOD = (
    "A segmentation network trained on the real pairs looks at the images of the data set and at real ones. Agreement "
    "is the share of pixels on which it finds the label again. FID and KID named segmenter are distances in its "
    "features, and not comparable with published ones, which use Inception; the FID between two halves of the real "
    "images says how much sampling alone gives. Near-duplicates have thumbnails of 32 x 16 pixels that differ by less "
    "than 3 grey levels on average."
)


def dataset_page(name: str, result: DatasetResult, made: Source, judge: Judge, provenance: dict[str, Any]) -> Page:
    """Histograms, distances, agreement, duplicates, rejects, worst and best."""
    sections = [
        Section("Classes", [_class_plot(result), *_instance_plot(result)]),
        Section("Agreement of images with their labels", [_agreement(result), _class_table(result)]),
        Section("Which real images it looks like", [_likeness(result), *_surfaces(result)]),
        Section(
            "Worst and best samples",
            [_sheet("Worst", result.worst, made, judge), _sheet("Best", result.best, made, judge)],
        ),
        Section("Duplicates and rejects", _losses(result)),
        Section("How it was measured", [Words(_METHOD), *(Words(f"{note}.") for note in result.notes)]),
    ]
    return Page(f"Data set {name}", _lead(result), _tiles(result), sections, provenance)


def _lead(result: DatasetResult) -> str:
    made, real = (sum(side.agreements) / len(side.agreements) for side in (result.made, result.real))
    said = (
        f"{len(result.made.keys)} images of the data set beside {len(result.real.keys)} real ones. A segmentation "
        f"network that was trained on real pairs finds {made:.0%} of their labels again, {real:.0%} in the real images."
    )
    groups = {group: likeness.color_distance for group, likeness in result.likeness.items() if group != EVERY}
    if groups:
        nearest = min(groups, key=lambda group: groups[group])
        said += f" In their colours they are nearest to the real images of {nearest}."
    return f"{said} {_repeats(result)}"


def _repeats(result: DatasetResult) -> str:
    if not result.twins and not result.copies:
        return "None is nearly another, or nearly one of the real images."
    return f"{len(result.twins)} are nearly another of them, {len(result.copies)} nearly one of the real images."


def dataset_text(result: DatasetResult) -> str:
    """The headline for a terminal."""
    made, real = result.made.as_data(), result.real.as_data()
    lines = [
        f"{'':24}{'data set':>10}{'real':>10}",
        f"{'images':24}{made['images']:>10}{real['images']:>10}",
        f"{'mean agreement':24}{made['agreement_mean']:>10.3f}{real['agreement_mean']:>10.3f}",
        f"{'mean IoU of the judge':24}{result.made.scores.mean_iou:>10.3f}{result.real.scores.mean_iou:>10.3f}",
    ]
    if result.distances is not None:
        floor = result.distances.fid_of_real_halves
        lines.append(f"fid_segmenter {result.distances.fid:.3g} (between two halves of the real images: {floor:.3g})")
    for group, likeness in list(result.likeness.items())[1:]:
        fid = "" if likeness.distances is None else f"fid_segmenter {likeness.distances.fid:.3g}, "
        lines.append(f"to real {group}: {fid}mean colours {likeness.color_distance:.1f} grey levels apart")
    lines.append(f"near-duplicates {len(result.twins)}, near copies of real images {len(result.copies)}")
    lines += [f"{count} rejected, {reason}" for reason, count in result.rejects.items()]
    return "\n".join([*lines, *result.notes])


def _tiles(result: DatasetResult) -> list[tuple[str, str]]:
    made, real = result.made.as_data(), result.real.as_data()
    tiles = [
        ("mean agreement", f"{made['agreement_mean']:.3f}"),
        ("of real images", f"{real['agreement_mean']:.3f}"),
        ("near-duplicates", str(len(result.twins))),
        ("copies of real images", str(len(result.copies))),
        ("rejects", str(sum(result.rejects.values()))),
    ]
    if result.distances is not None:
        tiles.append(("FID (segmenter)", f"{result.distances.fid:.3g}"))
        tiles.append(("FID of real halves", f"{result.distances.fid_of_real_halves:.3g}"))
        tiles.append(("KID (segmenter)", f"{result.distances.kid:.3g}"))
    if result.inception is not None:
        tiles += [
            ("FID (Inception)", f"{result.inception.fid:.1f}"),
            ("KID (Inception)", f"{result.inception.kid:.3g}"),
        ]
    return tiles


def _class_plot(result: DatasetResult) -> Plot:
    return _beside(result.made.pixels, result.real.pixels, 100, "Share of all pixels, in percent", 2)


def _instance_plot(result: DatasetResult) -> list[Plot]:
    if not result.made.instances and not result.real.instances:
        return []
    return [_beside(result.made.instances, result.real.instances, 1, "Objects an image", 2)]


def _beside(made: Mapping[str, float], real: Mapping[str, float], factor: float, caption: str, digits: int) -> Plot:
    names = sorted({*made, *real}, key=lambda name: -max(made.get(name, 0), real.get(name, 0)))
    series = {
        "data set": [Bar(factor * made.get(name, 0.0)) for name in names],
        "real": [Bar(factor * real.get(name, 0.0)) for name in names],
    }
    return Plot(bars(names, series, caption, digits), f"{caption}.")


def _agreement(result: DatasetResult) -> Plot:
    series = {"data set": result.made.agreements, "real": result.real.agreements}
    return Plot(histogram(series, "Agreement"), "Share of pixels found again, image by image, as shares of each set.")


def _class_table(result: DatasetResult) -> Table:
    made, real = result.made.scores, result.real.scores
    names = sorted({*made.class_iou, *real.class_iou}, key=lambda name: -real.class_iou.get(name, 0))
    rows = [
        [name, *(f"{s.class_iou[name]:.3f}" if name in s.class_iou else "absent" for s in (made, real))]
        for name in names
    ]
    rows.append(["mean IoU", f"{made.mean_iou:.3f}", f"{real.mean_iou:.3f}"])
    return Table(("class", "IoU data set", "IoU real"), rows, strong=(len(names),))


def _likeness(result: DatasetResult) -> Table:
    rows = []
    for group, likeness in result.likeness.items():
        far = likeness.distances
        features = ("-", "-") if far is None else (f"{far.fid:.3g}", f"{far.kid:.3g}")
        color, sharp = f"{likeness.color_distance:.1f}", f"{likeness.sharpness_of_real:.0%}"
        rows.append([group, str(likeness.images), color, sharp, *features])
    headings = ("real images", "count", "colour distance", "sharpness", "FID (segmenter)", "KID (segmenter)")
    note = (
        "Colour distance: between the mean colours of a class, in grey levels, classes weighted by their pixels in the "
        "data set. Sharpness: mean magnitude of the Laplacian, as a share of that of the real images."
    )
    return Table(headings, rows, note=note)


def _surfaces(result: DatasetResult) -> list[Table]:
    """The mean colour of each class, in the data set and in each group of real images."""
    names = sorted(result.made.looks, key=lambda name: -result.made.looks[name].pixels)
    looks = [result.made.looks, *(likeness.looks for likeness in result.likeness.values())]
    rows = [[name, *(_color(of_side.get(name)) for of_side in looks)] for name in names]
    return [Table(("mean colour", "data set", *(f"real, {group}" for group in result.likeness)), rows)]


def _color(look: ClassLook | None) -> str:
    return "-" if look is None else Color.of(look.color)


def _sheet(what: str, keys: Sequence[str], made: Source, judge: Judge) -> Picture:
    rows, captions = [], []
    for key in keys:
        scene, image = made.read(key, judge.resolution)
        assert image is not None  # evaluate_dataset has looked at it
        rows.append([made.catalog.palette[scene.labels], image])
        captions.append(f"{key}: agreement {judge.agreement(image, scene.labels):.2f}")
    width = min(480, max(200, judge.resolution.width))
    sheet = contact_sheet(rows, headings=(f"{what}: label map", "image"), captions=captions, cell_width=width)
    return Picture(encode_jpeg(sheet), f"{what} samples by agreement", f"{what} by agreement.")


def _losses(result: DatasetResult) -> list[Table | Words]:
    rows = [["near-duplicates within the data set", str(len(result.twins))]]
    rows.append(["near copies of real images", str(len(result.copies))])
    rows += [[reason, str(count)] for reason, count in result.rejects.items()]
    pairs = [("near-duplicate", pair) for pair in result.twin_keys()]
    pairs += [("copy of a real image", pair) for pair in result.copy_keys()]
    blocks: list[Table | Words] = [Table(("what", "samples"), rows)]
    if pairs:
        left = f"{len(pairs) - _PAIRS_LISTED} more in result.json." if len(pairs) > _PAIRS_LISTED else ""
        blocks.append(Table(("", "sample", "like"), [[what, *pair] for what, pair in pairs[:_PAIRS_LISTED]], note=left))
    return blocks
