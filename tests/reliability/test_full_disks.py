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
from tests.reliability.process_tree import synthgen
from tests.reliability.tiny_run import contents, write_recipe


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


@pytest.mark.soak
def test_temporary_space_that_is_full_is_told_and_resumed_once_there_is_room(disk, tiny_model, pristine, tmp_path):
    output, log = tmp_path / "out", tmp_path / "log"
    recipe = write_recipe(tmp_path / "tiny.yaml", tiny_model, str(output))
    ballast = disk.fill()
    space = {"RAY_TMPDIR": str(disk.folder), "TMPDIR": str(disk.folder)}
    with synthgen("augment", "--recipe", str(recipe), "--cpus", "2", log=log, environment=space) as run:
        assert run.wait(300) == 1, log.read_text()[-2000:]
    said = log.read_text()
    assert "Traceback" not in said
    assert "bug" not in said
    assert "no space left" in said
    ballast.unlink()
    disk.resize("256m")
    with synthgen("augment", "--recipe", str(recipe), "--cpus", "2", log=log, environment=space) as run:
        assert run.wait(300) == 0, log.read_text()[-2000:]
    assert contents(Store(str(output))) == contents(Store(str(pristine)))
