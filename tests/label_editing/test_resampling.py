"""Maps at another size hold codes that were there, and poles where asked."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from label_editing.boxes import Box
from label_editing.catalog import Catalog
from label_editing.resampling import resample, resize_scene
from label_editing.scene import Scene, check_scene


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 30), st.integers(1, 30), st.integers(0, 1000))
@settings(deadline=None, derandomize=True, max_examples=80)
def test_each_new_pixel_is_the_one_under_its_centre(h: int, w: int, height: int, width: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 99, (h, w))
    result = resample(values, Box(0, 0, h, w), height, width)
    slow = [
        [values[int((r + 0.5) * h / height), int((c + 0.5) * w / width)] for c in range(width)] for r in range(height)
    ]
    np.testing.assert_array_equal(result, slow)


def poles(catalog: Catalog) -> Scene:
    labels = np.full((64, 64), 4, np.uint8)
    labels[10:50, 2::8] = 7
    return Scene(labels, labels.astype(np.int32), catalog, "poles")


def test_thin_classes_survive_shrinking_where_asked(catalog: Catalog) -> None:
    lost = resize_scene(poles(catalog), 32, 32)
    kept = resize_scene(poles(catalog), 32, 32, keep_thin=True)
    assert not (lost.labels == 7).any()
    np.testing.assert_array_equal(np.flatnonzero((kept.labels == 7).any(axis=0)), np.arange(1, 32, 4))
    check_scene(kept)


def test_enlarging_and_shrinking_by_a_whole_factor_gives_the_scene_back(catalog: Catalog) -> None:
    scene = poles(catalog)
    back = resize_scene(resize_scene(scene, 192, 192), 64, 64)
    np.testing.assert_array_equal(back.labels, scene.labels)
    np.testing.assert_array_equal(back.instances, scene.instances)


def test_a_scene_without_instances_stays_without(catalog: Catalog) -> None:
    bare = poles(catalog).with_maps(poles(catalog).labels, None)
    assert resize_scene(bare, 16, 16, keep_thin=True).instances is None
