"""What can go wrong on a worker, as data on the way to the driver and as exceptions there."""

import pickle
import traceback
from dataclasses import dataclass


class StageFailed(RuntimeError):
    """A stage raised. `__cause__` is what it raised; `trace` its traceback on the worker."""

    def __init__(self, stage: str, shard: str, error: BaseException, trace: str) -> None:
        where = f"on shard {shard}" if shard else "to start"
        super().__init__(f"stage {stage} failed {where}: {type(error).__name__}: {error}")
        self.stage, self.shard, self.trace = stage, shard, trace


class NoRoom(ValueError):
    """The workers that are asked for do not fit into the cluster. Says what is missing and what to do."""


class EngineFailed(RuntimeError):
    """The run cannot go on: workers that die however they are replaced, no progress, no room in the cluster."""


class TooManyQuarantined(EngineFailed):
    """More rows killed their workers than the run bears: it is not chance, and would not pass by itself."""


@dataclass(frozen=True)
class Failure:
    """An exception of a stage, as data; `shard` is empty when its worker could not even be made."""

    stage: str
    shard: str
    error: bytes
    trace: str

    @classmethod
    def of(cls, stage: str, shard: str, error: Exception) -> "Failure":
        """The exception with its trace; one that does not pickle is kept as its text."""
        trace = "".join(traceback.format_exception(error))
        try:
            kept = pickle.dumps(error)
            pickle.loads(kept)
        except Exception:
            kept = pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
        return cls(stage, shard, kept, trace)

    def as_exception(self) -> StageFailed:
        """To be raised where the run is driven."""
        cause = pickle.loads(self.error)
        failed = StageFailed(self.stage, self.shard, cause, self.trace)
        failed.__cause__ = cause
        return failed
