"""Shards are read member by member, and a shard that lacks its end is not taken for a short one."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import SourceError
from pipeline.shards.pixels import encode_image, encode_instances, encode_labels
from pipeline.shards.tar import build_tar
from pipeline.sources.webdataset import WebdatasetConfig
from pipeline.storage import Store


@pytest.fixture
def root(small_source) -> Path:
    return Path(small_source("webdataset").root)


def test_samples_are_scenes_with_their_images(root, street_maps):
    source = WebdatasetConfig(root=str(root)).open()
    assert list(source.keys()) == ["s-0", "s-1", "s-2"]
    labels, instances, image = street_maps(2)
    scene, read = source.read("s-2")
    np.testing.assert_array_equal(scene.labels, labels)
    np.testing.assert_array_equal(scene.instances, instances)
    np.testing.assert_array_equal(read, image)


def test_attributes_come_from_the_samples_json(root):
    source = WebdatasetConfig(root=str(root), where={"time_of_day": "dusk"}).open()
    assert list(source.keys()) == ["s-1", "s-2"]
    assert source.attributes("s-1") == {"recipe": "dusk", "time_of_day": "dusk"}


def test_only_headers_are_read_to_open_and_only_its_members_for_a_scene(root, monkeypatch):
    big = np.random.default_rng(0).bytes(2_000_000)
    read = []
    whole = Store.read_range

    def counted(store, path, start, end):
        read.append(end - start)
        return whole(store, path, start, end)

    monkeypatch.setattr(Store, "read_range", counted)
    path = root / "shards/train-000001.tar"
    path.write_bytes(_tar_with(path.read_bytes(), big))
    (root / "dataset.json").unlink()
    source = WebdatasetConfig(root=str(root), catalog="cityscapes").open()
    assert sum(read) < 500_000
    read.clear()
    source.read("s-2")
    assert sum(read) < 10_000


def _tar_with(tar: bytes, data: bytes) -> bytes:
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out, tarfile.open(fileobj=io.BytesIO(tar)) as old:
        info = tarfile.TarInfo("a.bin")
        info.size = len(data)
        out.addfile(info, io.BytesIO(data))
        for member in old:
            out.addfile(member, old.extractfile(member))
    return buffer.getvalue()


@pytest.mark.parametrize("keep", [-1024, -1025, 3000, 513, 100])
def test_a_shard_cut_short_is_named(root, keep):
    path = root / "shards/train-000001.tar"
    data = path.read_bytes().rstrip(b"\0")
    whole = len(data) + -len(data) % 512 + 1024
    path.write_bytes(path.read_bytes()[: keep + whole if keep < 0 else keep])
    with pytest.raises(SourceError, match=rf"^{path}: has \d+ bytes, not the \d+ that dataset\.json lists$"):
        WebdatasetConfig(root=str(root)).open()
    (root / "dataset.json").unlink()
    with pytest.raises(SourceError, match=rf"^{path}: a truncated( or damaged)? tar: "):
        WebdatasetConfig(root=str(root), catalog="cityscapes").open()


def test_only_the_shards_of_the_data_set_are_read(root):
    (root / "shards/train-000007.tar").write_bytes(b"left by a run that was killed")
    assert list(WebdatasetConfig(root=str(root)).open().keys()) == ["s-0", "s-1", "s-2"]


def test_a_shard_that_is_gone_is_named(root):
    (root / "shards/train-000001.tar").unlink()
    with pytest.raises(SourceError) as caught:
        WebdatasetConfig(root=str(root)).open()
    assert str(caught.value) == f"{root}/shards/train-000001.tar: missing, though dataset.json lists it"


def test_a_key_in_two_shards_names_both(root):
    (root / "shards/train-000002.tar").write_bytes((root / "shards/train-000001.tar").read_bytes())
    (root / "dataset.json").unlink()
    with pytest.raises(SourceError, match=r"^shards/train-000001\.tar/s-2.\S+ and shards/train-000002\.tar/s-2"):
        WebdatasetConfig(root=str(root), catalog="cityscapes").open()


def test_an_unfinished_data_set_is_not_read(root):
    (root / "dataset.json").unlink()
    (root / ".synthgen").mkdir()
    (root / ".synthgen/plan.json").write_text("{}")
    with pytest.raises(SourceError) as caught:
        WebdatasetConfig(root=str(root)).open()
    assert str(caught.value) == f"{root}: not complete yet; finish it by running the same synthgen augment again"


def test_plain_shards_need_a_catalog_and_no_more(tmp_path, street_maps, encode_png, write_shard):
    labels, _, _ = street_maps(0)
    (tmp_path / "train-0.tar").write_bytes(write_shard({"a": {"SEG.png": encode_png(labels)}}))
    with pytest.raises(SourceError) as caught:
        WebdatasetConfig(root=str(tmp_path)).open()
    assert str(caught.value) == f"{tmp_path}: no dataset.json; for shards of other origin give `catalog`"
    source = WebdatasetConfig(root=str(tmp_path), catalog="cityscapes").open()
    scene, image = source.read("a")
    np.testing.assert_array_equal(scene.labels, labels)
    assert (scene.instances, image) == (None, None)


def test_instances_beyond_16_bits_are_read_from_rgb(tmp_path, encode_png, write_shard):
    labels = np.full((8, 8), 148, np.uint8)
    labels[2:5, 2:5] = 90
    instances = np.where(labels == 90, 90_999, 148)
    rgb = np.stack([instances % 256, instances // 256 % 256, instances // 65536], axis=2).astype(np.uint8)
    sample = {"seg.png": encode_png(labels), "inst.png": encode_png(rgb)}
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards/val-000000.tar").write_bytes(write_shard({"k": sample}))
    scene = WebdatasetConfig(root=str(tmp_path), split="val", catalog="coco_stuff").open().read_scene("k")
    np.testing.assert_array_equal(scene.instances, instances)


def test_an_unknown_split_names_those_there_are(root):
    with pytest.raises(SourceError) as caught:
        WebdatasetConfig(root=str(root), split="trian").open()
    assert str(caught.value) == f"{root}: unknown split 'trian'; did you mean 'train'?"


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{}", "catalog: Field required"), ("{", "Invalid JSON"), ('{"catalog": {"name": "x"}}', "catalog.classes: ")],
)
def test_a_damaged_dataset_json_is_named(root, text, problem):
    (root / "dataset.json").write_text(text)
    with pytest.raises(SourceError, match=rf"^{root}/dataset\.json: damaged: {problem}"):
        WebdatasetConfig(root=str(root)).open()


@pytest.mark.parametrize("format", ["cityscapes", "coco_stuff"])
def test_what_our_own_writer_encodes_is_read_back(format, small_source, tmp_path):
    source = small_source(format).open()
    samples = []
    for key in list(source.keys()):
        scene, image = source.read(key)
        fields = {
            "seg.png": encode_labels(scene.labels, scene.catalog),
            "inst.png": encode_instances(scene.labels, scene.instances, scene.catalog),
            "jpg": encode_image(image, "jpeg", 95),
        }
        samples.append((key, fields))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/train-000000.tar").write_bytes(build_tar(samples))
    again = WebdatasetConfig(root=str(tmp_path / "out"), catalog=format).open()
    assert again.keys() == source.keys()
    for key in list(source.keys()):
        scene, image = again.read(key)
        np.testing.assert_array_equal(scene.labels, source.read_scene(key).labels)
        np.testing.assert_array_equal(scene.instances, source.read_scene(key).instances)
        assert image.shape == (*scene.labels.shape, 3)
