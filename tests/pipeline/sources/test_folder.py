"""A team's own folders pair by what their patterns' wildcards match."""

from pathlib import Path

import fsspec
import numpy as np
import pytest
from pydantic import ValidationError

from label_editing.catalog import Catalog, ClassSpec
from pipeline.catalogs import load_catalog
from pipeline.errors import SourceError
from pipeline.sources import SOURCES
from pipeline.sources.base import Unpaired
from pipeline.sources.folder import FolderConfig, colors_to_ids


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_files_in_folders_of_different_shape_pair_by_their_names(tmp_path, street_maps, encode_png):
    for seed, name in enumerate(("b/1", "a/2")):
        labels, instances, image = street_maps(seed)
        write(tmp_path / f"gt/{name}_id.png", encode_png(labels))
        write(tmp_path / f"objects/{name}.png", encode_png(instances))
        write(tmp_path / f"camera/front/{name}.rgb.png", encode_png(image))
    config = FolderConfig(
        root=str(tmp_path),
        catalog="cityscapes",
        labels="gt/**/*_id.png",
        images="camera/front/**/*.rgb.png",
        instances="objects/**/*.png",
    )
    source = config.open()
    assert list(source.keys()) == ["a_2", "b_1"]
    scene, image = source.read("a_2")
    np.testing.assert_array_equal(scene.instances, street_maps(1)[1])
    np.testing.assert_array_equal(image, street_maps(1)[2])


def test_any_fsspec_url_is_a_root(street_maps, encode_png):
    labels, _, _ = street_maps(0)
    with fsspec.open("memory://team/labels/train/x.png", "wb") as file:
        file.write(encode_png(labels))
    source = FolderConfig(root="memory://team", catalog="cityscapes").open()
    np.testing.assert_array_equal(source.read_scene("x").labels, labels)
    assert source.files("x") == ("memory://team/labels/train/x.png",)


@pytest.mark.parametrize(
    ("encoding", "stored"),
    [
        ("div256", lambda i: np.where(i < 1000, i * 256, i // 1000 * 256 + i % 1000 + 1)),
        ("separate", lambda i: i * (i > 999)),
    ],
)
def test_other_instance_encodings_give_the_same_objects(tmp_path, street_maps, encode_png, encoding, stored):
    labels, instances, _ = street_maps(0)
    write(tmp_path / "labels/train/x.png", encode_png(labels))
    write(tmp_path / "inst/x.png", encode_png(stored(instances.astype(int)).astype(np.uint16)))
    config = FolderConfig(root=str(tmp_path), catalog="cityscapes", instances="inst/*.png", instance_encoding=encoding)
    found = config.open().read_scene("x").instances
    pairs = set(zip(found.ravel().tolist(), instances.ravel().tolist(), strict=True))
    assert len(pairs) == len(np.unique(instances)) == len(np.unique(found))


def test_colors_become_the_ids_of_their_classes(tmp_path, street_maps, encode_png):
    labels, _, _ = street_maps(0)
    write(tmp_path / "labels/train/x.png", encode_png(load_catalog("cityscapes").palette[labels]))
    config = FolderConfig(root=str(tmp_path), catalog="cityscapes", label_encoding="colors")
    np.testing.assert_array_equal(config.open().read_scene("x").labels, labels)


def test_a_color_of_no_class_is_named(tmp_path, encode_png):
    write(tmp_path / "labels/train/x.png", encode_png(np.full((4, 4, 3), (1, 2, 3), np.uint8)))
    config = FolderConfig(root=str(tmp_path), catalog="cityscapes", label_encoding="colors")
    with pytest.raises(SourceError) as caught:
        config.open().read_scene("x")
    assert str(caught.value) == (
        f"{tmp_path}/labels/train/x.png: holds 1 colour that catalog cityscapes has no class of: (1, 2, 3)"
    )


def test_ids_where_colors_were_promised_are_told(tmp_path, street_maps, encode_png):
    write(tmp_path / "labels/train/x.png", encode_png(street_maps(0)[0]))
    config = FolderConfig(root=str(tmp_path), catalog="cityscapes", label_encoding="colors")
    with pytest.raises(SourceError, match=r"holds class ids, not colours; leave out `label_encoding: colors`$"):
        config.open().read_scene("x")


def test_a_catalog_with_one_color_for_two_classes_cannot_read_colors():
    classes = [ClassSpec(id=i, name=n, color=(1, 1, 1), layer="ground") for i, n in enumerate(("road", "path"))]
    with pytest.raises(
        ValueError, match=r"^catalog toy gives 'road' and 'path' one colour \(1, 1, 1\); use label maps"
    ):
        colors_to_ids(Catalog(name="toy", classes=tuple(classes)))


def test_a_color_shared_with_an_untrained_class_means_the_trained_one():
    catalog = load_catalog("cityscapes")
    ids = colors_to_ids(catalog)
    assert ids[153, 153, 153] == catalog.named("pole").id
    assert ids[0, 0, 142] == catalog.named("car").id
    assert catalog.is_void[ids[0, 0, 0]]


def test_label_maps_alone_are_a_source_and_lost_images_are_known(tmp_path, street_maps, encode_png):
    labels, _, image = street_maps(0)
    for name in ("a", "b"):
        write(tmp_path / f"labels/train/{name}.png", encode_png(labels))
    assert list(FolderConfig(root=str(tmp_path), catalog="cityscapes").open().keys()) == ["a", "b"]
    write(tmp_path / "rgb/b.png", encode_png(image))
    source = FolderConfig(root=str(tmp_path), catalog="cityscapes", images="rgb/*.png").open()
    assert list(source.keys()) == ["b"]
    assert list(source.unpaired()) == [Unpaired(f"{tmp_path}/labels/train/a.png", "no image of this name")]


def test_a_pattern_that_matches_nothing_is_named(tmp_path):
    with pytest.raises(SourceError) as caught:
        FolderConfig(root=str(tmp_path), catalog="cityscapes", split="val").open()
    assert str(caught.value) == f"{tmp_path}: no label map matches labels/val/**/*.png"


@pytest.mark.parametrize("format", ["folder", "cityscapes", "camvid", "coco_stuff", "webdataset"])
def test_a_root_that_is_not_there_is_named(format, tmp_path):
    options = {"catalog": "cityscapes"} if format in ("folder", "webdataset") else {}
    with pytest.raises(SourceError) as caught:
        SOURCES[format](root=f"{tmp_path}/missing", **options).open()
    assert str(caught.value) == f"{tmp_path}/missing: no such folder, or an empty one"


def test_names_that_never_meet_are_shown(tmp_path, street_maps, encode_png):
    labels, _, image = street_maps(0)
    write(tmp_path / "labels/train/a_gt.png", encode_png(labels))
    write(tmp_path / "rgb/a.png", encode_png(image))
    with pytest.raises(SourceError) as caught:
        FolderConfig(root=str(tmp_path), catalog="cityscapes", images="rgb/*.png").open()
    assert str(caught.value) == (
        f"{tmp_path}: no label map and image share a name: labels/train/a_gt.png and rgb/a.png, for example"
    )


def test_a_pattern_without_wildcard_is_refused():
    with pytest.raises(ValidationError, match=r"'labels/x\.png' is no pattern: it needs a `\*`"):
        FolderConfig(root="r", catalog="cityscapes", labels="labels/x.png")


def test_scenes_of_a_team_whose_ids_pass_8_bits_are_16_bits(tmp_path, encode_png):
    (tmp_path / "wide.yaml").write_text(
        "name: wide\nclasses:\n"
        "  - {id: 1, name: a, color: [0, 0, 0], layer: ground}\n"
        "  - {id: 700, name: b, color: [1, 1, 1], layer: ground}\n"
    )
    labels = np.array([[1, 700], [700, 1]], np.uint16)
    write(tmp_path / "labels/train/x.png", encode_png(labels))
    scene = FolderConfig(root=str(tmp_path), catalog=str(tmp_path / "wide.yaml")).open().read_scene("x")
    assert scene.labels.dtype == np.uint16
    np.testing.assert_array_equal(scene.labels, labels)
