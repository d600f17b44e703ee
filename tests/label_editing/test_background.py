"""Holes are filled with what is behind: lines go on, walls stand on ground, nothing foreign comes in."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from label_editing.background import fill_hole, has_background
from label_editing.boxes import Box
from label_editing.canvas import Canvas
from label_editing.catalog import Catalog
from label_editing.ground_lines import Run, align
from label_editing.scene import Scene

ROAD, SIDEWALK, BUILDING, VEGETATION, SKY, POLE, CAR = 1, 2, 4, 5, 6, 7, 12


def filled(catalog: Catalog, truth: np.ndarray, box: Box, mask: np.ndarray | None = None) -> np.ndarray:
    """The map after a car is put in the box and its pixels are filled again."""
    hole = np.ones((box.height, box.width), np.bool_) if mask is None else mask
    labels, instances = truth.copy(), truth.astype(np.int32)
    labels[box.window][hole], instances[box.window][hole] = CAR, 12000
    canvas = Canvas(Scene(labels, instances, catalog, "hole"))
    fill_hole(canvas, box, hole)
    return canvas.labels


def kerb(slope: float, height: int = 80, width: int = 120) -> np.ndarray:
    """Building above, then sidewalk, then road; the kerb falls by `slope` rows a column."""
    rows, columns = np.mgrid[:height, :width]
    labels = np.full((height, width), BUILDING, np.uint8)
    labels[rows >= 25 + 0.1 * columns] = SIDEWALK
    labels[rows >= 35 + slope * columns] = ROAD
    return labels


@pytest.mark.parametrize("slope", [0.0, 0.05, 0.15, 0.3])
def test_kerbs_and_walls_go_on_straight(catalog: Catalog, slope: float) -> None:
    truth = kerb(slope)
    result = filled(catalog, truth, Box(15, 40, 70, 85))
    wrong = np.count_nonzero(result != truth)
    assert wrong <= 45  # half a row along each of two borders over 45 columns


def test_a_wall_above_a_hole_comes_down_where_it_stands(catalog: Catalog) -> None:
    truth = np.full((60, 100), ROAD, np.uint8)
    truth[:30, :50], truth[:30, 50:] = BUILDING, SKY
    result = filled(catalog, truth, Box(12, 30, 45, 70))
    assert np.mean(result == truth) > 0.99


def test_a_pole_beside_a_hole_is_not_smeared_into_it(catalog: Catalog) -> None:
    truth = kerb(0.0)
    truth[5:40, 38:40] = POLE
    result = filled(catalog, truth, Box(15, 40, 70, 85))
    assert not (result[15:70, 40:85] == POLE).any()


def test_an_object_beside_a_hole_stays_whole_and_out_of_it(catalog: Catalog) -> None:
    truth = kerb(0.0)
    labels, instances = truth.copy(), truth.astype(np.int32)
    labels[20:60, 30:80] = CAR
    instances[20:60, 30:60], instances[20:60, 60:80] = 12000, 12001
    canvas = Canvas(Scene(labels, instances, catalog, "two cars"))
    other = canvas.table[12001]
    fill_hole(canvas, canvas.table[12000].box, np.ones((40, 30), np.bool_))
    assert canvas.table[12001] == other
    assert np.mean(canvas.labels[20:60, 30:60] == truth[20:60, 30:60]) > 0.97


@given(st.integers(0, 10**6))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_whatever_is_around_only_background_fills(catalog: Catalog, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([c.id for c in catalog.classes if not c.thing], (12, 16)).astype(np.uint8)
    labels[0, 0] = ROAD
    hole = rng.random((8, 10)) < 0.7
    result = filled(catalog, labels, Box(2, 3, 10, 13), hole)
    assert catalog.fills_holes[result[2:10, 3:13][hole]].all()


def test_a_map_of_objects_alone_has_nothing_to_fill_with(catalog: Catalog) -> None:
    canvas = Canvas(Scene(np.full((4, 4), POLE, np.uint8), None, catalog, "poles"))
    assert not has_background(canvas)
    with pytest.raises(ValueError, match=r"^a map without ground, structures or sky has nothing to fill a hole with$"):
        fill_hole(canvas, canvas.whole, np.ones((4, 4), np.bool_))


def test_runs_are_aligned_by_the_longest_strips_both_sides_share() -> None:
    def side(*runs: tuple[int, int]) -> list[Run]:
        first, out = 0, []
        for code, length in runs:
            out.append(Run(code, first, 0, first + length - 1, 0))
            first += length
        return out

    left = side((BUILDING, 10), (SIDEWALK, 5), (ROAD, 20))
    right = side((BUILDING, 5), (ROAD, 30))
    assert align(left, right) == [(0, 0), (1, None), (2, 1)]
    assert align(left, []) == [(0, None), (1, None), (2, None)]
    crossed = side((ROAD, 2), (BUILDING, 30))
    assert align(left, crossed) == [(None, 0), (0, 1), (1, None), (2, None)]


@pytest.mark.slow
def test_on_real_maps_what_is_pasted_and_removed_leaves_the_background_as_it_was(
    cityscapes_scenes: list[Scene], repaste: Callable[[Scene, str, int], tuple[int, int]]
) -> None:
    counts = np.array(
        [
            repaste(cityscapes_scenes[(k // 2) % len(cityscapes_scenes)], ("car", "person")[k % 2], k)
            for k in range(3 * len(cityscapes_scenes))
        ]
    )
    back, pixels = counts.sum(axis=0)
    assert np.count_nonzero(counts[:, 1]) > 30
    assert back >= 0.95 * pixels


def test_a_fence_before_a_building_goes_on_behind(catalog: Catalog) -> None:
    truth = np.full((80, 160), BUILDING, np.uint8)
    truth[20:45], truth[45:] = VEGETATION, ROAD
    result = filled(catalog, truth, Box(8, 40, 70, 120))
    np.testing.assert_array_equal(result, truth)


@pytest.mark.parametrize("slope", [-0.2, 0.0, 0.2])
@pytest.mark.parametrize("mirrored", [False, True])
def test_where_an_object_hides_the_other_side_kerbs_go_on_as_they_do_beside_the_hole(
    catalog: Catalog, slope: float, mirrored: bool
) -> None:
    rows, columns = np.mgrid[:160, :200]
    truth = np.full((160, 200), BUILDING, np.uint8)
    truth[rows >= 50 + slope * columns] = SIDEWALK
    truth[rows >= 80 + slope * columns] = ROAD
    labels, instances = truth.copy(), truth.astype(np.int32)
    for code, window in ((12001, np.s_[5:155, 140:200]), (12000, np.s_[10:150, 80:140])):
        labels[window], instances[window] = CAR, code
    if mirrored:
        truth, labels, instances = (np.ascontiguousarray(m[:, ::-1]) for m in (truth, labels, instances))
    canvas = Canvas(Scene(labels, instances, catalog, "two cars"))
    box = canvas.table[12000].box
    fill_hole(canvas, box, np.ones((box.height, box.width), np.bool_))
    wrong = np.count_nonzero(canvas.labels[box.window] != truth[box.window])
    assert wrong <= 3 * 60  # a row or two along each of two borders over 60 columns


def test_a_strip_that_ends_behind_an_object_ends_where_its_borders_meet(catalog: Catalog) -> None:
    rows, columns = np.mgrid[:160, :300]
    truth = np.full((160, 300), BUILDING, np.uint8)
    truth[rows >= 60] = ROAD
    truth[(rows >= 60) & (rows < 60 + 0.5 * (160 - columns))] = SIDEWALK  # its tip lies at column 160
    result = filled(catalog, truth, Box(40, 100, 140, 260))
    wrong = np.count_nonzero(result != truth)
    assert wrong <= 160  # a straight taper to the other side would get 1600 wrong
