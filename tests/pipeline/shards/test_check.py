import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.cli import build_app
from pipeline.errors import InputError
from pipeline.shards.check import check_shard, check_whole, read_index
from pipeline.storage import Store


def problems(store: Store) -> list[str]:
    index = read_index(store)
    checks = [check_shard(store, index, shard) for shard in index.shards]
    found = [problem for check in checks for problem in check.problems]
    return [problem.replace(store.url, "<root>") for problem in [*found, *check_whole(store, index, checks)]]


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(bytes(data))


def test_a_whole_data_set_has_no_problem(dataset):
    assert problems(dataset) == []


@pytest.mark.parametrize("seed", range(12))
def test_one_flipped_byte_anywhere_in_a_shard_is_found(dataset, seed):
    path = Path(dataset.url, "shards", "train-000002.tar")
    flip(path, int(np.random.default_rng(seed).integers(path.stat().st_size)))
    found = problems(dataset)
    assert re.match(
        r"<root>/shards/train-000002\.tar: changed: its sha256 is [0-9a-f]{64}, dataset.json says", found[0]
    )


def test_a_shard_cut_at_a_sample_is_found_although_it_reads_back_without_error(dataset):
    path = Path(dataset.url, "shards", "train-000000.tar")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"toy-00000003.inst.png")] + bytes(1024))
    assert "<root>/shards/train-000000.tar: holds 3 samples, dataset.json says 6" in problems(dataset)


def test_a_missing_shard_and_a_missing_marker_are_named(dataset):
    Path(dataset.url, "shards", "train-000001.tar").unlink()
    Path(dataset.url, ".synthgen", "commits", "train-000003.json").unlink()
    assert problems(dataset)[:2] == [
        "<root>/shards/train-000001.tar: cannot read: no such file, folder or bucket",
        "<root>/.synthgen/commits/train-000003.json: cannot read: no such file, folder or bucket",
    ]


def test_a_stranger_among_the_shards_is_named(dataset):
    dataset.write_atomic("shards/train-000009.tar", b"")
    assert problems(dataset) == ["<root>/shards/train-000009.tar: not in dataset.json"]


def test_a_changed_manifest_is_named(dataset):
    flip(Path(dataset.url, "manifest.parquet"), 6)
    assert any(p.startswith("<root>/manifest.parquet: ") for p in problems(dataset))


def test_maps_that_disagree_are_named_even_with_right_checksums(tmp_path, monkeypatch):
    import importlib.util

    spec = importlib.util.spec_from_file_location("toys", Path(__file__).with_name("conftest.py"))
    toys = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(toys)
    honest = toys.encode_labels
    monkeypatch.setattr(toys, "encode_labels", lambda labels, catalog: honest(np.full_like(labels, 9), catalog))
    store = toys.write_toy_dataset(tmp_path / "set", [1])
    place = "<root>/shards/train-000000.tar: sample toy-00000000: "
    assert problems(store) == [
        place + "seg.png holds ids 9, no classes of catalog toy",
        place + "inst.png and seg.png disagree on the class of 384 pixels",
        place + "json: pixels are not those of seg.png",
    ]


def test_what_is_no_data_set_is_refused(tmp_path):
    with pytest.raises(InputError, match=rf"^{tmp_path}: no data set here \(no dataset\.json\)$"):
        read_index(Store(str(tmp_path)))
    Store(str(tmp_path)).write_atomic(".synthgen/plan.json", b"{}")
    with pytest.raises(InputError, match=r": not complete yet; finish it by running the same synthgen augment again$"):
        read_index(Store(str(tmp_path)))


def test_the_command_says_all_is_well_or_names_the_problem_with_exit_code_1(dataset):
    runner = CliRunner()
    good = runner.invoke(build_app(), ["verify", dataset.url, "--quiet"])
    assert (good.exit_code, good.stdout) == (0, f"{dataset.url}: 4 shards, 21 samples: all as they should be\n")
    flip(Path(dataset.url, "shards", "train-000000.tar"), 700)
    bad = runner.invoke(build_app(), ["verify", dataset.url, "--quiet"])
    assert bad.exit_code == 1
    assert bad.stdout.startswith(f"{dataset.url}/shards/train-000000.tar: changed: its sha256 is")
