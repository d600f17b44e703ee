"""Finishing a shard, which is mostly waiting for storage, does not keep the next one from being rendered."""

import time
from collections.abc import Callable

from orchestration.shard_engine import ShardTask, Stage, run_shards

Span = tuple[float, float]
_WORK_S = 0.3
_UPLOAD_S = 0.6


def make_slow_stage() -> Callable[[list], list]:
    def work(rows: list) -> list:
        began = time.time()
        time.sleep(_WORK_S)
        return [(began, time.time()) for _ in rows]

    return work


def make_slow_finish() -> Callable[[str, list], tuple[list[Span], Span]]:
    def finish(_shard: str, rows: list) -> tuple[list[Span], Span]:
        began = time.time()
        time.sleep(_UPLOAD_S)
        return rows, (began, time.time())

    return finish


def overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def test_a_shard_is_uploaded_while_the_next_is_rendered(embedded_ray):
    tasks = [ShardTask(f"s{n}", range(2)) for n in range(4)]
    reports = list(run_shards(tasks, [Stage("render", make_slow_stage, batch_size=2)], make_slow_finish, embedded_ray))
    rendering = [span for rows, _ in reports for span in rows]
    uploads = [span for _, span in reports]
    assert [upload for upload in uploads[:-1] if any(overlap(upload, span) for span in rendering)]
