"""`synthgen bank`: build and show the cut-outs that added objects are made of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.options import Address, Json, Quiet, Set
from pipeline.console import Console

if TYPE_CHECKING:
    from label_editing.instance_bank import InstanceBank
    from orchestration.cluster import ClusterInfo
    from pipeline.resolution import Resolution
    from pipeline.sources.base import Source
    from pipeline.storage import Store

app = typer.Typer(no_args_is_help=True)
Recipe = Annotated[str, typer.Option("--recipe", metavar="NAME|FILE", help="A recipe: a shipped name or a YAML file.")]
Cpus = Annotated[int | None, typer.Option("--cpus", min=1, help="CPUs to use on this machine; all without it.")]
BankOut = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="Where to write the bank; without it, where `augment` looks for it."),
]
Bank = Annotated[str, typer.Argument(metavar="BANK", help="A bank that `synthgen bank build` wrote.")]
SheetFolder = Annotated[
    Path | None, typer.Option("--out", metavar="FOLDER", help="Draw a contact sheet of each class into this folder.")
]


@app.callback()
def _bank() -> None:
    """Instance banks: whole objects cut out of a source's label maps, for add_instances to paste.

    Example: synthgen bank build --recipe night_cars
    """


@app.command()
def build(
    recipe: Recipe,
    set_: Set = None,
    out: BankOut = None,
    address: Address = None,
    cpus: Cpus = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Cut every whole object out of a recipe's source, in one parallel pass, and keep them as parquet.

    Example: synthgen bank build --recipe night_cars --out night_cars.parquet
    """
    from pipeline.instance_banks import bank_path
    from pipeline.recipe import load_recipe
    from pipeline.recipe_source import opened_source, reading_resolution
    from pipeline.shards import layout
    from pipeline.storage import Store

    console = Console(json, quiet)
    loaded = load_recipe(recipe, set_ or ())
    source, resolution = opened_source(loaded), reading_resolution(loaded.value)
    if out is None:
        store, path = Store(f"{loaded.value.output.root}/{layout.STATE}"), bank_path(source, resolution)
    else:
        store, path = _place(out)
    console.note(f"{len(source.keys())} scenes, at {resolution or 'their own size'}")
    bank = _build(source, resolution, store, path, address, cpus)
    rows = _described(bank)
    data = {"bank": store.place(path), "scenes": len(source.keys()), "classes": rows}
    console.result(f"{_table(rows)}\nwritten to {store.place(path)}", data)


@app.command()
def show(bank: Bank, out: SheetFolder = None, quiet: Quiet = False, json: Json = False) -> None:
    """List what a bank holds; with --out, also draw its cut-outs, a picture for each class.

    Example: synthgen bank show night_cars.parquet --out night_cars_bank
    """
    console = Console(json, quiet)
    opened = _opened(bank)
    if out is not None:
        _draw_sheets(opened, out)
        console.note(f"contact sheets: {out}")
    rows = _described(opened)
    console.result(_table(rows), {"bank": bank, "classes": rows})


def _opened(url: str) -> "InstanceBank":
    from pipeline.errors import InputError, MissingFileError
    from pipeline.instance_banks import read_bank

    try:
        return read_bank(*_place(url))
    except MissingFileError:
        raise InputError(f"{url}: no such bank; `synthgen bank build --recipe NAME --out {url}` makes one") from None


def _place(url: str) -> "tuple[Store, str]":
    from pipeline.storage import Store

    folder, _, name = url.rpartition("/")
    return Store(folder or "."), name


def _build(
    source: "Source", resolution: "Resolution | None", store: "Store", path: str, address: str | None, cpus: int | None
) -> "InstanceBank":
    """Built over the cluster, or here when it may use one CPU only."""
    from orchestration.cluster import connect, shutdown
    from pipeline.instance_banks import bank_to_parquet, build_bank

    store.check_writable()
    try:
        cluster: ClusterInfo | None = None if address is None and cpus == 1 else connect(address, cpus)
        built = build_bank(source, None, resolution, cluster)
    finally:
        shutdown()
    store.write_atomic(path, bank_to_parquet(built))
    return built


def _draw_sheets(bank: "InstanceBank", folder: Path) -> None:
    import cv2

    from pipeline.bank_sheet import class_sheet
    from pipeline.storage import Store

    store = Store(str(folder))
    for name in bank.class_names:
        encoded, png = cv2.imencode(".png", class_sheet(name, bank.entries(name))[:, :, ::-1])
        assert encoded
        store.write_atomic(f"{name.replace(' ', '_').replace('/', '_')}.png", png.tobytes())


def _described(bank: "InstanceBank") -> list[dict[str, Any]]:
    rows = []
    for name in bank.class_names:
        entries = bank.entries(name)
        heights = sorted(entry.height for entry in entries)
        rows.append(
            {
                "class": name,
                "cut_outs": len(entries),
                "scenes": len({entry.source_key for entry in entries}),
                "height_px": [heights[0], heights[len(heights) // 2], heights[-1]],
            }
        )
    return rows


def _table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "no whole objects"
    lines = [f"{'class':<16} {'cut-outs':>8} {'scenes':>7}  height in pixels: least, median, most"]
    for row in rows:
        least, median, most = row["height_px"]
        lines.append(f"{row['class']:<16} {row['cut_outs']:>8} {row['scenes']:>7}  {least}, {median}, {most}")
    return "\n".join(lines)
