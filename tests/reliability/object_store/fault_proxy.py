"""A proxy on loopback between client and S3 server that breaks a share of the calls, the same ones for the same seed.

Requests go on byte for byte, so that signatures hold. A call may fail before the server has seen it, or after the
server has done it and only the answer is lost.
"""

import asyncio
import contextlib
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

_STALL_S = 30.0  # longer than any client here waits


class Head(NamedTuple):
    """The first lines of a request or of an answer, as they came."""

    raw: bytes

    @property
    def words(self) -> list[str]:
        return self.raw.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)

    def value(self, name: str) -> str:
        for line in self.raw.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.encode():
                return value.strip().decode("latin-1")
        return ""


@dataclass
class Faults:
    """What may go wrong, in which share of the calls."""

    share: float
    seed: int = 0
    kinds: tuple[str, ...] = ()
    only: Callable[[str, str], bool] = lambda _method, _target: True
    happened: Counter[str] = field(default_factory=Counter)
    calls: int = 0

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self.kinds = self.kinds or tuple(KINDS)

    def draw(self, head: Head) -> str:
        """The fault of this call, or nothing."""
        method, target, _ = head.words
        self.calls += 1
        if not self.only(method, target) or self._rng.random() >= self.share:
            return ""
        kind = self._rng.choice(self.kinds)
        self.happened[kind] += 1
        return kind


KINDS = (
    "internal error",
    "slow down",
    "reset before",
    "reset after",
    "error after",
    "cut answer",
    "no answer",
    "stalled read",
)
_ERRORS = {
    "internal error": (500, "InternalError"),
    "error after": (500, "InternalError"),
    "slow down": (503, "SlowDown"),
    "other region": (400, "AuthorizationHeaderMalformed"),
}


class FaultProxy:
    """Runs on a thread of its own until closed; `faults` may be exchanged at any time."""

    def __init__(self, endpoint: str) -> None:
        address = urlsplit(endpoint)
        self._host, self._port = address.hostname or "", address.port or 80
        self.faults = Faults(0.0)
        self.delay_s = 0.0
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._connection, sock=self._listener))
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._listener.close()
        self._loop.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._call(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, OSError):
            pass  # the client or the server went away: that is what these tests are about
        finally:
            with contextlib.suppress(ConnectionError):
                writer.close()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection goes on."""
        head = Head(await reader.readuntil(b"\r\n\r\n"))
        fault = self.faults.draw(head)
        if fault == "reset before":
            return _reset(writer)
        if head.value("expect").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(head.value("content-length") or 0))
        await asyncio.sleep(self.delay_s)
        if fault == "no answer":
            await asyncio.sleep(_STALL_S)
            return _reset(writer)
        if fault in _ERRORS and fault != "error after":
            return await _refuse(writer, fault)
        answer, content = await self._forward(head, body)
        if fault == "reset after":
            return _reset(writer)
        if fault == "error after":
            return await _refuse(writer, fault)
        if fault in ("cut answer", "stalled read"):
            writer.write(answer.raw + content[: len(content) // 2])
            await writer.drain()
            await asyncio.sleep(_STALL_S if fault == "stalled read" else 0)
            return _reset(writer)
        writer.write(answer.raw + content)
        await writer.drain()
        return True

    async def _forward(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        """A connection of its own for every call: a server that was restarted is met afresh."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(_without(head, "expect") + body)
            await writer.drain()
            answer = Head(await reader.readuntil(b"\r\n\r\n"))
            bodiless = head.words[0] == "HEAD" or answer.words[1] in ("204", "304")
            if answer.value("transfer-encoding").lower() == "chunked" and not bodiless:
                return answer, await _chunks(reader)
            return answer, await reader.readexactly(0 if bodiless else int(answer.value("content-length") or 0))
        finally:
            writer.close()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """A chunked body, as it came."""
    raw = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        raw += line + await reader.readexactly(size + 2)
        if size == 0:
            return raw


def _without(head: Head, name: str) -> bytes:
    lines = head.raw.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith(f"{name}:".encode()))


async def _refuse(writer: asyncio.StreamWriter, fault: str) -> bool:
    status, code = _ERRORS[fault]
    body = (
        f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{fault}</Message></Error>".encode()
    )
    writer.write(
        f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    await writer.drain()
    return True


def _reset(writer: asyncio.StreamWriter) -> bool:
    """RST rather than a clean end."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()
    return False


@contextlib.contextmanager
def broken_calls(proxy: FaultProxy, faults: Faults) -> Iterator[Faults]:
    """The faults while the block runs."""
    proxy.faults = faults
    try:
        yield faults
    finally:
        proxy.faults = Faults(0.0)
