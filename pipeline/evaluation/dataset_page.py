"""The page of `evaluate dataset`."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Any

from pipeline.evaluation.dataset import DatasetResult
from pipeline.evaluation.judge import Judge
from pipeline.evaluation.likeness import EVERY
from pipeline.evaluation.looks import ClassLook
from pipeline.evaluation.page_parts import colors_of, fid_tiles, mean_share
from pipeline.evaluation.terms import terms_section
from pipeline.report.html import three_digits
from pipeline.report.page import Color, Page, Plot, Section, Sheet, Table, Tile, Words
from pipeline.report.plots import Bar, bars, histogram
from pipeline.report.sheet import map_shot, photo_shot
from pipeline.sources.base import Source

_PAIRS_LISTED = 12
_LEAST_SHARE = 0.1  # percent of pixels, or objects an image, below which a class is in the table alone
_TERMS = ("segmentation network", "judge", "agreement", "IoU", "FID", "KID")
_METHOD = (
    "A segmentation network trained on the real pairs looks at the images of the data set and at real ones. "
    "Agreement is the share of pixels on which it finds the label again. A network that was trained here has seen "
    "the real images in training, which flatters their side. FID and KID named segmenter are distances in its "
    "features, and not comparable with published ones, which use Inception; the FID between two halves of the "
    "real images says how much sampling alone gives. Near-duplicates have thumbnails of 32 x 16 pixels that "
    "differ by less than a twentieth of their contrast on average."
)


def dataset_page(name: str, result: DatasetResult, made: Source, judge: Judge, provenance: dict[str, Any]) -> Page:
    """Histograms, distances, agreement, duplicates, rejects, worst and best."""
    counted = result.made.scores.class_iou
    sections = [
        Section("What is in it", [_class_plot(result), *_instance_plot(result)]),
        Section("Do the images show their labels?", [_class_table(result), _agreement(result)]),
        Section("Best samples, by agreement", [_sheet(result.best, made, judge, counted)]),
        Section("Worst samples, by agreement", [_sheet(result.worst, made, judge, counted)]),
        Section("Which real images it looks like", [_likeness(result), *_surfaces(result)]),
        Section("Duplicates and rejects", _losses(result)),
        terms_section(*_TERMS),
        Section("How it was measured", [Words(_METHOD), *(Words(f"{note}.") for note in result.notes)]),
    ]
    lead = f"{len(result.made.keys)} images of the data set were looked at, and {len(result.real.keys)} real ones."
    return Page(f"Data set {name}", lead, _tiles(result), sections, provenance, _answer(result))


def _answer(result: DatasetResult) -> str:
    """What a reader in a hurry takes along."""
    made, real = (mean(side.agreements) for side in (result.made, result.real))
    said = (
        f"A segmentation network that was trained on real pairs finds {made:.0%} of the labels again in the images of "
        f"the data set, {real:.0%} in real images."
    )
    return " ".join(filter(None, (said, _nearest(result), _repeats(result))))


def _nearest(result: DatasetResult) -> str:
    """Which group of real images it looks like; nothing where there are no two to choose from."""
    groups = {group: likeness for group, likeness in result.likeness.items() if group != EVERY}
    if len(groups) < 2:
        return ""
    by_color = min(groups, key=lambda group: groups[group].color_distance)
    far = {group: likeness.distances.fid for group, likeness in groups.items() if likeness.distances is not None}
    said = f"They are nearest to the real images of {by_color} in their colours"
    if len(far) < len(groups):
        return f"{said}."
    by_features = min(far, key=lambda group: far[group])
    also = " and" if by_features == by_color else f", to those of {by_features}"
    return f"{said}{also} in what the judge sees."


def _repeats(result: DatasetResult) -> str:
    return f"Near repeats of another of them: {len(result.twins)}; of a real image: {len(result.copies)}."


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
    lines += [said] if (said := _absent(result)) else []
    lines.append(f"near-duplicates {len(result.twins)}, near copies of real images {len(result.copies)}")
    lines += [f"{count} rejected, {reason}" for reason, count in result.rejects.items()]
    return "\n".join([*lines, *result.notes])


def _tiles(result: DatasetResult) -> list[Tile]:
    tiles = [
        Tile(
            "mean agreement",
            mean_share(result.made.agreements),
            f"of real images: {mean_share(result.real.agreements)}",
        ),
        Tile(
            "mean IoU of the judge",
            f"{result.made.scores.mean_iou:.1%}",
            f"on real images: {result.real.scores.mean_iou:.1%}",
        ),
    ]
    tiles += fid_tiles(result.distances, result.inception)
    images = f"of {len(result.made.keys)} images"
    tiles.append(Tile("near-duplicates", str(len(result.twins)), images))
    tiles.append(Tile("near copies of real images", str(len(result.copies)), images))
    return [*tiles, Tile("rejects", str(sum(result.rejects.values())), "left out of the data set or redrawn")]


def _class_plot(result: DatasetResult) -> Plot:
    made, real = ({n: 100 * share for n, share in side.pixels.items()} for side in (result.made, result.real))
    return _beside(made, real, "Share of all pixels", 1, "%")


def _instance_plot(result: DatasetResult) -> list[Plot]:
    made, real = result.made.instances, result.real.instances
    if made is None or real is None or not (made or real):
        return []
    return [_beside(made, real, "Objects an image", 1)]


def _beside(made: Mapping[str, float], real: Mapping[str, float], title: str, digits: int, unit: str = "") -> Plot:
    most = {name: max(made.get(name, 0), real.get(name, 0)) for name in (*made, *real)}
    names = sorted((name for name in most if most[name] >= _LEAST_SHARE), key=lambda name: -most[name])
    series = {
        "data set": [Bar(made.get(name, 0.0)) for name in names],
        "real": [Bar(real.get(name, 0.0)) for name in names],
    }
    left_out = [name for name in most if name not in names]
    caption = f"Less than {_LEAST_SHARE:g}{unit}, and not drawn: {', '.join(left_out)}." if left_out else ""
    return Plot(bars(names, series, title, digits, unit), caption, title)


def _agreement(result: DatasetResult) -> Plot:
    series = {"data set": result.made.agreements, "real": result.real.agreements}
    drawn = histogram(series, "Agreement", "images of each set", "pixels found again, of an image")
    means = f"data set {mean_share(result.made.agreements)}, real {mean_share(result.real.agreements)}"
    return Plot(drawn, f"Means with their 95% intervals: {means}.", "Agreement, image by image")


def _class_table(result: DatasetResult) -> Table:
    made, real = result.made.scores, result.real.scores
    names = sorted({*made.class_iou, *real.class_iou}, key=lambda name: -real.class_iou.get(name, 0))
    rows = [
        [name, *(f"{s.class_iou[name]:.1%}" if name in s.class_iou else "absent" for s in (made, real))]
        for name in names
    ]
    rows.append(["mean IoU", f"{made.mean_iou:.1%}", f"{real.mean_iou:.1%}"])
    note = f"Means over the classes that occur on a side. {_absent(result)}".strip()
    return Table(("class", "IoU data set", "IoU real"), rows, strong=(len(names),), note=note)


def _absent(result: DatasetResult) -> str:
    """Which classes no mean is over."""
    both = [name for name in result.made.scores.absent if name in result.real.scores.absent]
    return f"Never occur on either, and left out: {', '.join(both)}." if both else ""


def _likeness(result: DatasetResult) -> Table:
    rows = []
    for group, likeness in result.likeness.items():
        far = likeness.distances
        features = ("-", "-") if far is None else (three_digits(far.fid), f"{far.kid:.3f}")
        color, sharp = f"{likeness.color_distance:.0f}", f"{likeness.sharpness_of_real:.0%}"
        rows.append([group, str(likeness.images), color, sharp, *features])
    headings = ("real images", "count", "colour distance", "sharpness", "FID (segmenter)", "KID (segmenter)")
    note = (
        "Colour distance: between the mean colours of a class, in grey levels, classes weighted by their pixels in the "
        "data set: less is nearer. Sharpness: mean magnitude of the Laplacian, as a share of that of the real images."
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


def _sheet(keys: Sequence[str], made: Source, judge: Judge, counted: Iterable[str]) -> Sheet:
    rows, maps = [], []
    for key in keys:
        scene, image = made.read(key, judge.resolution)
        assert image is not None  # evaluate_dataset has looked at it
        labels = made.catalog.palette[scene.labels]
        maps.append(labels)
        shots = [map_shot(labels, "label map"), photo_shot(image, "image")]
        rows.append((f"{key}: agreement {judge.agreement(image, scene.labels):.0%}", shots))
    return Sheet(rows, colors=colors_of(made.catalog, counted, maps))


def _losses(result: DatasetResult) -> list[Table | Words]:
    rows = [["near-duplicates within the data set", str(len(result.twins))]]
    rows.append(["near copies of real images", str(len(result.copies))])
    rows += [[reason, str(count)] for reason, count in result.rejects.items()]
    pairs = [("near-duplicate", pair) for pair in result.twin_keys()]
    pairs += [("copy of a real image", pair) for pair in result.copy_keys()]
    blocks: list[Table | Words] = [Table(("what", "samples"), rows)]
    if pairs:
        left = f"{len(pairs) - _PAIRS_LISTED} more in result.json." if len(pairs) > _PAIRS_LISTED else ""
        blocks.append(
            Table(("what", "sample", "like"), [[what, *pair] for what, pair in pairs[:_PAIRS_LISTED]], note=left)
        )
    return blocks
