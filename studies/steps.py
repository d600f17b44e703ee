"""What studies have in common: synthgen commands run one after the other, and their results kept.

Every command goes on where it stopped when it is run again, and so does a study.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STUDIES = Path(__file__).resolve().parent
RESULTS = STUDIES / "results"
# What the downstream studies compare.
ARMS = ("real", "real + synthetic", "real + copy-paste", "real + photometric")

_PARTS = ("share", "last_share", "coarse", "decay")  # of a budget, where it has them


def add_variations(parser: argparse.ArgumentParser) -> None:
    """Options of a study that tries another budget, and keeps its numbers beside those of the study itself."""
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a value of the budget")
    parser.add_argument("--called", default="", metavar="NAME", help="what its numbers are kept as")


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments; numbers of a variation never take the place of the study's own."""
    arguments = parser.parse_args()
    is_varied = any(getattr(arguments, option, None) for option in ("set", "recipe", "arm", "choose"))
    if is_varied != bool(arguments.called):
        parser.error("a variation is --set, --arm, --recipe or --choose, and --called NAME to keep its numbers as")
    if arguments.called and not re.fullmatch(r"[a-z0-9_]+", arguments.called):
        parser.error(f"--called {arguments.called}: small letters, digits and _ only: it becomes part of file names")
    return arguments


def place_of(out: Path, called: str) -> Path:
    """Where a study, or a variation of it, puts what it does not share with others."""
    return out / "variations" / called if called else out


def folder_of(what: str, *made_with: object) -> str:
    """A folder of its own for everything that is made in another way: nothing of other settings is taken for it."""
    return f"{what}-{hashlib.sha256(repr(made_with).encode()).hexdigest()[:8]}"


def varied(budget: Any, assignments: Sequence[str]) -> Any:
    """The budget with other values; the study ends where it has no such value."""
    for assignment in assignments:
        name, _, value = assignment.partition("=")
        try:
            known = budget._asdict()[name]
            budget = budget._replace(**{name: (float if known is None else type(known))(value)})
        except (KeyError, ValueError):
            sys.exit(f"error: --set {assignment}: expected NAME=VALUE, with one of {', '.join(budget._fields)}")
        if name in _PARTS and not 0 <= getattr(budget, name) <= 1:
            sys.exit(f"error: --set {assignment}: expected a part, from 0 to 1")
    return budget


def said_of(arguments: argparse.Namespace) -> str:
    """Budget and variation as they were asked for on the command line."""
    changes = "".join(f" --set {assignment}" for assignment in arguments.set)
    changes += "".join(f" --arm '{arm}'" for arm in getattr(arguments, "arm", None) or ())
    if getattr(arguments, "choose", False):
        changes += " --choose"
    if getattr(arguments, "recipe", None):
        recipe = arguments.recipe.resolve()
        root = STUDIES.parent
        changes += f" --recipe {recipe.relative_to(root) if recipe.is_relative_to(root) else arguments.recipe}"
    return f"--budget {arguments.budget}{changes}" + (f" --called {arguments.called}" if arguments.called else "")


def name_of(study: str, arguments: argparse.Namespace) -> str:
    """What the numbers of a study are kept as, without the part of it."""
    return "_".join(part for part in (study, arguments.budget, arguments.called) if part)


def synthgen(*arguments: str) -> None:
    """Run one command line; the study ends where it fails, with what it said."""
    _run(arguments, sys.stderr)


def answer(*arguments: str) -> Any:
    """Run one command line as `synthgen` does; what it says with --json."""
    return json.loads(_run((*arguments, "--json"), subprocess.PIPE))


def teacher(source: str, resolution: str, steps: int, batch_size: int, width: int, judges: Path) -> str:
    """The weights of a segmentation network that a generator can learn from.

    Of another seed than the judge that measures, whose opinion the generator must not be made to please.
    """
    taught = answer(
        *("evaluate", "judge", source, "--resolution", resolution, "--judges", str(judges), "--steps", str(steps)),
        *("--batch-size", str(batch_size), "--width", str(width), "--seed", "7"),
    )
    return str(taught["weights"])


def _run(arguments: Sequence[str], answer_to: Any) -> str:
    print("$ synthgen", " ".join(_shown(argument) for argument in arguments), file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", "pipeline.cli", *arguments], check=False, stdout=answer_to, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


def keep_result(name: str, folder: Path, keep_in: Path, settings: dict[str, Any]) -> Path:
    """Copy the numbers of an evaluation beside the studies, without lists that only the page needs."""
    numbers = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    _drop(numbers, ("confusion", "agreement", "looks", "shown", "pictures", "map_colors"))
    for folder_of_this_machine in ("root", "model"):
        numbers.pop(folder_of_this_machine, None)
    # The command of the evaluation holds folders of the machine it ran on; the study's own line makes it all again.
    numbers["provenance"]["command"] = settings["command"]
    kept = keep_in / f"{name}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"study": name, "settings": settings, **numbers}, indent=1, ensure_ascii=False)
    kept.write_text(text + "\n", encoding="utf-8")
    return kept


def _drop(numbers: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        numbers.pop(name, None)
    for inner in numbers.values():
        if isinstance(inner, dict):
            _drop(inner, names)


def sets(values: dict[str, object]) -> list[str]:
    """`--set` options."""
    return [f"--set={key}={value}" for key, value in values.items()]


def _shown(argument: str) -> str:
    return f"'{argument}'" if any(c in argument for c in " {}[]") else argument
