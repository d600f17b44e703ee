"""Where every row of a run stands: pure bookkeeping, which knows neither Ray nor what the rows are.

A shard is cut into chunks, and a chunk flows through the stages as one piece. When a worker dies with a piece in its
hands twice, the piece is cut up, and its parts again, until a single row is left; that one is taken step by step, so
that what kills workers is known exactly and can be put aside, while all other rows go on.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

DEATHS_BORNE = 2  # workers that may die with the same rows in hand before these are looked at more closely
_PARTS = 8  # of a piece that kills: fewer deaths than halves need, more than one by one needs calls
_FINISH_DEATHS_BORNE = 4
FINISH = -1  # the chunk number of the piece that is a whole shard


class Mode(Enum):
    """What a worker is asked to do with a piece."""

    WORK = "work"
    STEP = "step"  # one row, and only its next step
    QUARANTINE = "quarantine"  # one row, whose next step kills workers
    FINISH = "finish"


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of a chunk before a stage. `given` holds lists of rows, or references to them, end to end."""

    shard: int
    chunk: int
    stage: int
    given: tuple[Any, ...]
    start: int  # the rows are given[start:stop], and those from `at` on of the chunk
    stop: int
    at: int = 0
    mode: Mode = Mode.WORK
    deaths: int = 0
    attempt: int = 0  # of the chunk: a piece of an attempt that was given up is heard no more
    node: str = ""  # where its rows, or most of them, lie

    @property
    def rows(self) -> int:
        return self.stop - self.start

    @property
    def is_suspect(self) -> bool:
        """Whether it goes to a worker alone: should that one die too, it is known on what."""
        return self.deaths > 0 or self.mode in (Mode.STEP, Mode.QUARANTINE)

    @property
    def order(self) -> tuple[int, int, int, int]:
        return (self.shard, self.chunk, self.stage, self.at)


class Unbearable(Exception):
    """The same piece kills worker after worker, and nothing smaller is to blame."""


def after_a_death(piece: Piece) -> list[Piece]:
    """What to try after a worker died with this piece in hand."""
    died = replace(piece, deaths=piece.deaths + 1)
    if piece.mode in (Mode.FINISH, Mode.QUARANTINE):
        if died.deaths >= _FINISH_DEATHS_BORNE:
            raise Unbearable
        return [died]
    if died.deaths < DEATHS_BORNE:
        return [died]
    if piece.mode is Mode.STEP:
        return [replace(piece, mode=Mode.QUARANTINE, deaths=0)]
    return list(_cut(piece))


def _cut(piece: Piece) -> Iterator[Piece]:
    """The piece in parts; a part that kills once more is cut again, a single row is taken in steps."""
    if piece.rows == 1:
        yield replace(piece, mode=Mode.STEP, deaths=0)
        return
    size = -(-piece.rows // _PARTS)
    for start in range(piece.start, piece.stop, size):
        stop = min(start + size, piece.stop)
        part = replace(piece, start=start, stop=stop, at=piece.at + start - piece.start)
        alone = part.rows == 1
        yield replace(part, mode=Mode.STEP if alone else Mode.WORK, deaths=0 if alone else DEATHS_BORNE - 1)


@dataclass
class _Chunk:
    """What is known of a chunk before one stage."""

    rows: int
    attempt: int = 0
    done: dict[int, tuple[int, tuple[Any, ...], int]] = field(default_factory=dict)  # at -> rows in, given, rows out

    @property
    def is_complete(self) -> bool:
        return sum(rows for rows, _, _ in self.done.values()) == self.rows

    def outcome(self) -> tuple[tuple[Any, ...], int]:
        """The rows after the stage, in order, and how many."""
        parts = [self.done[at] for at in sorted(self.done)]
        return tuple(ref for _, given, _ in parts for ref in given), sum(count for _, _, count in parts)


class Pieces:
    """The pieces of a run that wait for a worker, by stage, the oldest shard first."""

    def __init__(self, shards: Sequence[Sequence[Any]], stages: int, chunk_rows: int) -> None:
        self._shards, self._stages, self._chunk_rows = shards, stages, chunk_rows
        self._waiting: list[list[tuple[tuple[int, int, int, int], int, Piece]]] = [[] for _ in range(stages + 1)]
        self._chunks: dict[tuple[int, int], _Chunk] = {}
        self._through: dict[int, dict[int, tuple[Any, ...]]] = {}  # shard -> chunk -> its rows after the last stage
        self._quarantines: Counter[tuple[int, ...]] = Counter()  # by the place of the row and the attempt of its chunk
        self._put_aside: set[tuple[int, ...]] = set()  # the place of a row, and the how many-th time
        self._ticket = 0
        self.admitted = 0
        self.open: dict[int, None] = {}  # shards in flight, the oldest first

    def admit(self) -> None:
        """Begin the next shard."""
        shard = self.admitted
        self.admitted += 1
        self.open[shard] = None
        self._through[shard] = {}
        if not len(self._shards[shard]):
            self._whole_shard(shard)
        for chunk in range(self._chunks_of(shard)):
            self._begin(shard, chunk, attempt=0)

    def is_waiting(self, stage: int) -> bool:
        return bool(self._waiting[stage])

    def waits_for(self, shard: int, stage: int) -> bool:
        """Whether a piece of this shard waits for a worker of this stage."""
        return any(piece.shard == shard for _, _, piece in self._waiting[stage])

    def oldest(self, stage: int) -> Piece:
        """The piece that is next before this stage."""
        return self._waiting[stage][0][2]

    def take(self, stage: int) -> Piece:
        """The oldest piece before this stage."""
        return heapq.heappop(self._waiting[stage])[2]

    def put(self, piece: Piece) -> None:
        """A piece that waits for a worker, unless its chunk was begun anew in the meantime."""
        if piece.mode is not Mode.FINISH and self._is_stale(piece):
            return
        self._ticket += 1
        heapq.heappush(self._waiting[piece.stage], (piece.order, self._ticket, piece))

    def worked(self, piece: Piece, result: Any, count: int, node: str = "") -> None:
        """A piece came through its stage on a node: `result` refers to the list of its rows there, `count` of them."""
        if self._is_stale(piece):
            return
        chunk = self._chunks[piece.shard, piece.chunk]
        chunk.done[piece.at] = (piece.rows, (result,), count)
        if chunk.is_complete:
            self._advance(piece, *chunk.outcome(), node)

    def stepped(self, piece: Piece, result: Any, is_done: bool, node: str = "") -> None:
        """One step of a single row was taken; `result` refers to a list of that row."""
        if is_done:
            self.worked(piece, result, 1, node)
        else:
            self.put(replace(piece, given=(result,), start=0, stop=1, mode=Mode.STEP, deaths=0, node=node))

    def put_aside(self, piece: Piece) -> int:
        """A step of a row was put aside; how many were so far, those of chunks that began anew counted once."""
        place = (*piece.order, piece.attempt)
        self._quarantines[place] += 1
        self._put_aside.add((*piece.order, self._quarantines[place]))
        return len(self._put_aside)

    def lost(self, piece: Piece) -> None:
        """What a piece was made of is gone with its node: its chunk, or every chunk of its shard, begins anew."""
        if piece.mode is Mode.FINISH:
            self._through[piece.shard] = {}
            for chunk in range(self._chunks_of(piece.shard)):
                self._begin(piece.shard, chunk, attempt=piece.attempt + 1)
        elif not self._is_stale(piece):
            self._begin(piece.shard, piece.chunk, attempt=piece.attempt + 1)

    def finished(self, shard: int) -> None:
        """A shard is done and forgotten."""
        del self.open[shard], self._through[shard]
        for chunk in range(self._chunks_of(shard)):
            self._chunks.pop((shard, chunk), None)

    @property
    def is_all_admitted(self) -> bool:
        return self.admitted == len(self._shards)

    def _is_stale(self, piece: Piece) -> bool:
        chunk = self._chunks.get((piece.shard, piece.chunk))
        return chunk is None or chunk.attempt != piece.attempt

    def _chunks_of(self, shard: int) -> int:
        return -(-len(self._shards[shard]) // self._chunk_rows)

    def _begin(self, shard: int, chunk: int, attempt: int) -> None:
        rows = self._shards[shard][chunk * self._chunk_rows : (chunk + 1) * self._chunk_rows]
        self._next_stage(Piece(shard, chunk, 0, (rows,), 0, len(rows), attempt=attempt))

    def _next_stage(self, piece: Piece) -> None:
        """A whole chunk before a stage; one without rows, or after the last stage, has nothing more to wait for."""
        if piece.rows and piece.stage < self._stages:
            self._chunks[piece.shard, piece.chunk] = _Chunk(piece.rows, piece.attempt)
            self.put(piece)
            return
        self._chunks[piece.shard, piece.chunk] = _Chunk(0, piece.attempt)
        through = self._through[piece.shard]
        through[piece.chunk] = piece.given
        if len(through) == self._chunks_of(piece.shard):
            self._whole_shard(piece.shard, piece.attempt, piece.node)

    def _advance(self, piece: Piece, given: tuple[Any, ...], count: int, node: str) -> None:
        after = replace(piece, stage=piece.stage + 1, given=given, start=0, stop=count, at=0, deaths=0, node=node)
        self._next_stage(replace(after, mode=Mode.WORK))

    def _whole_shard(self, shard: int, attempt: int = 0, node: str = "") -> None:
        through = self._through[shard]
        given = tuple(ref for chunk in sorted(through) for ref in through[chunk])
        attempt = max([attempt, *(self._chunks[shard, chunk].attempt for chunk in through)])
        self.put(Piece(shard, FINISH, self._stages, given, 0, 0, mode=Mode.FINISH, attempt=attempt, node=node))
