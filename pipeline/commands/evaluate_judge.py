"""`synthgen evaluate judge`: teach the segmentation network that judges, and say how good it is."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import Json, Quiet, ShowProgress, resolution_of
from pipeline.console import Console, ProgressMode

if TYPE_CHECKING:
    from pipeline.sources.base import Source


def judge(
    source: Annotated[str, typer.Argument(metavar="FILE|{...}", help="Real pairs to learn from.")],
    holdout: Annotated[
        str | None, typer.Option(metavar="FILE|{...}", help="Real pairs to measure it on; without it, it is not.")
    ] = None,
    resolution: Annotated[str, typer.Option(metavar="WxH", help="The size everything is read at.")] = "256x128",
    segmenter: Annotated[
        str, typer.Option(metavar="NAME", help="small, which generators learn from too, or segformer (-b0 to -b5).")
    ] = "small",
    steps: Annotated[int, typer.Option(min=1, help="How long it is trained.")] = 700,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = 8,
    width: Annotated[int, typer.Option(min=4, help="Base width of a small judge.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Of its first weights and of what it is shown.")] = 0,
    judges: Annotated[str, typer.Option(metavar="URL", help="Where trained judges are kept.")] = "runs/judges",
    classes: Annotated[str | None, typer.Option(metavar="FILE", help="A mapping where label spaces differ.")] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Where numbers and page go, with --holdout; runs/evaluations without it."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    progress: ShowProgress = ProgressMode.AUTO,
) -> None:
    """Teach a judge, the segmentation network of the other evaluations, and measure it on real pairs it has not seen.

    Generators can learn from a small one: train --set model.segmenter_weights=FILE. Their images are then judged by one
    of another seed, in the other evaluations and in recipes. A judge of the same settings that is kept already is
    opened, not trained again.

    Example: synthgen evaluate judge '{format: streetscapes, scenes: 60}'
    --holdout '{format: streetscapes, split: val, scenes: 20}'
    """
    from pipeline.errors import InputError
    from pipeline.evaluation.held_out import check_apart, check_pairs, note_of_copies
    from pipeline.evaluation.judge import WEIGHTS, JudgeSettings, check_teaches, judge_fingerprint, judge_for
    from pipeline.evaluation.judge_page import judge_page
    from pipeline.evaluation.judge_result import measure_judge
    from pipeline.evaluation.named_source import in_catalog_of, source_named
    from pipeline.evaluation.networks import SMALL, is_trained_here
    from pipeline.evaluation.provenance import provenance
    from pipeline.evaluation.results import place_for, write_results
    from pipeline.evaluation.tables import scores_table
    from pipeline.storage import Store

    console = Console(json, quiet, progress)
    size = resolution_of(resolution)
    settings = JudgeSettings(segmenter, steps, batch_size, width, seed)
    pairs = source_named(source)
    if out is not None and holdout is None:
        raise InputError("--out is where what was measured goes: give --holdout, the pairs to measure it on")
    learns = is_trained_here(segmenter)
    if learns:
        check_teaches(pairs)
    notes = []
    held_out = None if holdout is None else source_named(holdout)
    if held_out is not None:
        held_out = in_catalog_of(held_out, pairs.catalog, classes, "the held-out source")
        check_pairs(held_out)
        if learns:
            check_apart(pairs, held_out, size)
            place_for(out, "judge", _called(pairs, judge_fingerprint(pairs, size, settings)))
            if said := note_of_copies(pairs, held_out, size, console):
                console.warn(said)
                notes.append(said)
    cache = Store(judges)
    taught = judge_for(pairs, size, settings, cache, console)
    data: dict[str, object] = {"judge": taught.fingerprint}
    lines = [f"judge    {cache.place(taught.fingerprint)}"]
    if held_out is not None:
        place = place_for(out, "judge", _called(pairs, taught.fingerprint))
        found = measure_judge(taught, held_out, console, notes)
        name = pairs.catalog.name
        data |= {"name": name, "resolution": str(size), **found.as_data()}
        page = judge_page(name, found, taught, settings if learns else None, pairs, held_out, provenance())
        lines.append(f"{scores_table(found.scores)}\n{len(found.agreements)} held-out scenes")
        lines.append(write_results(place, "judge", data, page))
    if segmenter == SMALL:  # the kind that generators learn from
        data["weights"] = cache.place(f"{taught.fingerprint}/{WEIGHTS}")
        lines.append(f"weights  {data['weights']}")
    console.result("\n".join(lines), data)


def _called(learned: "Source", fingerprint: str) -> str:
    """What a judge's own result is called."""
    return f"{learned.catalog.name}-{fingerprint[:8]}"
