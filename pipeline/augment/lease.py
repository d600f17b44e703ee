"""One writer an output: a lease that is taken exclusively, kept warm, and that a stale owner loses for good.

Leases are numbered. Taking over means creating the next number, which storage grants to exactly one; an owner that was
away finds a higher number, or not its own token, and commits nothing more. A lease is created and deleted, never
written again: heartbeats go to a file beside it, so that one that comes late cannot bring a lost lease back.
"""

import hashlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import MissingFileError, RunError, StorageError
from pipeline.shards import layout
from pipeline.storage import Store

HEARTBEAT_S = 10.0
STALE_AFTER_S = 90.0
_BEAT = ".beat"


@dataclass(frozen=True)
class Claim:
    """Proof of ownership that travels to the workers."""

    url: str
    number: int
    token: str

    def check(self) -> None:
        """Raise RunError unless this claim still holds."""
        store = Store(self.url)
        try:
            own = json.loads(store.read(_path(self.number)))["token"] == self.token
        except MissingFileError:
            own = False
        if not own or store.exists(_path(self.number + 1)):
            raise RunError(f"{self.url}: another run has taken this output over; this one commits nothing more")


@dataclass(frozen=True)
class Owner:
    """Who wrote a lease, and when it was last heard of."""

    user: str
    host: str
    pid: int
    started: str
    heartbeat: float

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} on {self.host}"

    @property
    def age_s(self) -> float:
        """Seconds since the last heartbeat; clocks that disagree make it no less than 0."""
        return max(0.0, time.time() - self.heartbeat)

    @property
    def alive(self) -> bool:
        """Heard of lately, and not a process of this machine that is gone."""
        if self.host == socket.gethostname() and not _is_running(self.pid, self.started):
            return False
        return self.age_s < STALE_AFTER_S


@contextmanager
def hold_lease(store: Store) -> Iterator[Claim]:
    """Own the output while the block runs. RunError names the owner when there is one already."""
    claim = _next(store)
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(store, claim, stop), daemon=True)
    refused = False
    try:
        # An interrupt in the middle of this does not tell whether the lease is there by then, so it is released too.
        try:
            _take(store, claim)
        except (RunError, StorageError):
            refused = True
            raise
        heart.start()
        yield claim
    finally:
        stop.set()
        if heart.is_alive():
            heart.join()
        if not refused:
            _release(store, claim)


def _next(store: Store) -> Claim:
    """The number after the highest, when nobody alive holds that."""
    highest = _highest(store)
    if highest:
        _refuse_while_alive(store, highest)
    return Claim(store.url, highest + 1, secrets.token_hex(16))


def _take(store: Store, claim: Claim) -> None:
    if not _create(store, claim):
        _refuse_while_alive(store, claim.number)
        raise RunError(f"{store.url}: another run took this output at the same moment; run the command again")


def _create(store: Store, claim: Claim) -> bool:
    try:
        return store.create_exclusive(_path(claim.number), _content(claim))
    except StorageError as error:
        # The first thing that a run writes: what fails here is the output, not this file.
        raise StorageError(str(error).replace(f"/{_path(claim.number)}: cannot create:", ": cannot write:")) from error


def read_owner(store: Store) -> Owner | None:
    """Who holds the output, or held it last and died; None when nobody does."""
    highest = _highest(store)
    return _owner(store, highest) if highest else None


def refuse_while_alive(store: Store) -> None:
    """RunError, naming the owner, when a run is at work."""
    highest = _highest(store)
    if highest:
        _refuse_while_alive(store, highest)


def _owner(store: Store, number: int) -> Owner | None:
    path = _path(number)
    try:
        said = json.loads(store.read(path))
        heartbeat = _last_beat(store, number, str(said["token"])) or float(said["heartbeat"])
        owner = Owner(str(said["owner"]), str(said["host"]), int(said["pid"]), str(said["started"]), heartbeat)
    except MissingFileError:
        return None  # released in between
    except (ValueError, KeyError, TypeError, OverflowError):
        raise RunError(f"{store.place(path)}: not a lease; delete it if no run is at work here") from None
    return owner


def _refuse_while_alive(store: Store, number: int) -> None:
    owner = _owner(store, number)
    if owner is not None and owner.alive:
        raise RunError(
            f"{store.url}: another run is at work here: {owner}, last heard of {owner.age_s:.0f} s ago; "
            f"wait for it or stop it (a dead one is given up after {STALE_AFTER_S:g} s)"
        )


def _is_running(pid: int, started: str) -> bool:
    return _start_of(pid) == started


def _start_of(pid: int) -> str:
    """When a process of this machine started, in the kernel's ticks: tells it from a later one with its number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return _start_without_proc(pid)


def _start_without_proc(pid: int) -> str:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except PermissionError:
        return "running"
    return "running"


def _content(claim: Claim) -> bytes:
    said = {
        "owner": os.environ.get("USER", str(os.getuid())),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": _start_of(os.getpid()),
        "token": claim.token,
        "heartbeat": time.time(),
    }
    return json.dumps(said, indent=1).encode()


def _beat(store: Store, claim: Claim, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT_S):
        try:
            claim.check()
            store.write_atomic(_beat_path(claim.number, claim.token), str(time.time()).encode())
        except RunError:
            return  # lost: the next commit says so
        except StorageError:
            continue  # storage may come back before the lease is stale


def _last_beat(store: Store, number: int, token: str) -> float | None:
    try:
        return float(store.read(_beat_path(number, token)))
    except MissingFileError:
        return None  # none since it was taken


def _release(store: Store, claim: Claim) -> None:
    """Remove this lease and those it followed, the newest last, so that no older one ever stands alone; then beats."""
    try:
        claim.check()
    except RunError:
        store.delete(_beat_path(claim.number, claim.token))
        return
    for number in range(1, claim.number + 1):
        store.delete(_path(number))
    for file in store.list(layout.LEASES):
        if file.path.endswith(_BEAT):
            store.delete(file.path)


def _highest(store: Store) -> int:
    names = (file.path.rpartition("/")[2].removesuffix(".json") for file in store.list(layout.LEASES))
    return max((int(name) for name in names if name.isdigit()), default=0)


def _path(number: int) -> str:
    return f"{layout.LEASES}/{number:06d}.json"


def _beat_path(number: int, token: str) -> str:
    # A hash: what a damaged lease says its token is may be no name for a file.
    return f"{layout.LEASES}/{number:06d}-{hashlib.sha256(token.encode()).hexdigest()[:16]}{_BEAT}"
