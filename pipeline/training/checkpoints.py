"""What resuming needs, in training/: written whole or not at all, the last few kept, read without unpickling code."""

import io
import pickle
import re
from typing import Any

import torch

from pipeline.errors import StorageError
from pipeline.model_directory import TRAINING
from pipeline.storage import Store

_NAME = re.compile(rf"{TRAINING}/step-(\d{{9}})\.pt")


class Checkpoints:
    """The checkpoints of one training, newest last."""

    def __init__(self, store: Store, keep: int) -> None:
        self._store, self._keep = store, keep

    def steps(self) -> list[int]:
        """The steps there are checkpoints of."""
        names = (_NAME.fullmatch(file.path) for file in self._store.list(TRAINING))
        return sorted(int(match[1]) for match in names if match)

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Keep this state, and let go of the oldest only when it is safe."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        self._store.write_atomic(_path(step), buffer.getvalue())
        for old in self.steps()[: -self._keep]:
            self._store.delete(_path(old))

    def latest(self) -> dict[str, Any] | None:
        """The newest state that can be read; None when there is none at all."""
        problems = []
        for step in reversed(self.steps()):
            try:
                return self._load(step)
            except (RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
                problems.append(f"{self._store.place(_path(step))}: {str(error).splitlines()[0]}")
        if problems:
            raise StorageError("no checkpoint can be read; delete them to start anew:\n  " + "\n  ".join(problems))
        return None

    def _load(self, step: int) -> dict[str, Any]:
        state = torch.load(io.BytesIO(self._store.read(_path(step))), map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise ValueError("holds no training state")
        return state

    def discard_after(self, step: int) -> None:
        """Forget everything later than this step: what could not be read must not count as the newest."""
        for later in self.steps():
            if later > step:
                self._store.delete(_path(later))


def _path(step: int) -> str:
    return f"{TRAINING}/step-{step:09d}.pt"
