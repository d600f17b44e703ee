"""`synthgen sources`: which formats of data there are, and whether a source is what it says it is."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.options import Json, Quiet, Set, ShowProgress
from pipeline.console import Console, ProgressMode

if TYPE_CHECKING:
    from pipeline.sources import Source
    from pipeline.sources.check import CheckReport

app = typer.Typer(no_args_is_help=True, help="Look at what data can come from. Example: synthgen sources check")

_DEFAULT_FORMAT = "streetscapes"
_MOST_SHOWN = 20  # problems of one kind in the text; --json has all


@app.command("list")
def list_formats(as_json: Json = False) -> None:
    """Every format a source can have, with its options.

    Example: synthgen sources list
    """
    from pipeline.sources import SOURCES

    formats = {
        name: {
            "what": (config.__doc__ or "").strip().splitlines()[0],
            "options": {
                option: {"default": "required" if info.is_required() else info.get_default(call_default_factory=True),
                         "what": info.description or ""}
                for option, info in config.model_fields.items()
                if option != "format"
            },
        }
        for name, config in SOURCES.items()
    }  # fmt: skip
    Console(as_json=as_json).result("\n\n".join(_format_text(name, data) for name, data in formats.items()), formats)


@app.command("check")
def check(
    named: Annotated[
        str | None,
        typer.Argument(metavar="[SOURCE]", help="A YAML with `source:`, the block in braces, or a data set."),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="See `synthgen sources list`; streetscapes without any.")
    ] = None,
    root: Annotated[str | None, typer.Option("--root", metavar="URL", help="Folder or URL of the data.")] = None,
    split: Annotated[str | None, typer.Option("--split", help="Which part of it.")] = None,
    config: Annotated[
        str | None, typer.Option("--config", metavar="FILE", help="Check the source of this recipe or training config.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Read only so many scenes, evenly spread.")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="How many scenes are read at a time, here.")] = 4,
    address: Annotated[
        str | None, typer.Option("--address", metavar="URL", help="A running Ray cluster to read on instead.")
    ] = None,
    set_: Set = None,
    as_json: Json = False,
    quiet: Quiet = False,
    progress: ShowProgress = ProgressMode.AUTO,
) -> None:
    """Read a source whole or in part; report what is in it and all that is wrong. Exits 1 when something is.

    Other options of a format are given as `--set source.catalog=my_classes.yaml`.

    Example: synthgen sources check '{format: cityscapes, root: s3://team/cityscapes, split: val}' --limit 100

    Example: synthgen sources check --format cityscapes --root s3://team/cityscapes --split val
    """
    from pipeline.errors import InputError
    from pipeline.evaluation.named_source import source_named
    from pipeline.sources.check import check_source, on_cluster, on_threads
    from pipeline.sources.chosen import chosen_source, source_in_config

    overrides = set_ or []
    if named is not None:
        if any(given is not None for given in (config, format, root, split)) or overrides:
            raise InputError("SOURCE says all of the source; leave out --config, --format, --root, --split and --set")
        source = source_named(named)
    elif config is not None:
        if format is not None:
            raise InputError("--config says the format of the source; leave out --format")
        told = {"root": root, "split": split}
        overrides = [*(f"source.{name}={value}" for name, value in told.items() if value is not None), *overrides]
        source = source_in_config(config, overrides).open()
    else:
        for override in overrides:
            if not override.startswith("source."):
                raise InputError(f"--set {override}: only the source is read here; as in --set source.{override}")
        source = chosen_source(format or _DEFAULT_FORMAT, {"root": root, "split": split}, overrides).open()
    console = Console(as_json=as_json, quiet=quiet, mode=progress)
    total = min(limit or len(source.keys()), len(source.keys()))
    examined = on_threads(threads) if address is None else on_cluster(address)
    with console.progress("checking", total, "scenes") as shown:
        report = check_source(source, limit, examined, shown.advance)
    console.result(_report_text(source, report), report.as_dict())
    if not report.sound:
        raise typer.Exit(1)


def _format_text(name: str, data: dict[str, Any]) -> str:
    lines = [f"{name}: {data['what']}"]
    for option, told in data["options"].items():
        default = "" if told["default"] in ("required", None) else f" [{_shown(told['default'])}]"
        needed = " (required)" if told["default"] == "required" else ""
        lines.append(f"  {option}{default}{needed}  {told['what']}".rstrip())
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _report_text(source: "Source", report: "CheckReport") -> str:
    of = "" if report.read == report.scenes else f" of {report.scenes}"
    images = "no images" if not report.images else f"{report.images} with an image"
    lines = [f"{report.format}, split {report.split}: {report.read}{of} scenes read, {images}"]
    lines += [f"  size {width}x{height}: {count}" for (width, height), count in report.sizes.most_common(5)]
    for name, values in report.attributes.items():
        lines.append(f"  {name}: " + ", ".join(f"{value} {count}" for value, count in values.most_common(8)))
    lines += _class_lines(source, report)
    if report.all_void:
        shown = ", ".join(report.all_void[:_MOST_SHOWN]) + ", ..." * (len(report.all_void) > _MOST_SHOWN)
        which = "1 scene, which teaches" if len(report.all_void) == 1 else f"{len(report.all_void)} scenes, which teach"
        lines += ["", f"  nothing is labelled in {which} nothing: {shown}"]
    lines += _problem_lines(report)
    return "\n".join(lines)


def _class_lines(source: "Source", report: "CheckReport") -> list[str]:
    if not report.pixels:
        return []
    total = report.pixels.total()
    width = max(map(len, report.pixels))
    lines = ["", f"  {'class'.ljust(width)}   pixels   scenes  instances"]
    for name, pixels in report.pixels.most_common():
        objects = str(report.instances[name]) if name in report.instances else ""
        lines.append(f"  {name.ljust(width)} {pixels / total:8.3%} {report.scenes_with[name]:8} {objects:>10}".rstrip())
    absent = [spec.name for spec in source.catalog.classes if spec.name not in report.pixels and not spec.void]
    if absent:
        shown = ", ".join(absent[:_MOST_SHOWN]) + (
            f" and {len(absent) - _MOST_SHOWN} more" * (len(absent) > _MOST_SHOWN)
        )
        lines.append(f"  not in what was read: {shown}")
    return lines


def _problem_lines(report: "CheckReport") -> list[str]:
    if report.sound:
        return ["", "nothing is wrong"]
    unknown = [f"id {i}: {pixels} pixels" for i, pixels in report.unknown_ids.most_common()]
    unpaired = [f"{path}: {lacks}" for path, lacks in report.unpaired]
    lines = []
    for what, found in (("broken", [b for _, b in report.broken]), ("unpaired", unpaired), ("unknown ids", unknown)):
        if found:
            lines += ["", f"{what}: {len(found)}", *(f"  {line}" for line in found[:_MOST_SHOWN])]
        if len(found) > _MOST_SHOWN:
            lines.append(f"  and {len(found) - _MOST_SHOWN} more; --json lists all")
    return lines
