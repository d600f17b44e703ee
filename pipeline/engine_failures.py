"""Failures of the engine in words that a user can act on: wrap every use of it in `in_words()`."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestration.failures import EngineFailed, NoRoom, StageFailed, TooManyQuarantined
from pipeline.errors import RunError, StorageError, SynthgenError


@contextmanager
def in_words(what_next: str = "run the same command again") -> Iterator[None]:
    """What a worker was refused is raised as if it had happened here; any other exception of one stays a bug."""
    try:
        yield
    except StageFailed as error:
        cause = error.__cause__
        if isinstance(cause, SynthgenError):
            raise cause from None
        if isinstance(cause, MemoryError):
            raise RunError(f"{error}; no memory left on a worker; give it more, and {what_next}") from error
        if isinstance(cause, OSError):
            raise StorageError(f"{error}; {what_next}") from error
        raise
    except TooManyQuarantined as error:
        raise RunError(f"{error} by on_error.max_fraction; is there memory enough for one sample?") from error
    except NoRoom as error:
        raise RunError(str(error)) from None
    except EngineFailed as error:
        raise RunError(f"{error}; {what_next}") from error
