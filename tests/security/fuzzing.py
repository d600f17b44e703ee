"""Commands run here on damaged inputs, watched for tracebacks, hangs, other programs and writes elsewhere."""

import contextlib
import hashlib
import io
import json
import os
import random
import signal
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import typer.main
import yaml

from pipeline import cli

HANGS_AFTER_S = 60
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ON_PATHS = {
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.link": (1,),
    "os.symlink": (1,),
}
_NEVER = {"os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "os.fork", "pty.spawn"}
# What a value is replaced by: wrong kinds, ends of ranges, names that lead elsewhere, text that others give a meaning.
NASTY: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**63),
    10**400,
    1e308,
    float("inf"),
    float("nan"),
    0.1,
    "",
    " ",
    "\0",
    "../../escaped",
    "/etc/passwd",
    "~/escaped",
    "file:///etc/passwd",
    "$(touch escaped)",
    "{escaped}",
    "%s%n",
    "é" * 300,
    "\u202e",
    "*",
    "**/*",
    "[",
    "x" * 10_000,
    [],
    {},
    [[]],
    [None],
    {"": ""},
    {"format": "folder"},
    {"op": "swap_class"},
    list(range(100)),
]


class Hung(BaseException):
    """A command that ran on for too long."""


class Outcome(NamedTuple):
    """How a command left, and what it said."""

    code: int
    said: str


class Watch:
    """Notes what the interpreter does while a command runs. Audit hooks stay for good: this one is switched."""

    def __init__(self) -> None:
        self.allowed = ""
        self.on = False
        self.offences: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in _NEVER:
            self.offences.append(f"{event} {arguments!r:.200}")
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
            self._judge(event, arguments[0])
        else:
            for position in _ON_PATHS.get(event, ()):
                self._judge(event, arguments[position])

    def _judge(self, event: str, path: Any) -> None:
        if isinstance(path, int):
            return
        place = os.path.abspath(os.fsdecode(path))
        if not place.startswith(self.allowed) and not place.startswith("/dev/"):
            self.offences.append(f"{event} {place}")


WATCH = Watch()
_COMMAND = typer.main.get_command(cli.build_app())  # building it takes longer than most commands


def run(arguments: list[str], may_write: Path) -> Outcome:
    """The command as a user would run it, but for the process."""
    said = io.StringIO()
    WATCH.allowed, WATCH.offences, WATCH.on = str(may_write), [], True
    signal.signal(signal.SIGALRM, _hung)
    signal.setitimer(signal.ITIMER_REAL, HANGS_AFTER_S)
    honest, cli.build_app = cli.build_app, lambda: _COMMAND
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = cli._run(arguments, debug=False)
    finally:
        cli.build_app = honest
        signal.setitimer(signal.ITIMER_REAL, 0)
        WATCH.on = False
    return Outcome(code, said.getvalue())


def check(outcome: Outcome) -> None:
    """AssertionError unless the command succeeded, or failed in words."""
    assert outcome.code in (0, 1, 2), outcome
    assert "this is a bug in synthgen" not in outcome.said, outcome
    assert "Traceback" not in outcome.said, outcome
    assert outcome.code == 0 or outcome.said.strip(), outcome
    assert WATCH.offences == [], WATCH.offences


def _hung(_signal: int, _frame: object) -> None:
    raise Hung


def damaged_bytes(data: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, cut, doubled or replaced: headers far more often than bodies."""
    kept = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        near = max(1, int(min(len(kept), 10 ** rng.uniform(0.5, 5))))
        at = rng.randrange(near)
        match rng.randrange(5):
            case 0:
                kept[at : at + 1] = rng.randbytes(1)
            case 1:
                del kept[at:]
            case 2:
                kept[at:at] = kept[at : at + 40]
            case 3:
                kept[at : at + 8] = struct.pack("<q", rng.randrange(-(2**62), 2**62))
            case _:
                other = rng.randrange(near)
                kept[at : at + 16], kept[other : other + 16] = kept[other : other + 16], kept[at : at + 16]
    return bytes(kept)


def damaged_text(text: str, rng: random.Random) -> str:
    """Lines dropped, doubled, indented anew; characters that YAML gives a meaning put anywhere."""
    lines = text.split("\n")
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(lines))
        match rng.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[rng.randrange(len(lines))])
            case 2:
                lines[at] = " " * rng.randint(1, 9) + lines[at]
            case 3:
                place = rng.randint(0, len(lines[at]))
                lines[at] = (
                    lines[at][:place] + rng.choice(list("{}[]:,*&!|>%@`#'\"\t\\-?~\x00\x85\ufeff")) + lines[at][place:]
                )
            case 4:
                lines[at] = (
                    lines[at].partition(":")[0]
                    + ": "
                    + rng.choice(["&a [*a]", "*a", "!!python/name:os.system", "{<<: *a}"])
                )
            case _:
                lines[at] = lines[at][::-1]
        lines = lines or [""]
    return "\n".join(lines)


def damaged_tree(value: Any, rng: random.Random) -> Any:
    """The same data with values replaced, keys dropped, misspelt, doubled in other places."""
    tree = json.loads(json.dumps(value))
    for _ in range(rng.randint(1, 3)):
        places = list(_places(tree))
        if not places:
            return deepcopy(rng.choice(NASTY))
        holder, key = rng.choice(places)
        match rng.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[f"{key}x"] = holder.pop(key)
            case 2:
                other, name = rng.choice(places)
                if _holds(other, name):
                    holder[key] = json.loads(json.dumps(other[name]))
            case 3 if isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
                with contextlib.suppress(OverflowError):  # half of an absurd integer is no number
                    holder[key] *= rng.choice([-1, 0, 10, 10**9, 0.5])
            case _:
                holder[key] = deepcopy(rng.choice(NASTY))
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key or index) below."""
    items: Any = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, below in list(items):
        yield tree, key
        yield from _places(below)


def _holds(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def damaged_png(data: bytes, rng: random.Random) -> bytes:
    """A PNG with parts changed and checksums that fit again, so that decoders look at what they say."""
    if rng.random() < 0.3:
        return damaged_bytes(data, rng)
    chunks, at = [], 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append([data[at + 4 : at + 8], data[at + 8 : at + 8 + length]])
        at += 12 + length
    for _ in range(rng.randint(1, 3)):
        chunk = rng.choice(chunks)
        match rng.randrange(6):
            case 0:  # size, depth, colour type and interlacing, as anybody may claim them
                ihdr = bytearray(chunks[0][1])
                ihdr[0:4] = struct.pack(">I", rng.choice([0, 1, 32, 65, 9000, 2**16, 2**31 - 1, 2**32 - 1]))
                chunks[0][1] = bytes(ihdr)
            case 1:
                ihdr = bytearray(chunks[0][1].ljust(13, b"\0"))
                ihdr[rng.randrange(8, 13)] = rng.choice([0, 1, 2, 3, 4, 6, 8, 16, 255])
                chunks[0][1] = bytes(ihdr)
            case 2:
                chunk[1] = damaged_bytes(chunk[1] or b"\0", rng)
            case 3:  # far more or less than the header says
                chunk[1] = zlib.compress(bytes(rng.choice([0, 1, 10**7])))
            case 4:
                chunks.insert(
                    rng.randrange(len(chunks) + 1),
                    [rng.choice([b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"zTXt", b"abcd"]), rng.randbytes(30)],
                )
            case _:
                chunks.remove(chunk)
                chunks = chunks or [[b"IEND", b""]]
    parts = (len(b).to_bytes(4, "big") + k + b + zlib.crc32(b, zlib.crc32(k)).to_bytes(4, "big") for k, b in chunks)
    return data[:8] + b"".join(parts)


def damaged_tar(data: bytes, rng: random.Random) -> bytes:
    """A tar with headers changed and checksums that fit again: other names, sizes, kinds of member."""
    if rng.random() < 0.3:
        return damaged_bytes(data, rng)
    kept = bytearray(data)
    heads = [at for at in range(0, len(kept) - 512, 512) if kept[at + 257 : at + 262] == b"ustar"]
    for at in rng.sample(heads, min(len(heads), rng.randint(1, 3))):
        match rng.randrange(5):
            case 0:
                name = rng.choice(
                    ["../escaped.json", "/tmp/escaped.json", "a/../../b.json", "", "x" * 99, "k.seg.png", "é.json"]
                )
                kept[at : at + 100] = name.encode()[:100].ljust(100, b"\0")
            case 1:
                size = rng.choice(
                    [
                        b"0" * 11,
                        b"7" * 11,
                        b"00000000001",
                        b"-0000000001",
                        b"9" * 11,
                        b"\x80" + b"\xff" * 10,
                        b"\xff" * 11,
                    ]
                )
                kept[at + 124 : at + 136] = size + b"\0"
            case 2:
                kept[at + 156] = rng.choice(b"\x000123456789SLKxgDMNV")
            case 3:
                kept[at + 157 : at + 257] = rng.choice([b"../../etc/passwd", b"/etc/passwd"]).ljust(100, b"\0")
            case _:
                kept[at + 100 : at + 156] = rng.randbytes(56)
        kept[at + 148 : at + 156] = b" " * 8
        kept[at + 148 : at + 156] = b"%06o\0 " % sum(kept[at : at + 512])
    return bytes(kept)


def damaged_safetensors(data: bytes, rng: random.Random) -> bytes:
    """Weights whose header says something else, or bytes that are none."""
    if rng.random() < 0.4:
        return damaged_bytes(data, rng)
    length = int.from_bytes(data[:8], "little")
    header = damaged_tree(json.loads(data[8 : 8 + length]), rng)
    said = json.dumps(header).encode()
    return (
        rng.choice([len(said), len(said) + 1, 2**40, 0]).to_bytes(8, "little") + said + data[8 + length :]
        if rng.random() < 0.3
        else (len(said).to_bytes(8, "little") + said + data[8 + length :])
    )


def as_yaml(tree: Any) -> str:
    """YAML of whatever JSON can hold, and of what only Python can."""
    return str(yaml.safe_dump(tree, allow_unicode=True))


def rehash_card(model: Path, name: str, data: bytes) -> None:
    """The card of an attacker fits whatever the attacker wrote."""
    card = json.loads((model / "model.json").read_text())
    card["weights"][name] = hashlib.sha256(data).hexdigest()
    (model / "model.json").write_text(json.dumps(card))
    (model / name).write_bytes(data)


Case = Callable[[random.Random], list[str]]
