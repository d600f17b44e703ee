"""A disk that is full when a checkpoint is written: one clear error, the last whole checkpoint stays, it can go on."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestration.training import Worker
from pipeline.errors import StorageError
from pipeline.training.job import Job
from pipeline.training.loop import train


@pytest.fixture
def full_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """The disk takes so many files, then half of one, then nothing."""

    def fill(files: int) -> None:
        written = [0]
        plain = os.fsync

        def sync(descriptor: int) -> None:
            written[0] += 1
            if written[0] > files:
                os.truncate(descriptor, os.fstat(descriptor).st_size // 2)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            plain(descriptor)

        monkeypatch.setattr(os, "fsync", sync)

    return fill


@pytest.mark.parametrize("files", [0, 3, 7, 9, 12, 16])
def test_a_full_disk_costs_no_more_than_the_steps_since_the_last_checkpoint(
    job: Job, tmp_path: Path, full_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    whole = replace(job, output=str(tmp_path / "whole"), validation_pairs=2)
    train({"job": whole}, Worker())
    with monkeypatch.context():
        full_after(files)
        with pytest.raises(StorageError, match=r"cannot write: no space left on the device"):
            train({"job": replace(whole, output=job.output)}, Worker())
        monkeypatch.undo()
    folder = Path(job.output) / "training"
    assert not list(folder.glob(".*")), "no half-written file is left to fill the disk further"
    train({"job": replace(whole, output=job.output)}, Worker())
    for name in ("generator.safetensors", "training/best/generator.safetensors"):
        assert (Path(job.output) / name).read_bytes() == (Path(whole.output) / name).read_bytes()
