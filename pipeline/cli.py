"""`synthgen`: the table of commands, and what a user sees when one of them fails."""

import importlib.util
import shlex
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module, metadata
from types import FrameType
from typing import Annotated, NamedTuple, NoReturn

import typer

from pipeline.errors import Interrupted, RunError, SynthgenError

_DEBUG = "--debug"
_interrupts: list[int] = []  # signals that came: libraries turn the exception that they raise into others


class Command(NamedTuple):
    """One line of the table: the name users type, where it lives, and what it is for."""

    name: str
    module: str
    attribute: str  # a function, or a typer app with commands of its own
    panel: str


COMMANDS = (
    Command("demo", "pipeline.commands.demo", "demo", "Start here"),
    Command("doctor", "pipeline.commands.doctor", "doctor", "Start here"),
    Command("train", "pipeline.commands.train", "train", "Make data"),
    Command("preview", "pipeline.commands.preview", "preview", "Make data"),
    Command("augment", "pipeline.commands.augment", "augment", "Make data"),
    Command("replay", "pipeline.commands.replay", "replay", "Make data"),
    Command("submit", "pipeline.commands.submit", "submit", "Make data"),
    Command("repair", "pipeline.commands.repair", "repair", "Make data"),
    Command("status", "pipeline.commands.status", "status", "Look at things"),
    Command("sources", "pipeline.commands.sources", "app", "Look at things"),
    Command("bank", "pipeline.commands.bank", "app", "Look at things"),
    Command("model", "pipeline.commands.model", "app", "Look at things"),
    Command("styles", "pipeline.commands.styles", "app", "Look at things"),
    Command("inspect", "pipeline.commands.inspect", "inspect", "Look at things"),
    Command("verify", "pipeline.commands.verify", "verify", "Look at things"),
    Command("evaluate", "pipeline.commands.evaluate", "app", "Look at things"),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"synthgen {metadata.version('synthgen')}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option(_DEBUG, help="Show tracebacks. May stand anywhere on the line.")] = False,
) -> None:
    """Synthetic image/label pairs for the scenes your segmentation data hardly shows.

    Example: synthgen train && synthgen augment --recipe night_cars
    """


def build_app() -> typer.Typer:
    """The command line, from the table above."""
    app = typer.Typer(
        name="synthgen",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for command in COMMANDS:
        if importlib.util.find_spec(command.module) is None:
            continue
        part = getattr(import_module(command.module), command.attribute)
        if isinstance(part, typer.Typer):
            app.add_typer(part, name=command.name, rich_help_panel=command.panel)
        else:
            app.command(command.name, rich_help_panel=command.panel)(part)
    return app


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command line and leave with its exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = _DEBUG in given
    for sent in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sent, _terminate)
    sys.exit(_run([a for a in given if a != _DEBUG], debug))


def _run(arguments: list[str], debug: bool) -> int:
    try:
        build_app()(args=arguments, prog_name="synthgen")
    except SystemExit as leaving:
        return _exit_code(leaving, arguments)
    except (Exception, KeyboardInterrupt) as error:
        return report_failure(KeyboardInterrupt() if _interrupts else error, debug, arguments)
    return 0


def _exit_code(leaving: SystemExit, arguments: Sequence[str]) -> int:
    # Typer turns Ctrl-C and a closed pipe into a bare exit; only the exception before it tells which.
    if isinstance(leaving.__context__, BrokenPipeError):
        return 0
    code = leaving.code if isinstance(leaving.code, int) else 0
    if code == Interrupted.exit_code or (code and _interrupts):
        return report_failure(KeyboardInterrupt(), debug=False, arguments=arguments)
    return code


def report_failure(error: BaseException, debug: bool, arguments: Sequence[str] = ()) -> int:
    """Say on stderr what went wrong, and return the exit code for it."""
    if debug:
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt):
        error = Interrupted(f"go on where it stopped with: {shlex.join(['synthgen', *arguments])}")
    if isinstance(error, ConnectionError) and not isinstance(error, SynthgenError):
        # Storage translates its own: what is left is a cluster that does not answer, or a Ray that does not start.
        error = RunError(f"no Ray to work on: {error}")
    if isinstance(error, SynthgenError):
        label = "interrupted" if isinstance(error, Interrupted) else "error"
        for line in str(error).splitlines() or [type(error).__name__]:
            print(line if line.startswith("  ") else f"{label}: {line}", file=sys.stderr)
        return error.exit_code
    first_line = (str(error).splitlines() or [""])[0]
    print(f"error: this is a bug in synthgen: {type(error).__name__}: {first_line}", file=sys.stderr)
    if not debug:
        print("Run the command again with --debug for the traceback, and report it.", file=sys.stderr)
    return 1


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    _interrupts.append(_signal)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
