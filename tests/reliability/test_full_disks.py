"""A disk that fills up: said in words, nothing half-written is taken for whole, and room is all that a rerun needs."""

import contextlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.augment.status import State, read_status
from pipeline.errors import StorageError
from pipeline.storage import Store
from tests.reliability.process_tree import ProcessTree, synthgen
from tests.reliability.tiny_run import contents, write_recipe

_MOST_STARTS = 5


class Disk:
    """A file system in memory of a given size."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))

    def resize(self, size: str) -> None:
        _mount("-o", f"remount,size={size}", str(self.folder))

    def fill(self) -> Path:
        """Take every byte that is left."""
        ballast = self.folder / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"0" * 4096)
        return ballast


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system of a chosen size can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk() -> Iterator[Disk]:
    with tempfile.TemporaryDirectory(prefix="d-") as folder:
        disk = Disk(Path(folder), "16m")
        try:
            yield disk
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("size", ["64k", "100k", "160k"])
def test_an_output_that_is_full_is_told_and_resumed_once_there_is_room(size, disk, augment, pristine):
    disk.resize(size)
    output = disk.folder / "out"
    message = rf"^{re.escape(str(output))}[^ ]*: cannot (write|create): no space left on the device$"
    with pytest.raises(StorageError, match=message):
        augment(str(output))
    store = Store(str(output))
    assert not store.exists("dataset.json")
    disk.resize("16m")
    assert read_status(store).state is State.STOPPED
    augment(str(output))
    assert contents(store) == contents(Store(str(pristine)))


@pytest.fixture
def command(disk, tiny_model, tmp_path):
    """The same run each time, with its temporary space on the disk."""
    recipe = write_recipe(tmp_path / "tiny.yaml", tiny_model, str(tmp_path / "out"))
    space = {"RAY_TMPDIR": str(disk.folder), "TMPDIR": str(disk.folder)}

    def start(log: str) -> ProcessTree:
        arguments = "augment", "--recipe", str(recipe), "--cpus", "2"
        return synthgen(*arguments, log=tmp_path / log, environment=space)

    return start


def finished(command) -> None:
    for attempt in range(_MOST_STARTS):
        with command(f"finish-{attempt}") as run:
            if run.finish(400):
                return
    pytest.fail("Ray never came up")


@pytest.mark.soak
def test_temporary_space_that_is_full_is_told_and_resumed_once_there_is_room(disk, command, pristine, tmp_path):
    ballast = disk.fill()
    with command("full") as run:
        assert run.wait(300) == 1
    assert run.log.read_text().splitlines()[-1] == (
        f"error: no Ray to work on: no space left in {disk.folder} for its sockets and logs; make room, or set "
        "RAY_TMPDIR to another folder"
    )
    ballast.unlink()
    disk.resize("256m")
    finished(command)
    assert contents(Store(str(tmp_path / "out"))) == contents(Store(str(pristine)))


@pytest.mark.soak
def test_temporary_space_that_fills_up_under_a_run_is_borne_or_told(disk, command, pristine, tmp_path):
    disk.resize("256m")
    with command("filling") as run:
        while run.ended() is None and not list(tmp_path.glob("out/.synthgen/commits/*.json")):
            run.wait(0.1)
        ballast = disk.fill()
        assert run.wait(400) in (0, 1)
    said = run.log.read_text()
    assert "Traceback" not in said
    assert "bug in synthgen" not in said
    ballast.unlink()
    finished(command)
    assert contents(Store(str(tmp_path / "out"))) == contents(Store(str(pristine)))
