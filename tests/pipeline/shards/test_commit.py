import re
from pathlib import Path

import pytest

from pipeline.errors import RunError, StorageError
from pipeline.shards.commit import Marker, commit_shard, committed_shards, read_marker, read_markers, sha256_of
from pipeline.storage import Store

TAR, ROWS = b"t" * 5000, b"rows"


class Killed(BaseException):
    """Stands for a process that is gone: nothing after it runs, no handler sees it."""


class DyingStore(Store):
    """A store whose process dies before its n-th write."""

    def __init__(self, url: str, lives: int) -> None:
        super().__init__(url)
        self.lives = lives

    def _live(self) -> None:
        if not self.lives:
            raise Killed
        self.lives -= 1

    def write_atomic(self, path: str, data: bytes) -> None:
        self._live()
        super().write_atomic(path, data)

    def create_exclusive(self, path: str, data: bytes) -> bool:
        self._live()
        return super().create_exclusive(path, data)


class LyingStore(Store):
    """A store that loses the last byte of what it is given."""

    def write_atomic(self, path: str, data: bytes) -> None:
        super().write_atomic(path, data[:-1])


def marker_of(tar: bytes = TAR, shard: str = "train-000000") -> Marker:
    return Marker(
        shard=shard,
        plan="p",
        sha256=sha256_of(tar),
        size=len(tar),
        samples=3,
        rows_sha256=sha256_of(ROWS),
        statistics={"a": 1},
    )


def commit(store: Store, marker: Marker | None = None, tar: bytes = TAR, fence=lambda: None) -> Marker:
    return commit_shard(store, marker or marker_of(tar), tar, ROWS, fence)


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_committed_shard_has_tar_rows_and_marker(tmp_path):
    store = Store(str(tmp_path))
    assert commit(store) == marker_of() == read_marker(store, "train-000000")
    assert tree(tmp_path) == {
        ".synthgen/commits/train-000000.json": marker_of().to_json(),
        ".synthgen/rows/train-000000.parquet": ROWS,
        "shards/train-000000.tar": TAR,
    }


@pytest.mark.parametrize("lives", [0, 1, 2, 3])
def test_death_at_any_write_leaves_no_marker_without_its_shard_and_a_rerun_repairs_it(tmp_path, lives):
    undisturbed, disturbed = tmp_path / "a", tmp_path / "b"
    commit(Store(str(undisturbed)))
    dying = DyingStore(str(disturbed), lives)
    if lives < 3:
        with pytest.raises(Killed):
            commit(dying)
        assert committed_shards(Store(str(disturbed))) == []
    else:
        commit(dying)
    commit(Store(str(disturbed)))
    assert tree(disturbed) == tree(undisturbed)


def test_a_marker_is_never_overwritten(tmp_path):
    store = Store(str(tmp_path))
    first = commit(store)
    again = marker_of().model_copy(update={"statistics": {"a": 2}})
    assert commit(store, again) == first
    assert read_marker(store, "train-000000") == first


def test_other_bytes_for_a_committed_shard_are_refused(tmp_path):
    store = Store(str(tmp_path))
    commit(store)
    message = (
        f"{tmp_path}/.synthgen/commits/train-000000.json: committed before with other bytes; the same plan must give "
        "the same shard: was another version of synthgen, or another kind of device, at work here?"
    )
    with pytest.raises(RunError, match=f"^{re.escape(message)}$"):
        commit(store, tar=b"u" * 5000)
    assert store.read("shards/train-000000.tar") == TAR


def test_storage_that_keeps_something_else_is_found_before_the_marker(tmp_path):
    with pytest.raises(StorageError, match=r"shards/train-000000\.tar: reads back with sha256"):
        commit(LyingStore(str(tmp_path)))
    assert committed_shards(Store(str(tmp_path))) == []


def test_a_run_that_lost_its_output_commits_nothing(tmp_path):
    def lost() -> None:
        raise RunError("taken over")

    with pytest.raises(RunError, match=r"^taken over$"):
        commit(Store(str(tmp_path)), fence=lost)
    assert committed_shards(Store(str(tmp_path))) == []


def test_markers_are_read_in_the_order_asked_for(tmp_path):
    store = Store(str(tmp_path))
    names = [f"train-{i:06d}" for i in range(40)]
    for name in names:
        commit(store, marker_of(shard=name))
    assert committed_shards(store) == names
    assert [marker.shard for marker in read_markers(store, names[::-1])] == names[::-1]


def test_a_marker_that_is_none_is_named(tmp_path):
    store = Store(str(tmp_path))
    store.write_atomic(".synthgen/commits/train-000000.json", b"{}")
    with pytest.raises(StorageError, match=r"commits/train-000000\.json: not a commit marker: shard: Field required$"):
        read_marker(store, "train-000000")


@pytest.mark.parametrize("position", range(10, 300, 29))
def test_one_flipped_bit_anywhere_in_a_marker_is_found(tmp_path, position):
    store, path = Store(str(tmp_path)), ".synthgen/commits/train-000000.json"
    commit(store)
    data = bytearray(store.read(path))
    data[position % len(data)] ^= 1
    store.write_atomic(path, bytes(data))
    with pytest.raises(StorageError, match=r"commits/train-000000\.json: not a commit marker: "):
        read_marker(store, "train-000000")
