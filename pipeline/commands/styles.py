"""`synthgen styles`: fit, show and tag the looks of a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.options import Address, Json, OutputFile, Quiet, ShowProgress
from pipeline.console import Console, ProgressMode

if TYPE_CHECKING:
    from label_editing.catalog import Catalog
    from pipeline.model_directory import OpenModel
    from pipeline.sources.base import Source
    from pipeline.styles.bank import Cluster, StyleBank

app = typer.Typer(no_args_is_help=True)
Model = Annotated[str, typer.Argument(metavar="MODEL", help="A model directory.")]
From = Annotated[
    str | None,
    typer.Option(
        "--source", metavar="SOURCE", help="Pairs to look at in place of those trained on: a file, or '{format: ...}'."
    ),
]
_MOST_VALUES = 3


@app.callback()
def _styles() -> None:
    """The looks a model has learnt: clusters per class, where they come from, names for them.

    Example: synthgen styles show runs/streetscapes
    """


@app.command()
def fit(
    model: Model,
    source: From = None,
    clusters: Annotated[int, typer.Option(min=1, max=1000, help="Looks per class at most.")] = 10,
    min_area: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the image a region needs to count; the paper's is 1/64.")
    ] = 1 / 64,
    max_images: Annotated[
        int | None, typer.Option(min=1, help="Images looked at, spread over the source; all without it.")
    ] = None,
    address: Address = None,
    progress: ShowProgress = ProgressMode.AUTO,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Find the looks of the training images anew, and replace the style bank. Tags are lost.

    Example: synthgen styles fit runs/streetscapes --clusters 20

    Example: synthgen styles fit models/imported --source '{format: cityscapes, root: data/cityscapes}'
    """
    from pipeline.model_directory import ModelDirectory, open_model
    from pipeline.passes import workers
    from pipeline.styles.of_model import fit_styles
    from pipeline.train_config import StyleConfig

    console = Console(json, quiet, progress)
    opened = open_model(model)
    settings = StyleConfig(clusters=clusters, min_area=min_area, max_images=max_images)
    looked_at = _source(opened, source)
    with workers(address) as cluster, console.progress("styles", None, "images") as images:
        bank = fit_styles(opened, looked_at, settings, lambda done, total: images.set(done, total), cluster)
    ModelDirectory(model).write_styles(bank)
    console.result(
        bank.said(),
        {"model": opened.url, "clusters": len(bank.clusters), "images": len(bank.image_keys)},
    )


@app.command()
def show(model: Model, out: OutputFile = None, source: From = None, quiet: Quiet = False, json: Json = False) -> None:
    """List the clusters of every class; with --out, also draw a contact sheet with crops of each.

    Example: synthgen styles show runs/streetscapes --out styles.png
    """
    from pipeline.model_directory import open_model

    console = Console(json, quiet)
    opened = open_model(model)
    bank = opened.style_bank()
    if out is not None:
        _draw_sheet(opened, bank, out, source)
        console.note(f"contact sheet: {out}")
    rows = [_described(cluster, opened.catalog) for cluster in bank.clusters]
    console.result(_table(rows) if rows else f"{bank.kind} styles; no clusters", {"kind": bank.kind, "clusters": rows})


@app.command()
def tag(
    model: Model,
    class_name: Annotated[
        str | None, typer.Argument(metavar="CLASS", help="A class of the catalog; `image` for looks of whole images.")
    ] = None,
    cluster: Annotated[
        int | None, typer.Argument(metavar="CLUSTER", min=0, help="The number of the cluster, as `show` lists it.")
    ] = None,
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAG", help="Its tags from now on.")] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="ATTRIBUTE", help="Instead: tag every cluster with what most of it comes from."),
    ] = None,
    share: Annotated[
        float, typer.Option(min=0.5, max=1, help="With --by: the share of its regions that must say the same.")
    ] = 0.8,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Name a cluster, so that recipes can pick it: `pick: {tag: taxi}`. With --by, name all of them by an attribute.

    Example: synthgen styles tag runs/streetscapes car 3 taxi

    Example: synthgen styles tag runs/streetscapes --by time_of_day
    """
    from pipeline.errors import InputError
    from pipeline.model_directory import ModelDirectory, open_model
    from pipeline.styles.tags import tag_by_attribute, tag_cluster

    opened = open_model(model)
    bank = opened.style_bank()
    try:
        if by is not None and class_name is None:
            changed = tag_by_attribute(bank, by, share)
        elif by is None and class_name is not None and cluster is not None and tags:
            changed = tag_cluster(bank, opened.catalog, class_name, cluster, tags)
        else:
            raise ValueError("expected CLASS CLUSTER TAG..., or --by ATTRIBUTE alone")
    except ValueError as error:
        raise InputError(str(error)) from None
    ModelDirectory(model).write_styles(changed)
    pairs = zip(bank.clusters, changed.clusters, strict=True)
    rows = [_described(after, opened.catalog) for before, after in pairs if after.tags != before.tags]
    lines = [f"{row['class']} {row['cluster']}: {', '.join(row['tags']) or 'no tags'}" for row in rows]
    Console(json, quiet).result("\n".join(lines) or "the tags are so already", {"changed": rows})


def _source(model: "OpenModel", said: str | None) -> "Source":
    from pipeline.errors import InputError
    from pipeline.evaluation.named_source import source_named
    from pipeline.evaluation.training_source import source_of

    if said is not None:
        return source_named(said)
    if not model.card.training.source:
        raise InputError(
            f"{model.url}: was imported, so nothing says what it was trained on; "
            "add --source '{format: cityscapes, root: DIR}', or another source of pairs"
        )
    return source_of(model)


def _draw_sheet(model: "OpenModel", bank: "StyleBank", out: Path, source: str | None) -> None:
    import cv2

    from pipeline.storage import Store
    from pipeline.styles.sheet import contact_sheet

    sheet = contact_sheet(bank, _source(model, source), model.catalog, model.resolution)
    encoded, png = cv2.imencode(".png", sheet[:, :, ::-1])
    assert encoded
    Store(str(out.parent)).write_atomic(out.name, png.tobytes())


def _described(cluster: "Cluster", catalog: "Catalog") -> dict[str, Any]:
    return {
        "class": catalog.with_id(cluster.class_id).name if cluster.class_id >= 0 else "image",
        "cluster": cluster.number,
        "regions": cluster.size,
        "attributes": {name: dict(counts) for name, counts in cluster.attributes.items()},
        "tags": list(cluster.tags),
        "centre": [round(float(value), 4) for value in cluster.centre[:8]],
    }


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'class':<16} {'cluster':>7} {'regions':>7}  from; tags"]
    for row in rows:
        origin = "; ".join(f"{name}: {_most(counts)}" for name, counts in row["attributes"].items())
        tags = f" [{', '.join(row['tags'])}]" if row["tags"] else ""
        lines.append(f"{row['class']:<16} {row['cluster']:>7} {row['regions']:>7}  {origin}{tags}")
    return "\n".join(lines)


def _most(counts: dict[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    more = ", ..." if len(ranked) > _MOST_VALUES else ""
    return ", ".join(f"{value} {count}" for value, count in ranked[:_MOST_VALUES]) + more
