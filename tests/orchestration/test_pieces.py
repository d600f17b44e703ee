"""The bookkeeping of a run, without Ray: rows come through whole, in order, whatever dies on the way."""

import random
from dataclasses import replace

import pytest

from orchestration.pieces import Mode, Piece, Pieces, Unbearable, after_a_death


def play(shards, stages, chunk_rows, deadly=(), forgetful=0.0, seed=0):
    """Works everything off in a random order. A deadly row kills at stage 0 until it is put aside (as -row)."""
    rng, deaths, finished = random.Random(seed), 0, {}
    pieces = Pieces(shards, stages, chunk_rows)
    while len(finished) < len(shards):
        if not pieces.is_all_admitted and rng.random() < 0.5:
            pieces.admit()
        waiting = [stage for stage in range(stages + 1) if pieces.is_waiting(stage)]
        if not waiting:
            continue
        piece = pieces.take(rng.choice(waiting))
        if rng.random() < forgetful:
            pieces.lost(piece)
            continue
        rows = [row for part in piece.given for row in part]
        if piece.mode is Mode.FINISH:
            finished[piece.shard] = rows
            pieces.finished(piece.shard)
            continue
        rows = rows[piece.start : piece.stop]
        if piece.mode is Mode.QUARANTINE:
            pieces.stepped(piece, [-rows[0]], False)
        elif piece.stage == 0 and set(rows) & set(deadly):
            deaths += 1
            for part in after_a_death(piece):
                pieces.put(part)
        elif piece.mode is Mode.STEP:
            pieces.stepped(piece, rows, rng.random() < 0.5)
        else:
            pieces.worked(piece, rows, len(rows))
    return [finished[shard] for shard in range(len(shards))], deaths


SHARDS = [range(1, 40), range(100, 101), range(200, 200), range(300, 364)]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("chunk_rows", [1, 7, 64])
def test_every_row_arrives_once_and_in_order(seed, chunk_rows):
    done, deaths = play(SHARDS, 2, chunk_rows, seed=seed)
    assert done == [list(rows) for rows in SHARDS]
    assert deaths == 0


@pytest.mark.parametrize("seed", range(10))
def test_rows_that_kill_are_found_and_put_aside_and_no_others(seed):
    deadly = {5, 6, 39, 100, 363}
    done, _ = play(SHARDS, 2, 64, deadly, seed=seed)
    assert done == [[-row if row in deadly else row for row in rows] for rows in SHARDS]


@pytest.mark.parametrize("seed", range(10))
def test_what_is_lost_with_a_node_is_made_again(seed):
    deadly = {17, 300}
    done, _ = play(SHARDS, 3, 8, deadly, forgetful=0.05, seed=seed)
    assert done == [[-row if row in deadly else row for row in rows] for rows in SHARDS]


def test_one_deadly_row_of_64_costs_five_workers():
    _, deaths = play([range(64)], 1, 64, {41})
    assert deaths == 2 + 1 + 2  # the chunk twice, an eighth of it once, the row alone twice


def test_one_death_is_nobodys_fault():
    piece = Piece(0, 0, 0, (range(8),), 0, 8)
    (again,) = after_a_death(piece)
    assert (again.start, again.stop, again.mode, again.deaths) == (0, 8, Mode.WORK, 1)


def test_a_shard_that_cannot_be_finished_is_not_tried_for_ever():
    piece = Piece(0, -1, 1, (), 0, 0, mode=Mode.FINISH)
    for _ in range(3):
        (piece,) = after_a_death(piece)
    with pytest.raises(Unbearable):
        after_a_death(piece)


def test_older_shards_go_first():
    pieces = Pieces([range(4)] * 3, 1, 4)
    for _ in range(3):
        pieces.admit()
    late = pieces.take(0)
    assert pieces.take(0).shard == 1
    pieces.put(late)
    assert pieces.take(0).shard == 0


def test_a_row_that_is_put_aside_again_when_its_chunk_begins_anew_counts_once():
    pieces = Pieces([range(8)], 2, 4)
    row = Piece(0, 1, 0, (range(4, 8),), 2, 3, at=2, mode=Mode.QUARANTINE)
    assert [pieces.put_aside(row), pieces.put_aside(row)] == [1, 2]  # two scenes of one slot, both deadly
    again = replace(row, attempt=1)
    assert [pieces.put_aside(again), pieces.put_aside(again), pieces.put_aside(again)] == [2, 2, 3]
    assert pieces.put_aside(replace(row, chunk=0)) == 4
    assert pieces.put_aside(replace(row, stage=1)) == 5
