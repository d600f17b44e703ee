"""Drawings: of photographs, of label maps, and those that somebody made."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from label_editing.scene import Scene
from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources import SOURCES
from pipeline.sources.base import Pair
from pipeline.sources.sketch import SketchSource, borders, strokes

SIZE = Resolution(64, 32)
STREETS = {"format": "streetscapes", "scenes": 2}


def test_a_stroke_runs_where_the_brightness_changes_and_nowhere_else():
    image = np.zeros((20, 40, 3), np.uint8)
    image[:, 20:] = 255
    drawing = strokes(image)
    assert set(np.flatnonzero(drawing.any(axis=0))) <= {18, 19, 20, 21}
    assert drawing[5:15].any(axis=1).all()


def test_borders_lie_on_one_side_of_every_change():
    source = SOURCES["streetscapes"](scenes=1).open()
    scene = source.read_scene(source.keys()[0], SIZE)
    labels = np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]], np.uint8)
    drawn = borders(replace(scene, labels=labels, instances=labels.astype(np.int32)))
    assert drawn.tolist() == [[0, 1, 0], [1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize("lines", ["photograph", "labels"])
def test_a_drawing_keeps_key_attributes_and_photograph(lines):
    source = SOURCES["sketch"](of=STREETS, lines=lines).open()
    drawn = SOURCES["streetscapes"](scenes=2).open()
    key = source.keys()[1]
    scene, image = source.read(key, SIZE)
    _, photograph = drawn.read(key, SIZE)
    np.testing.assert_array_equal(image, photograph)
    assert dict(scene.attributes) == dict(drawn.attributes(key))
    assert [c.name for c in scene.catalog.classes] == ["paper", "stroke"]
    assert 0.01 < scene.labels.mean() < 0.6


def test_the_split_of_what_is_drawn_is_the_split_of_the_drawings():
    assert SOURCES["sketch"](of={**STREETS, "split": "val"}).open().split == "val"
    again = SOURCES["sketch"].model_validate(SOURCES["sketch"](of={**STREETS, "split": "val"}).model_dump())
    assert again.open().split == "val"
    assert SOURCES["sketch"](of=STREETS, split="val").open().split == "val"


def test_scenes_without_a_photograph_say_what_can_be_drawn():
    class Blind(type(SOURCES["streetscapes"](scenes=1).open())):
        def read(self, key, resolution=None):
            return Pair(super().read(key, resolution).scene, None)

    source = SketchSource(Blind(SOURCES["streetscapes"](scenes=1)), "photograph")
    with pytest.raises(
        SourceError, match=r"^streetscapes-train-000000: has no photograph to draw; use `lines: labels`$"
    ):
        source.read(source.keys()[0], SIZE)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_folder_of_drawings_is_read_dark_on_light(tmp_path, channels):
    paper = np.full((16, 24), 240, np.uint8)
    paper[4, 2:20] = 30
    for folder in ("labels/train", "images"):
        (tmp_path / folder).mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "labels/train/a.png"), paper if channels == 1 else np.dstack([paper] * 3))
    cv2.imwrite(str(tmp_path / "images/a.png"), np.zeros((16, 24, 3), np.uint8))
    config = SOURCES["folder"](root=str(tmp_path), catalog="sketch", label_encoding="drawing", images="images/*.png")
    scene: Scene = config.open().read_scene("a")
    np.testing.assert_array_equal(scene.labels, paper == 30)
