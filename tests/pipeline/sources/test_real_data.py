"""The data sets as they are downloaded, where they are present."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.resolution import Resolution
from pipeline.sources.camvid import CamvidConfig
from pipeline.sources.check import check_source
from pipeline.sources.cityscapes import CityscapesConfig
from pipeline.sources.coco_stuff import CocoStuffConfig

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"


@pytest.fixture(autouse=True)
def _present():
    if not DATA.is_dir():
        pytest.skip("no real data at ../shared/data")


@pytest.mark.parametrize(("split", "scenes", "images"), [("train", 5, 5), ("val", 8, 0)])
def test_cityscapes_is_sound(split, scenes, images):
    report = check_source(CityscapesConfig(root=str(DATA / "cityscapes"), split=split).open())
    assert (report.sound, report.read, report.images) == (True, scenes, images)
    assert list(report.sizes) == [(2048, 1024)]


def test_camvid_is_sound_and_dusk_is_one_sequence():
    dusk = CamvidConfig(root=str(DATA / "camvid"), where={"time_of_day": "dusk"}, instances="components").open()
    assert len(dusk.keys()) == 62
    report = check_source(dusk, limit=12)
    assert report.sound
    assert report.attributes["sequence"] == {"0001TP": 12}
    assert report.instances["car"] > 12
    assert len(CamvidConfig(root=str(DATA / "camvid")).open().keys()) == 367
    assert len(CamvidConfig(root=str(DATA / "camvid"), split="val").open().keys()) == 101


def test_a_night_street_keeps_its_maps_on_its_image_when_shrunk():
    source = CityscapesConfig(root=str(DATA / "cityscapes")).open()
    scene, image = source.read("aachen_000001_000019", Resolution(512, 256))
    full, photo = source.read("aachen_000001_000019")
    np.testing.assert_array_equal(scene.labels, full.labels[2::4, 2::4])
    assert scene.instances is not None
    np.testing.assert_array_equal(scene.instances, full.instances[2::4, 2::4])
    means = photo.reshape(256, 4, 512, 4, 3).mean(axis=(1, 3))
    assert np.abs(image - means).max() <= 0.5


@pytest.mark.parametrize(("split", "scenes"), [("train", 5), ("val", 8)])
def test_coco_stuff_is_sound(split, scenes):
    report = check_source(CocoStuffConfig(root=str(DATA / "coco_stuff"), split=split).open())
    assert (report.sound, report.read, report.images) == (True, scenes, scenes)


def test_coco_instances_are_the_objects_one_sees():
    source = CocoStuffConfig(root=str(DATA / "coco_stuff")).open()
    objects = {}
    for key in source.keys():
        instances = source.read_scene(key).instances
        names = [source.catalog.with_id(int(i) // 1000).name for i in np.unique(instances) if i >= 1000]
        objects[key] = {name: names.count(name) for name in names}
    assert objects["000000017914"] == {"person": 1, "cat": 1, "bed": 1, "laptop": 1}
    assert objects["000000138805"] == {"person": 6, "horse": 2}
    assert objects["000000197384"] == {"truck": 2}
