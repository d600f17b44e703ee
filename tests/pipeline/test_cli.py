"""The command line as a user meets it: fast help, an example everywhere, one clear line on failure."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pytest
import typer

from pipeline.cli import COMMANDS, build_app, main, report_failure
from pipeline.configs import configs_folder
from pipeline.errors import ConfigError, InputError, Interrupted, RunError

HEAVY = ("torch", "ray", "numpy", "cv2", "pyarrow", "pydantic", "sklearn", "fsspec", "jinja2", "yaml")


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, (*path, name))


EVERY = dict(walk(typer.main.get_command(build_app())))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int | str | None, str, str]:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    out, err = capsys.readouterr()
    return left.value.code, out, err


def test_every_command_of_the_table_is_there() -> None:
    assert {c.name for c in COMMANDS} == {name for name in EVERY if name and " " not in name}


def test_building_the_command_line_imports_nothing_heavy() -> None:
    code = f"import sys, pipeline.cli; pipeline.cli.build_app(); print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_help_with_an_example_that_names_it(name: str) -> None:
    text = EVERY[name].help or ""
    assert text.split("\n")[0]
    assert f"Example: synthgen {name}".strip() in text


@pytest.mark.parametrize("name", [name for name, command in EVERY.items() if not hasattr(command, "commands")])
def test_every_option_says_what_it_is_for(name: str) -> None:
    silent = [p.name for p in EVERY[name].params if not getattr(p, "help", "")]
    assert silent == []


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"synthgen {version('synthgen')}\n", "")


def test_a_misspelt_command_exits_with_two_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "agument")
    assert (code, out) == (2, "")
    assert "agument" in err


def test_a_missing_model_names_the_command_that_makes_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model, out_root = f"model={tmp_path}/none", f"output.root={tmp_path}/out"
    code, out, err = run(capsys, "augment", "--recipe", "night_cars", "--set", model, "--set", out_root)
    assert (code, out) == (2, "")
    assert "synthgen train" in err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_recipe_is_told_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "augment", "--recipe", "nigth_cars")
    assert code == 2
    assert err.startswith(
        "error: no recipe 'nigth_cars': no such file here, and none of that name ships; did you mean 'night_cars'?"
    )


def test_a_config_of_another_command_is_told_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text((configs_folder() / "recipes" / "night_cars.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    training = tmp_path / "training.yaml"
    training.write_text((configs_folder() / "train" / "camvid.yaml").read_text(encoding="utf-8"), encoding="utf-8")

    def told(*arguments: str) -> str:
        code, out, err = run(capsys, *arguments)
        assert (code, out) == (2, "")
        return err.strip()

    other = "no such file here, and none of that name ships"
    assert told("train", "--config", "night_cars", "--dry-run") == (
        f"error: no training config 'night_cars': {other}; night_cars is a recipe, for "
        "`synthgen augment --recipe night_cars`"
    )
    assert told("augment", "--recipe", "camvid", "--dry-run") == (
        f"error: no recipe 'camvid': {other}; camvid is a training config, for `synthgen train --config camvid`"
    )
    assert told("train", "--config", str(recipe), "--dry-run") == (
        f"error: {recipe}:1:1: {recipe} is a recipe, for `synthgen augment --recipe {recipe}`"
    )
    assert told("augment", "--recipe", str(training), "--dry-run") == (
        f"error: {training}:1:1: {training} is a training config, for `synthgen train --config {training}`"
    )


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (InputError("no such thing"), 2, "error: no such thing\n"),
        (
            ConfigError(["a.yaml:1:1: first", "a.yaml:2:1: second"]),
            2,
            "error: a.yaml:1:1: first\nerror: a.yaml:2:1: second\n",
        ),
        (RunError("it broke; do this"), 1, "error: it broke; do this\n"),
        (Interrupted("run it again"), 130, "interrupted: run it again\n"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "error: this is a bug in synthgen: ZeroDivisionError: division by zero\n"
            "Run the command again with --debug for the traceback, and report it.\n",
        ),
    ],
)
def test_a_failure_is_one_clear_message_and_the_right_exit_code(
    error: Exception, code: int, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_failure(error, debug=False) == code
    assert capsys.readouterr() == ("", shown)
