"""What comes from somebody else is data: read or refused with a message, never run, never a way out of its root."""

import hashlib
import io
import json
import shutil
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from generators import family_named
from pipeline.catalogs import load_catalog
from pipeline.errors import InputError, StorageError, SynthgenError
from pipeline.model_directory import ModelDirectory, ModelFacts, TrainingSummary, label_space, open_model
from pipeline.plan_record import read_plan_record
from pipeline.recipe import load_recipe
from pipeline.resolution import Resolution
from pipeline.shards.check import check_shard, read_index
from pipeline.shards.commit import read_marker
from pipeline.shards.find import find_sample
from pipeline.shards.sample import SampleRecord
from pipeline.shards.tar import read_samples, read_tar
from pipeline.storage import Store

OUTSIDE = ["../secret", "../../secret", "/etc/passwd", "a/../../secret", "..\\secret", "a\0b", "", ".", "a" * 5000]
CATALOG = load_catalog("cityscapes").model_dump(mode="json")


@pytest.fixture(scope="session")
def honest_model(tmp_path_factory) -> Path:
    family, catalog = family_named("crn"), load_catalog("cityscapes")
    config = family.config(base_channels=32, modules=2)
    summary = TrainingSummary(
        source={"format": "streetscapes"},
        source_fingerprint="0",
        pairs=1,
        steps=0,
        batch_size=1,
        seed=0,
        precision="float32",
        losses={},
    )
    folder = tmp_path_factory.mktemp("honest") / "model"
    torch.manual_seed(0)
    facts = ModelFacts("m", "crn", config, catalog, Resolution(64, 32), summary)
    ModelDirectory(str(folder)).write(facts, family.build_generator(config, label_space(catalog)), None)
    return folder


def index_with(store: Store, entry: dict) -> None:
    said = {"plan": "p", "catalog": CATALOG, "manifest_sha256": "0", "shards": [entry]}
    store.write_atomic("dataset.json", json.dumps(said).encode())


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_shard_name_that_leads_elsewhere_is_refused_by_verify(tmp_path, name):
    store = Store(str(tmp_path / "set"))
    index_with(store, {"name": f"{name}.tar", "sha256": "0", "size": 1, "samples": 1})
    with pytest.raises(InputError, match=r"dataset\.json: damaged: .* is not the name of a shard$"):
        read_index(store)


@pytest.mark.parametrize(
    "entry", [{}, {"name": "a"}, {"name": "a", "sha256": 1, "size": 1, "samples": 1}, [], "a", None, 7]
)
def test_an_entry_that_is_none_is_refused_by_verify(tmp_path, entry):
    store = Store(str(tmp_path))
    index_with(store, entry)
    with pytest.raises(InputError, match=r"dataset\.json: damaged: "):
        read_index(store)


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_store_leaves_its_root(tmp_path, name):
    store = Store(str(tmp_path / "root"))
    operations: list[Callable[[], object]] = [
        lambda: store.read(name),
        lambda: store.write_atomic(name, b"x"),
        lambda: store.create_exclusive(name, b"x"),
        lambda: store.exists(name),
    ]
    for operation in operations:
        try:
            operation()
        except (ValueError, StorageError):
            continue
        assert name == "a" * 5000  # `exists` of a name that is only too long: it is not there
    assert {path.name for path in tmp_path.rglob("*")} <= {"root"}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_marker_cannot_speak_for_another_path(tmp_path, name):
    store = Store(str(tmp_path))
    said = {"shard": name, "plan": "p", "sha256": "0", "size": 1, "samples": 1, "rows_sha256": "0", "statistics": {}}
    said["rejects"] = []
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    store.write_atomic(".synthgen/commits/train-000000.json", json.dumps({**said, "digest": digest}).encode())
    with pytest.raises(StorageError, match="is the marker of shard"):
        read_marker(store, "train-000000")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"7", b"null", b"{", b'{"fingerprint": 1}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_plan_or_marker_that_is_none_is_refused(tmp_path, content):
    store = Store(str(tmp_path))
    for path in (".synthgen/plan.json", ".synthgen/commits/train-000000.json"):
        store.write_atomic(path, content)
    with pytest.raises(StorageError, match="not a plan"):
        read_plan_record(store)
    with pytest.raises(StorageError, match="not a commit marker"):
        read_marker(store, "train-000000")


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system [touch ran]", "!!python/name:os.system", "!!python/module:os", "!run x"]
)
def test_a_recipe_runs_nothing(tmp_path, tag, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text(f"name: {tag}\n")
    with pytest.raises(InputError, match=r"bad\.yaml:1:7: name: "):
        load_recipe(tmp_path / "bad.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with a few of them changed, cut, doubled or replaced: headers far more often than bodies."""
    kept = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        near = int(min(len(kept), 10 ** rng.uniform(0.5, 5)))
        at = int(rng.integers(max(1, near)))
        match int(rng.integers(4)):
            case 0:
                kept[at : at + 1] = rng.bytes(1)
            case 1:
                del kept[at:]
            case 2:
                kept[at:at] = kept[at : at + 40]
            case _:
                kept[at : at + 8] = struct.pack("<q", int(rng.integers(-(2**62), 2**62)))
    return bytes(kept)


def card_for(folder: Path, weights: bytes) -> None:
    """The card of an attacker fits whatever the attacker wrote."""
    card = json.loads((folder / "model.json").read_text())
    card["weights"]["generator.safetensors"] = hashlib.sha256(weights).hexdigest()
    (folder / "model.json").write_text(json.dumps(card))
    (folder / "generator.safetensors").write_bytes(weights)


def fuzz_model(honest: Path, folder: Path, seed: int) -> None:
    """Opens a damaged model; whatever is not a SynthgenError is a failure."""
    rng = np.random.default_rng(seed)
    shutil.copytree(honest, folder, dirs_exist_ok=True)
    if seed % 2:
        (folder / "model.json").write_bytes(damaged((honest / "model.json").read_bytes(), rng))
    else:
        card_for(folder, damaged((honest / "generator.safetensors").read_bytes(), rng))
    try:
        opened = open_model(str(folder))
        if not seed % 2:
            opened.load_generator()
    except SynthgenError:
        return


def fuzz_tar(data: bytes, tmp_path: Path, seed: int) -> None:
    """Verifies a damaged shard: named, not raised."""
    store = Store(str(tmp_path))
    index_with(store, {"name": "train-000000.tar", "sha256": "0", "size": 1, "samples": 1})
    store.write_atomic("shards/train-000000.tar", damaged(data, np.random.default_rng(seed)))
    assert check_shard(store, read_index(store), "train-000000").problems


def honest_tar() -> bytes:
    from pipeline.shards.tar import build_tar

    return build_tar((f"key-{n}", {"json": b"{}", "seg.png": b"\x89PNG" * 90}) for n in range(4))


def test_damaged_models_are_opened_or_refused(honest_model, tmp_path):
    for seed in range(100):
        fuzz_model(honest_model, tmp_path / "model", seed)


def test_damaged_shards_are_named(tmp_path):
    data = honest_tar()
    for seed in range(100):
        fuzz_tar(data, tmp_path, seed)


@pytest.mark.soak
def test_many_more_damaged_models_and_shards(honest_model, tmp_path):
    data = honest_tar()
    for seed in range(100, 10_100):
        fuzz_model(honest_model, tmp_path / "model", seed)
        fuzz_tar(data, tmp_path / "set", seed)


def test_a_manifest_cannot_send_a_look_up_elsewhere(tmp_path):
    store, buffer = Store(str(tmp_path)), io.BytesIO()
    pq.write_table(pa.table({"shard": ["../../secret"], "key": ["k"]}), buffer)
    store.write_atomic("manifest.parquet", buffer.getvalue())
    with pytest.raises(InputError, match=r"manifest\.parquet: '\.\./\.\./secret' is not the name of a shard$"):
        find_sample(store, "k")


def test_members_of_a_tar_that_are_no_plain_files_are_refused(tmp_path):
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            info = tarfile.TarInfo("../evil.json")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        with pytest.raises(ValueError, match=r"member '\.\./evil\.json' is not a plain file"):
            list(read_tar(buffer.getvalue()))


@pytest.mark.parametrize("image", ["seg.png", "inst.png", "png"])
def test_an_absurd_size_in_a_shard_is_refused_before_it_is_decoded(image):
    from pipeline.shards.pixels import decode_image, decode_instances, decode_labels

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(10_000))), (b"IEND", b"")]
    chunks = (len(b).to_bytes(4, "big") + k + b + zlib.crc32(b, zlib.crc32(k)).to_bytes(4, "big") for k, b in parts)
    data = b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    decode = {"seg.png": decode_labels, "inst.png": decode_instances, "png": decode_image}[image]
    with pytest.raises(ValueError, match="its header says 30000x30000 pixels; at most 8192x8192 are read"):
        decode(data)


def test_a_record_of_absurd_size_is_refused(tmp_path):
    from tests.reliability.tiny_run import run_here, write_model, write_recipe

    model = write_model(str(tmp_path / "model"))
    store = run_here(write_recipe(tmp_path / "tiny.yaml", model, str(tmp_path / "out"), 2))
    _, fields = next(read_samples(store.read("shards/train-000000.tar")))
    said = json.loads(fields["json"])
    with pytest.raises(ValueError, match=r"^sample record: .*is more than any sample has$"):
        SampleRecord.from_json(json.dumps(said | {"width": 60_000, "height": 60_000}))


def test_a_member_longer_than_its_shard_is_refused_before_it_is_read(tmp_path):
    from pipeline.sources.tar_index import index_shards

    data = bytearray(honest_tar())
    data[124:136] = b"77777777777\0"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    store = Store(str(tmp_path))
    store.write_atomic("a.tar", bytes(data))
    with pytest.raises(InputError, match=r"a\.tar: a truncated( or damaged)? tar: "):
        index_shards(store, store.list())
