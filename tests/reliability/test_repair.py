"""Damage of every kind: verify names it, repair clears it, and the same augment restores every byte."""

import re
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.augment.lease import hold_lease
from pipeline.augment.repair import repair
from pipeline.cli import build_app
from pipeline.errors import InputError, RunError
from pipeline.shards.check import check_shard, check_whole, read_index
from pipeline.storage import Store

Damage = Callable[[Path, np.random.Generator], None]


def flip_a_bit(path: Path, rng: np.random.Generator) -> None:
    data = bytearray(path.read_bytes())
    data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    path.write_bytes(bytes(data))


def cut_short(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(path.read_bytes()[: rng.integers(path.stat().st_size)])


def delete(path: Path, _rng: np.random.Generator) -> None:
    path.unlink()


KINDS = {
    "shard": "shards/train-{:06d}.tar",
    "marker": ".synthgen/commits/train-{:06d}.json",
    "rows": ".synthgen/rows/train-{:06d}.parquet",
}


@pytest.fixture
def whole(finished) -> tuple[Store, dict[str, bytes]]:
    return finished, tree(finished)


def tree(store: Store) -> dict[str, bytes]:
    return {file.path: store.read(file.path) for file in store.list() if file.path != "report.html"}


def problems(store: Store) -> list[str]:
    index = read_index(store)
    checks = [check_shard(store, index, shard) for shard in index.shards]
    return [problem for check in checks for problem in check.problems] + list(check_whole(store, index, checks))


DAMAGE: dict[str, Damage] = {"a flipped bit": flip_a_bit, "cut short": cut_short, "deleted": delete}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_damaged_is_named_and_its_shard_goes(whole, kind, damage, seed):
    store, _ = whole
    rng = np.random.default_rng(seed)
    number = int(rng.integers(3))
    path = KINDS[kind].format(number)
    DAMAGE[damage](Path(store.url, path), rng)
    if kind != "rows":  # rows are read only until the manifest is made of them
        assert any(path in problem for problem in problems(store))
    found = repair(store)
    assert found.shards_to_make == 1
    assert found.removals[0].path == "dataset.json"
    assert not [file.path for file in store.list() if f"train-{number:06d}" in file.path]
    assert repair(store).removals == ()


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_repair_the_same_augment_brings_every_byte_back(whole, augment, kind):
    store, before = whole
    for number, damage in enumerate(DAMAGE.values()):
        damage(Path(store.url, KINDS[kind].format(number)), np.random.default_rng(number))
    assert repair(store).shards_to_make == 3
    augment(store.url)
    assert tree(store) == before


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(30))
def test_damage_at_random_is_repaired_to_the_byte(whole, augment, seed):
    store, before = whole
    rng = np.random.default_rng(seed)
    for number in range(3):
        kind, damage = rng.choice(list(KINDS)), rng.choice(list(DAMAGE))
        DAMAGE[damage](Path(store.url, KINDS[kind].format(number)), rng)
    repair(store)
    augment(store.url)
    assert tree(store) == before


def test_a_shard_goes_marker_first_and_after_what_speaks_for_it(whole):
    store, _ = whole
    delete(Path(store.url, "shards/train-000001.tar"), np.random.default_rng(0))
    said = repair(store, dry_run=True)
    assert [(removal.path, removal.reason) for removal in said.removals] == [
        ("dataset.json", "the data set is not complete"),
        (".synthgen/commits/train-000001.json", "gone"),
        (".synthgen/rows/train-000001.parquet", "gone"),
    ]


@pytest.mark.parametrize("lives", range(1, 4))
def test_a_repair_that_dies_halfway_is_finished_by_the_next(whole, lives, monkeypatch):
    store, _ = whole
    flip_a_bit(Path(store.url, "shards/train-000002.tar"), np.random.default_rng(1))
    left = lives

    def delete_until_dead(self, path, *, honest=Store.delete):
        nonlocal left
        if "leases" not in path and not path.startswith(".synthgen-write-probe"):
            if not left:
                raise KeyboardInterrupt
            left -= 1
        honest(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "delete", delete_until_dead)
        with pytest.raises(KeyboardInterrupt):
            repair(store)
    assert not store.exists("dataset.json")
    repair(store)
    assert repair(store).shards_to_make == 1
    assert repair(store).removals == ()


def test_a_dry_run_changes_nothing(whole):
    store, before = whole
    Path(store.url, ".synthgen/commits/train-000000.json").unlink()
    after = tree(store)
    assert repair(store, dry_run=True).removals
    assert tree(store) == after != before


def test_leftovers_of_killed_writers_go(whole):
    store, before = whole
    for path in ("shards/.train-000000.tar.0a1b.synthgen-tmp", ".synthgen-write-probe-00ff"):
        Path(store.url, path).write_bytes(b"half")
    assert [removal.path for removal in repair(store).removals] == [
        ".synthgen-write-probe-00ff",
        "shards/.train-000000.tar.0a1b.synthgen-tmp",
    ]
    assert store.leftovers() == []
    assert tree(store) == before


def test_files_that_are_none_of_a_data_set_stay(whole):
    store, _ = whole
    for path in ("shards/notes.txt", "shards/mine/a.tar", "thesis.tex"):
        store.write_atomic(path, b"mine")
    assert repair(store).removals == ()


def test_a_damaged_manifest_is_written_again(whole, augment):
    store, before = whole
    flip_a_bit(Path(store.url, "manifest.parquet"), np.random.default_rng(0))
    found = repair(store)
    assert [removal.path for removal in found.removals] == ["dataset.json"]
    assert found.shards_to_make == 0
    augment(store.url)
    assert tree(store) == before


def test_nothing_is_repaired_under_a_run_that_is_at_work(whole):
    store, _ = whole
    with hold_lease(store):
        for dry_run in (False, True):
            with pytest.raises(RunError, match=rf"another run is at work here: process \d+ .*{socket.gethostname()}"):
                repair(store, dry_run)


def test_what_is_no_data_set_is_left_alone(tmp_path):
    with pytest.raises(
        InputError, match=rf"^{re.escape(str(tmp_path))}: no data set here \(no \.synthgen/plan\.json\)$"
    ):
        repair(Store(str(tmp_path)))


def test_the_command_says_what_goes_and_what_to_do_then(whole):
    store, _ = whole
    runner = CliRunner()
    assert runner.invoke(build_app(), ["repair", store.url]).stdout == f"{store.url}: nothing to repair\n"
    Path(store.url, "shards/train-000001.tar").unlink()
    for options, verb in (["--dry-run"], "would remove"), ([], "removed"):
        assert runner.invoke(build_app(), ["repair", store.url, *options]).stdout == (
            f"{verb} {store.url}/dataset.json: the data set is not complete\n"
            f"{verb} {store.url}/.synthgen/commits/train-000001.json: gone\n"
            f"{verb} {store.url}/.synthgen/rows/train-000001.parquet: gone\n"
            "then run the same synthgen augment again, which makes 1 of its shards\n"
        )
