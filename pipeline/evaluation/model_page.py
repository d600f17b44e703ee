"""The page of `evaluate model`."""

from collections.abc import Sequence
from typing import Any

from label_editing.catalog import Catalog
from pipeline.evaluation.looks import color_distance
from pipeline.evaluation.model import ModelResult
from pipeline.evaluation.page_parts import (
    UNSEEN,
    agreement_plot,
    colors_of,
    confusion_table,
    fid_tiles,
    iou_plot,
    warnings,
)
from pipeline.evaluation.scene_measures import ShownScene
from pipeline.evaluation.terms import terms_section
from pipeline.report.html import three_digits
from pipeline.report.page import Color, Page, Plot, Section, Sheet, Shot, Table, Tile, Words
from pipeline.report.sheet import map_shot, photo_shot

_LOST = 0.9  # of the IoU on real images; what keeps more is not called lost
_NAMED = 3  # classes in the headline
_WORDS = ("segmentation network", "judge", "IoU", "agreement", "FID", "KID", "diversity", "held-out")


def model_page(name: str, result: ModelResult, catalog: Catalog, provenance: dict[str, Any]) -> Page:
    """Headline numbers, classes, looks, the sheet, and what was not measured."""
    sections = [
        Section("What it looks like", [*warnings(result.notes()), _sheet(result, catalog)]),
        Section("Is every class found again?", _class_blocks(result)),
        Section("All numbers", [_numbers(result), agreement_plot(result.agreements)]),
        Section("Which class is taken for which", [confusion_table(result.confusion, catalog, "the rendered image")]),
        Section("Colours and sharpness of surfaces", [_looks_table(result)]),
        terms_section(*_WORDS),
        Section(
            "How it was measured", [Words(_METHOD), *(Words(f"Not measured: {m}.") for m in result.not_measured())]
        ),
    ]
    lead = (
        f"Label maps of {result.faithfulness.num_scenes} held-out scenes were rendered by the model. The judge, a "
        "segmentation network trained on real images, then looked for the labels in the rendered images, and in the "
        "real images of the same scenes."
    )
    return Page(f"Model {name}", lead, _tiles(result), sections, provenance, _answer(result))


_METHOD = (
    "As in the pix2pixHD and SPADE papers: a segmentation network trained on real pairs is shown the rendered image, "
    "and its answer is compared with the label map that the image was made of. The same network on the real images is "
    "the bound of what can be had. There is one judge, and its scores are those of these scenes: small differences "
    "between models may be luck. FID and KID named segmenter are distances in that network's own features, and are "
    "not comparable with published ones, which use Inception; the FID between two halves of the real images says how "
    "much sampling alone gives. Diversity is built like LPIPS in the same features. Outlines met are the share of "
    "instance outlines, where they border on another class, near which the network finds a boundary. Seconds and "
    "memory are those of one image at this size; on a CPU seconds of all its cores together, and the memory "
    "of tensors without weights."
)


def _answer(result: ModelResult) -> str:
    """What a reader in a hurry takes along."""
    found = result.faithfulness
    if found.share is None:
        return "Nothing can be said of this model: the judge finds no class in the real images either."
    said = (
        f"In the rendered images a network trained on real images reaches {found.share_text} of the mean IoU that it "
        f"has on the real images of the same scenes ({found.rendered.mean_iou:.0%} against {found.real.mean_iou:.0%})."
    )
    known = [name for name, iou in found.real.class_iou.items() if iou >= UNSEEN]
    kept = {name: found.rendered.class_iou[name] / found.real.class_iou[name] for name in known}
    ranked = sorted(known, key=lambda name: -kept[name])
    lost = [name for name in ranked[::-1] if kept[name] < _LOST][:_NAMED]
    if len(ranked) >= 2 * _NAMED:
        said += f" Best kept: {', '.join(ranked[:_NAMED])}; most lost: {', '.join(lost) or 'none'}."
    unknown = len(found.real.class_iou) - len(known)
    if unknown:
        said += (
            f" Of {unknown} of the {len(found.real.class_iou)} classes nothing can be said: "
            f"the judge does not find {'it' if unknown == 1 else 'them'} in real images either."
        )
    return said


def _tiles(result: ModelResult) -> list[Tile]:
    found = result.faithfulness
    tiles = [
        Tile("mean IoU, rendered", f"{found.rendered.mean_iou:.1%}", f"on real images: {found.real.mean_iou:.1%}"),
        Tile(
            "pixels found again, rendered",
            f"{found.rendered.pixel_accuracy:.1%}",
            f"on real images: {found.real.pixel_accuracy:.1%}",
        ),
    ]
    tiles += fid_tiles(result.distances, result.inception)
    cost = result.cost
    tiles.append(Tile("seconds an image", f"{cost.seconds_an_image:.2g}", f"{cost.parameters / 1e6:.1f} M parameters"))
    return tiles


def _numbers(result: ModelResult) -> Table:
    found = result.faithfulness
    rows = [
        ["mean IoU", f"{found.rendered.mean_iou:.1%}", f"{found.real.mean_iou:.1%}"],
        ["pixels found again", f"{found.rendered.pixel_accuracy:.1%}", f"{found.real.pixel_accuracy:.1%}"],
    ]
    if result.boundary_agreement is not None:
        rows.append(["instance outlines met", *(f"{share:.1%}" for share in result.boundary_agreement)])
    for far, network in ((result.distances, "segmenter"), (result.inception, "Inception")):
        if far is not None:
            rows.append(
                [f"FID to real images ({network})", three_digits(far.fid), three_digits(far.fid_of_real_halves)]
            )
            rows.append([f"KID to real images ({network})", f"{far.kid:.3f}", ""])
    for value, network in ((result.diversity, "segmenter"), (result.diversity_lpips, "LPIPS, AlexNet")):
        if value is not None:
            rows.append([f"diversity ({network})", three_digits(value), ""])
    rows.append(["seconds an image", f"{result.cost.seconds_an_image:.2g}", ""])
    rows.append(["MB of tensors at most", f"{result.cost.peak_memory_mb:.0f}", ""])
    note = "Real: the same measured on the real images; of FID, between two halves of them."
    return Table(("measure", "rendered", "real"), rows, note=note)


def _class_blocks(result: ModelResult) -> list[Plot | Table]:
    rendered, real = result.faithfulness.rendered, result.faithfulness.real
    names = sorted(real.class_iou, key=lambda name: -real.class_iou[name])
    rows = [
        [name, *(f"{v[name]:.1%}" for v in (rendered.class_iou, real.class_iou, rendered.class_accuracy))]
        for name in names
    ]
    rows.append(["mean IoU", f"{rendered.mean_iou:.1%}", f"{real.mean_iou:.1%}", ""])
    each = {"rendered": rendered.class_iou, "real": real.class_iou}
    headings = ("class", "IoU rendered", "IoU real", "pixels found, rendered")
    return [
        iou_plot(names, each, " in both", "IoU by class"),
        Table(headings, rows, strong=(len(names),)),
    ]


def map_colors(result: ModelResult, catalog: Catalog) -> dict[str, str]:
    """What the colours of the label maps on the sheet mean."""
    maps = [picture for shown in result.shown for picture in (shown.labels, shown.found)]
    return colors_of(catalog, result.faithfulness.real.class_iou, maps)


def _sheet(result: ModelResult, catalog: Catalog) -> Sheet:
    rows = [(f"{shown.key}: agreement {shown.agreement:.0%}", _shots(shown)) for shown in result.shown]
    note = "Scenes from all over those measured. Found again: what the judge sees in the rendered image."
    return Sheet(rows, note, map_colors(result, catalog))


def _shots(shown: ShownScene) -> Sequence[Shot]:
    rendered = [
        photo_shot(image, name) for image, name in zip(shown.rendered, ("rendered", "another style"), strict=False)
    ]
    photograph, found = photo_shot(shown.real, "photograph"), map_shot(shown.found, "found again")
    return [map_shot(shown.labels, "label map"), *rendered, photograph, found]


def _looks_table(result: ModelResult) -> Table:
    rows = []
    for name, (rendered, real) in sorted(result.looks.items(), key=lambda item: -item[1][1].pixels):
        colors = [Color.of(look.color) for look in (rendered, real)]
        sharp = f"{rendered.sharpness / real.sharpness:.0%}" if real.sharpness else "-"
        rows.append([name, *colors, f"{color_distance(rendered, real):.0f}", sharp])
    return Table(
        ("class", "colour rendered", "colour real", "difference", "sharpness"),
        rows,
        note="Colours are means, red, green and blue from 0 to 255, their difference is in the same grey levels. "
        "Sharpness is the mean magnitude of the Laplacian, as a share of that of the real images: low where textures "
        "are smooth.",
    )
