"""The page of `evaluate model`."""

from collections.abc import Sequence
from typing import Any

from label_editing.catalog import Catalog
from pipeline.evaluation.model import ModelResult
from pipeline.report.contact_sheet import contact_sheet, encode_jpeg
from pipeline.report.page import Color, Page, Picture, Plot, Section, Table, Words
from pipeline.report.plots import Bar, bars, histogram

_HEADINGS = ("label map", "rendered", "another style", "photograph", "found again")


def model_page(name: str, result: ModelResult, catalog: Catalog, provenance: dict[str, Any]) -> Page:
    """Headline numbers, classes, looks, the sheet, and what was not measured."""
    sections = [
        Section("Is every class found again?", _class_blocks(result)),
        Section("What it looks like", [_sheet(result)]),
        Section("Surfaces", [_looks_table(result)]),
        Section("Which class is taken for which", [_confusion(result, catalog)]),
        Section(
            "How it was measured", [Words(_METHOD), *(Words(f"Not measured: {m}.") for m in result.not_measured())]
        ),
    ]
    lead = (
        f"Label maps of {result.faithfulness.num_scenes} held-out scenes, rendered and found again by a segmentation "
        f"network that was trained on real images: {result.faithfulness.share_text} of the mean IoU that it has on the "
        "real images of the same scenes."
    )
    return Page(f"Model {name}", lead, _tiles(result), sections, provenance)


_METHOD = (
    "As in the pix2pixHD and SPADE papers: a segmentation network trained on real pairs is shown the rendered image, "
    "and its answer is compared with the label map that the image was made of. The same network on the real images is "
    "the bound of what can be had. FID and KID named segmenter are distances in that network's own features, and are "
    "not comparable with published ones, which use Inception; the FID between two halves of the real images says how "
    "much sampling alone gives. Diversity is built like LPIPS in the same features. Boundary agreement is the share of "
    "instance outlines near which the network finds a boundary. Seconds and memory are those of one image at "
    "this size; on a CPU seconds of all its cores together, and the memory of tensors without weights."
)


def _tiles(result: ModelResult) -> list[tuple[str, str]]:
    found = result.faithfulness
    tiles = [
        ("mean IoU, rendered", f"{found.rendered.mean_iou:.3f}"),
        ("mean IoU, real", f"{found.real.mean_iou:.3f}"),
        ("pixel accuracy, rendered", f"{found.rendered.pixel_accuracy:.3f}"),
        ("pixel accuracy, real", f"{found.real.pixel_accuracy:.3f}"),
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
    if result.diversity is not None:
        tiles.append(("diversity (segmenter)", f"{result.diversity:.3f}"))
    if result.diversity_lpips is not None:
        tiles.append(("diversity (LPIPS, AlexNet)", f"{result.diversity_lpips:.3f}"))
    if result.boundary_agreement is not None:
        tiles.append(("outlines met (real)", "{:.2f} ({:.2f})".format(*result.boundary_agreement)))
    cost = result.cost
    tiles.append(("parameters", f"{cost.parameters / 1e6:.2f} M"))
    tiles.append(("seconds an image", f"{cost.seconds_an_image:.3g}"))
    tiles.append(("of tensors at most", f"{cost.peak_memory_mb:.0f} MB"))
    return tiles


def _class_blocks(result: ModelResult) -> list[Plot | Table]:
    rendered, real = result.faithfulness.rendered, result.faithfulness.real
    names = sorted(real.class_iou, key=lambda name: -real.class_iou[name])
    series = {
        "rendered": [Bar(rendered.class_iou[name]) for name in names],
        "real": [Bar(real.class_iou[name]) for name in names],
    }
    rows = [
        [name, *(f"{v[name]:.3f}" for v in (rendered.class_iou, real.class_iou, rendered.class_accuracy))]
        for name in names
    ]
    rows.append(["mean IoU", f"{rendered.mean_iou:.3f}", f"{real.mean_iou:.3f}", ""])
    rows.append(["pixel accuracy", f"{rendered.pixel_accuracy:.3f}", f"{real.pixel_accuracy:.3f}", ""])
    return [
        Plot(bars(names, series, "IoU by class"), "IoU by class, on rendered and on real images."),
        Table(("class", "IoU rendered", "IoU real", "accuracy rendered"), rows, strong=(len(names), len(names) + 1)),
        Plot(
            histogram({"scenes": list(result.agreements.values())}, "Agreement of scenes"),
            "Share of pixels found again, scene by scene.",
        ),
    ]


def _sheet(result: ModelResult) -> Picture:
    columns = len(result.shown[0].pictures)
    headings = _HEADINGS if columns == len(_HEADINGS) else (*_HEADINGS[:2], *_HEADINGS[3:])
    captions = [f"{shown.key}: agreement {shown.agreement:.2f}" for shown in result.shown]
    rows = [shown.pictures for shown in result.shown]
    sheet = contact_sheet(rows, headings=headings, captions=captions, cell_width=_cell_width(rows))
    return Picture(
        encode_jpeg(sheet), "Label maps with their rendered and real images", "The first scenes of the split."
    )


def _cell_width(rows: Sequence[Sequence[Any]]) -> int:
    return min(320, max(208, int(rows[0][0].shape[1])))


def _looks_table(result: ModelResult) -> Table:
    rows = []
    for name, (rendered, real) in sorted(result.looks.items(), key=lambda item: -item[1][1].pixels):
        colors = [Color.of(look.color) for look in (rendered, real)]
        rows.append([name, f"{rendered.sharpness:.1f}", f"{real.sharpness:.1f}", *colors])
    return Table(
        ("class", "sharpness rendered", "real", "mean colour rendered", "real"),
        rows,
        note="Sharpness is the mean magnitude of the Laplacian, in grey levels. Colours are red, green, blue.",
    )


def _confusion(result: ModelResult, catalog: Catalog) -> Table:
    names = [spec.name for spec in catalog.classes]
    occurring = [rank for rank, row in enumerate(result.confusion) if sum(row)]
    predicted = [k for k in range(len(names)) if any(result.confusion[rank][k] for rank in occurring)]
    shares = [[result.confusion[r][k] / sum(result.confusion[r]) for k in predicted] for r in occurring]
    return Table(
        ("true class", *(names[k] for k in predicted)),
        [[names[r], *(f"{share:.0%}" for share in row)] for r, row in zip(occurring, shares, strict=True)],
        shades=[[share * 0.8 for share in row] for row in shares],
        note="Rows: the class of the label map. Columns: what the network sees in the rendered image, in shares.",
    )
