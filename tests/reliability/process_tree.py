"""A command with everything it starts, however far away: found by a mark in the environment, killed as a whole."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

_MARK = "SYNTHGEN_TEST_TREE"
_GONE_WITHIN_S = 20


class ProcessTree:
    """A running command. Daemons, actors in sessions of their own and orphans carry the mark it was started with."""

    def __init__(self, *command: str, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._token = secrets.token_hex(8)
        # Paths of sockets must be short, which those of pytest are not.
        self.temporary = Path(tempfile.mkdtemp(prefix="t-"))  # where Ray keeps its logs
        self.log = log
        self._from = log.stat().st_size if log.exists() else 0
        mine = {_MARK: self._token, "RAY_AUTH_MODE": "disabled", "RAY_TMPDIR": str(self.temporary)}
        with log.open("ab") as output:
            self._main = subprocess.Popen(
                command,
                env={**os.environ, **mine, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def main(self) -> int:
        """The process that was started, its number."""
        return self._main.pid

    def ended(self) -> int | None:
        """The exit status, once there is one."""
        return self._main.poll()

    def wait(self, timeout_s: float) -> int | None:
        """The exit status, or None when it runs on after so long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._main.wait(timeout_s)
        return None

    def finish(self, within_s: float) -> bool:
        """Wait for the end. False where Ray did not come up, as on a busy machine; else the run must have succeeded."""
        ended = self.wait(within_s)
        said = self.log.read_text()[self._from :]
        if ended == 1 and "no Ray to work on: it did not start on this machine" in said:
            return False
        assert ended == 0, said[-2000:]
        return True

    def members(self, title: str = "") -> list[int]:
        """Every process of the tree whose command line holds `title`."""
        return [pid for pid in _marked(self._token) if title in _title(pid)]

    def kill(self) -> None:
        """SIGKILL to all of them, until none is left."""
        deadline = time.monotonic() + _GONE_WITHIN_S
        while left := self.members():
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._main.poll()
            assert time.monotonic() < deadline, f"still there: {left}"
            time.sleep(0.02)
        self._main.wait()
        shutil.rmtree(self.temporary, ignore_errors=True)

    def __enter__(self) -> "ProcessTree":
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()


def synthgen(*arguments: str, log: Path, environment: Mapping[str, str] | None = None) -> ProcessTree:
    """The command line of this checkout."""
    return ProcessTree(sys.executable, "-m", "pipeline.cli", *arguments, log=log, environment=environment)


def _marked(token: str) -> Iterator[int]:
    mark = f"{_MARK}={token}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        # A process that ends meanwhile is none of them any more.
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)


def _title(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
