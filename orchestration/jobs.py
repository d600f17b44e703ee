"""A command as a job of a running cluster. Its submission id is made of the command, and so is a lock on it."""

import asyncio
import hashlib
import shlex
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

_LIVE = ("PENDING", "RUNNING")
SUCCEEDED = "SUCCEEDED"
_STEP_S = 0.5
_LONGEST_STOP_S = 60.0
_LONGEST_START_S = 120.0
_ASKED = 10


class JobClient(Protocol):
    """What is used of `ray.job_submission.JobSubmissionClient`."""

    def submit_job(
        self, *, entrypoint: str, submission_id: str | None = None, runtime_env: dict[str, Any] | None = None
    ) -> str: ...

    def get_job_status(self, job_id: str) -> str: ...

    def stop_job(self, job_id: str) -> bool: ...

    def tail_job_logs(self, job_id: str) -> AsyncIterator[str]: ...


def connect_jobs(address: str) -> JobClient:
    """The job server of a cluster. ConnectionError when none answers there, also when asked again."""
    from ray.job_submission import JobSubmissionClient

    client: JobClient = _asked_again(lambda: JobSubmissionClient(address))
    return client


def refusals() -> tuple[type[Exception], ...]:
    """What a job server that cannot be reached, or does not want to, is heard as."""
    from ray.exceptions import AuthenticationError

    return (OSError, RuntimeError, ValueError, AuthenticationError)


def job_name(command: Sequence[str]) -> str:
    """The same command has the same name, from any machine."""
    return f"synthgen-{hashlib.sha256(shlex.join(command).encode()).hexdigest()[:12]}"


def latest_attempt(client: JobClient, name: str) -> tuple[int, str | None]:
    """The number and status of the last submission of this name; (0, None) when there was none."""
    number, status = 0, None
    while (following := _status(client, attempt_id(name, number + 1))) is not None:
        number, status = number + 1, following
    return number, status


def submit(client: JobClient, command: Sequence[str], working_dir: str | None) -> tuple[str, bool]:
    """The id of the job that runs this command, and whether it was started now rather than found at work."""
    name = job_name(command)
    number, status = latest_attempt(client, name)
    if status in _LIVE:
        return attempt_id(name, number), False
    wanted = attempt_id(name, number + 1)
    environment = {"working_dir": working_dir} if working_dir else {}
    deadline = time.monotonic() + _LONGEST_START_S
    while True:
        try:
            client.submit_job(entrypoint=shlex.join(command), submission_id=wanted, runtime_env=environment)
            return wanted, True
        except (RuntimeError, ValueError, OSError) as error:
            # A cluster answers before it can take jobs, and a line that breaks may have carried the request.
            is_passing = "try again later" in str(error) or isinstance(error, OSError)
            if _status(client, wanted) is not None:
                return wanted, False  # this request after all, or somebody else's at the same moment
            if not is_passing or time.monotonic() > deadline:
                raise
            time.sleep(_STEP_S)


def follow(client: JobClient, job: str, show: Callable[[str], None]) -> str:
    """Hand the job's log to `show` until it ends, also when the line to it breaks in between; its last status."""
    shown = 0
    while True:
        # Every time a log is followed it comes from its beginning.
        shown = max(shown, asyncio.run(_tail(client, job, shown, show)))
        status = _status(client, job)
        if status not in _LIVE:
            return str(status)
        time.sleep(_STEP_S)


async def _tail(client: JobClient, job: str, skip: int, show: Callable[[str], None]) -> int:
    """Show the log without its first `skip` characters; how long it is."""
    length = 0
    async for text in client.tail_job_logs(job):
        fresh = text[max(0, skip - length) :]
        length += len(text)
        if fresh:
            show(fresh)
    return length


def stop(client: JobClient, job: str) -> str:
    """Stop a job, which is given time to end by itself; its last status."""
    client.stop_job(job)
    deadline = time.monotonic() + _LONGEST_STOP_S
    while (status := _status(client, job)) in _LIVE and time.monotonic() < deadline:
        time.sleep(_STEP_S)
    return str(status)


def attempt_id(name: str, number: int) -> str:
    """The submission id of the n-th attempt."""
    return f"{name}-{number}"


def _status(client: JobClient, job: str) -> str | None:
    """The status of a job, None where there is none of this name."""
    try:
        status = _asked_again(lambda: client.get_job_status(job))
    except RuntimeError as error:
        if "does not exist" in str(error) or "404" in str(error):
            return None
        raise
    return str(getattr(status, "value", status))


def _asked_again(ask: Callable[[], T]) -> T:
    """The answer; a line that breaks is tried a few times, each time later."""
    for attempt in range(1, _ASKED):
        try:
            return ask()
        except OSError:
            time.sleep(_STEP_S * attempt)
    return ask()
