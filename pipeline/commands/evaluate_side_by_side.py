"""`synthgen evaluate compare`, `study` and `tally`: several results side by side, and what people prefer."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from pipeline.commands.options import Json, resolution_of

Results = Annotated[list[str], typer.Argument(metavar="DIR...", help="Folders that evaluate model or dataset wrote.")]


def compare(
    results: Results,
    out: Annotated[str | None, typer.Option(metavar="DIR", help="Where numbers and page go.")] = None,
    json: Json = False,
) -> None:
    """Several models, or several data sets, in one table: from the numbers of their own evaluations.

    Example: synthgen evaluate compare runs/evaluations/model-a runs/evaluations/model-b
    """
    from pipeline.console import Console
    from pipeline.evaluation.comparison import compare_page, compare_text, read_results, warnings_of
    from pipeline.evaluation.comparison_sheet import comparison_sheet, shared_scenes
    from pipeline.evaluation.provenance import provenance
    from pipeline.evaluation.results import place_for, write_results
    from pipeline.report.contact_sheet import encode_jpeg

    compared = read_results(results)
    data = compared.as_data()
    place = place_for(out, "compare", compared.kind)
    scenes = shared_scenes(compared.results, compared.stores)
    sheet = comparison_sheet(scenes)
    jpeg = None if sheet is None else encode_jpeg(sheet)
    page = compare_page(compared, provenance(), scenes)
    notes = warnings_of(compared)
    pictures = {"sheet.jpg": jpeg} if jpeg else None
    written = write_results(place, "compare", {"compared": data, "notes": notes}, page, pictures)
    Console(json).result(f"{compare_text(compared)}\n{written}", {"compared": data, "notes": notes})


def study(
    first: Annotated[
        str, typer.Argument(metavar="A", help="A data set, a YAML with `source:`, or the block in braces.")
    ],
    second: Annotated[str, typer.Argument(metavar="B", help="Likewise; of the same scenes where it has them.")],
    names: Annotated[
        str, typer.Option(metavar="A,B", help="What the results call them; nobody sees it before.")
    ] = "A,B",
    number: Annotated[int, typer.Option(min=1, help="How many pairs to ask about.")] = 30,
    seconds: Annotated[
        float | None, typer.Option(min=0.05, help="How long a pair is seen; without it, no limit.")
    ] = None,
    labels: Annotated[bool, typer.Option("--labels", help="Show the label map above each pair.")] = False,
    question: Annotated[str, typer.Option(help="What people are asked.")] = "Which looks more real?",
    resolution: Annotated[str, typer.Option(metavar="WxH", help="The size images are shown at.")] = "512x256",
    seed: Annotated[int, typer.Option(min=0, help="Of the scenes asked about.")] = 0,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page.")] = Path("study.html"),
) -> None:
    """A page for a blind A/B test: random order and sides, keyboard, answers as JSON, shares with intervals.

    Example: synthgen evaluate study runs/night_cars '{format: streetscapes}' --names rendered,real --seconds 1
    """
    from pipeline.console import Console
    from pipeline.errors import InputError
    from pipeline.evaluation.named_source import source_named
    from pipeline.evaluation.preference import draw_trials, study_page

    called = [name.strip() for name in names.split(",")]
    if len(called) != 2 or not all(called):
        raise InputError(f"--names: expected two names with a comma between them, found {names!r}")
    if called[0] == called[1]:
        raise InputError(f"--names: both are called {called[0]!r}; results could not tell them apart")
    size = resolution_of(resolution)
    sources = source_named(first), source_named(second)
    trials = draw_trials(*sources, number, size, seed, with_labels=labels)
    page = study_page((called[0], called[1]), trials, seed, seconds, question)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    if len(trials) < number:
        Console().note(f"{number} pairs were asked for; the two have {len(trials)}")
    Console().result(f"{len(trials)} pairs in {out}; add answers up with: synthgen evaluate tally answers*.json", {})


def tally(
    answers: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files that people saved from the page.")],
    json: Json = False,
) -> None:
    """Add up the answers of a preference study.

    Example: synthgen evaluate tally answers-1.json answers-2.json
    """
    from pipeline.console import Console
    from pipeline.evaluation.preference import tally_answers

    found = tally_answers([_answers(path) for path in answers])
    low, high = found["interval_of_first"]
    (first, share), (second, _) = found["preferred"].items()
    Console(json).result(
        f"{found['answers']} answers of {found['people']}: {first} {share:.0%} ({low:.0%} to {high:.0%}), "
        f"{second} {1 - share:.0%}: {found['verdict']}",
        found,
    )


def _answers(path: Path) -> dict[str, Any]:
    import json

    from pipeline.errors import InputError

    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    if not _is_answers(found):
        raise InputError(f"{path}: not the answers of a preference study, as its page saves them")
    return cast(dict[str, Any], found)


def _is_answers(found: object) -> bool:
    """Whether it holds two names that differ, and which of the two each answer prefers."""
    if not isinstance(found, dict) or not isinstance(names := found.get("names"), list):
        return False
    if len(names) != 2 or names[0] == names[1] or not all(isinstance(name, str) for name in names):
        return False
    answers = found.get("answers")
    return isinstance(answers, list) and all(
        isinstance(answer, dict) and answer.get("preferred") in (0, 1) for answer in answers
    )
