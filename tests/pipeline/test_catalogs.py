"""The catalogs that ship say what their data sets say, and a team's own is found by path or URL."""

import fsspec
import numpy as np
import pytest

from pipeline.catalogs import catalog_names, load_catalog
from pipeline.configs import shipped
from pipeline.errors import ConfigError, InputError, MissingFileError

MINE = """name: mine
classes:
  - {id: 0, name: floor, color: [0, 0, 0], layer: ground}
  - {id: 3, name: robot, color: [9, 9, 9], layer: object, thing: true, support: [floor]}
"""


def test_every_shipped_catalog_loads_and_opens_with_its_command():
    assert catalog_names() == ["camvid", "cityscapes", "coco_stuff", "sketch"]
    for name, path in shipped("classes").items():
        assert load_catalog(name).name == name
        # Drawings are no format of their own: folders of them are read with this catalog.
        reader = "folder" if name == "sketch" else name
        assert path.read_text().startswith(f"# synthgen sources check --format {reader} --root DIR")


def test_cityscapes_has_the_official_ids_train_ids_and_things():
    catalog = load_catalog("cityscapes")
    assert [c.id for c in catalog.classes] == list(range(35))
    trained = [c.name for c in sorted(catalog.classes, key=lambda c: c.train_id) if c.train_id != 255]
    assert trained == [
        "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation",
        "terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
    ]  # fmt: skip
    assert [c.train_id for c in catalog.classes if c.train_id != 255] == list(range(19))
    assert [c.id for c in catalog.classes if c.thing] == list(range(24, 34))
    assert [c.id for c in catalog.classes if c.void] == [0, 1, 2, 3, 4, 5, 34]
    assert tuple(catalog.palette[26]) == (0, 0, 142)
    assert catalog.named("rider").companion == ("bicycle", "motorcycle")
    assert not catalog.wide_instances


def test_camvid_has_eleven_classes_and_void():
    catalog = load_catalog("camvid")
    assert catalog.names == (
        "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
        "void",
    )  # fmt: skip
    assert [c.name for c in catalog.classes if c.thing] == ["car", "pedestrian", "bicyclist"]
    np.testing.assert_array_equal(catalog.train_id_of[:12], [*range(11), 255])


def test_coco_stuff_has_official_ids_and_the_files_values_as_train_ids():
    catalog = load_catalog("coco_stuff")
    assert [c.id for c in catalog.classes] == list(range(183))
    assert [c.id for c in catalog.classes if c.thing] == list(range(1, 92))
    assert [catalog.named(n).id for n in ("person", "toothbrush", "hair brush", "banner", "wood")] == [
        1,
        90,
        91,
        92,
        182,
    ]
    np.testing.assert_array_equal(catalog.train_id_of[:183], [255, *range(182)])
    assert len({c.color for c in catalog.classes}) == 183
    assert catalog.wide_instances


@pytest.mark.parametrize("name", ["cityscapes", "camvid", "coco_stuff"])
def test_what_objects_stand_on_is_never_void(name):
    catalog = load_catalog(name)
    for spec in catalog.classes:
        assert not [other for other in spec.support if catalog.named(other).void]
        assert spec.thing or not spec.support


def test_an_own_catalog_is_found_by_path_and_by_url(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(MINE)
    with fsspec.open("memory://catalogs/mine.yaml", "w") as file:
        file.write(MINE)
    assert load_catalog(str(path)) == load_catalog("memory://catalogs/mine.yaml")
    assert load_catalog(str(path)).named("robot").id == 3


def test_a_mistake_is_reported_with_its_place(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(MINE.replace("layer: ground", "lair: ground"))
    with pytest.raises(ConfigError) as caught:
        load_catalog(str(path))
    assert f"{path}:3:44: classes[0].lair: unknown key 'lair'; did you mean 'layer'?" in caught.value.problems


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(InputError, match=r"no class catalog 'cityscape'.*did you mean 'cityscapes'\?"):
        load_catalog("cityscape")


def test_a_missing_url_is_named():
    with pytest.raises(MissingFileError, match=r"^memory://nowhere/mine\.yaml: cannot read: no such file"):
        load_catalog("memory://nowhere/mine.yaml")
