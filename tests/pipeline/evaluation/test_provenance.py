"""A result names the commit it was made from."""

import subprocess
from importlib.metadata import version

import pytest

from pipeline.evaluation.provenance import provenance


@pytest.fixture
def git(monkeypatch):
    """What git answers; None where there is no repository."""

    def answer(said: str | None) -> None:
        def run(command, **_):
            if said is None:
                raise subprocess.CalledProcessError(128, command)
            return subprocess.CompletedProcess(command, 0, f"{said}\n")

        monkeypatch.setattr(subprocess, "run", run)

    return answer


def test_the_command_can_be_pasted_into_a_shell(git, monkeypatch):
    git("0123456789ab")
    monkeypatch.setattr("sys.argv", ["synthgen", "evaluate", "--real", "{format: camvid, root: a b}", "--seeds", "3"])
    assert provenance()["command"] == "synthgen evaluate --real '{format: camvid, root: a b}' --seeds 3"


def test_the_repository_knows_better_than_what_is_told(git, monkeypatch):
    git("0123456789ab")
    monkeypatch.setenv("SYNTHGEN_COMMIT", "left over")
    assert provenance()["commit"] == "0123456789ab"


def test_a_copy_without_repository_is_told_its_commit(git, monkeypatch):
    git(None)
    monkeypatch.setenv("SYNTHGEN_COMMIT", "fedcba987654")
    assert provenance()["commit"] == "fedcba987654"


def test_a_release_says_its_version(git, monkeypatch):
    git(None)
    monkeypatch.delenv("SYNTHGEN_COMMIT", raising=False)
    assert provenance()["commit"] == f"release {version('synthgen')}"
