import numpy as np
import pytest

from label_editing.edits.add_instances import AddInstances
from label_editing.edits.mirror import Mirror
from label_editing.edits.one_of import OneOf
from pipeline import class_counts
from pipeline.balance import Balancing, balancing_of, tilted_weights, weighted_by_need
from pipeline.class_counts import Counted, count_classes, has_counts, kept_counts
from pipeline.errors import ConfigError, InputError
from pipeline.recipe import Balance, load_recipe
from pipeline.resolution import Resolution
from pipeline.sources import SOURCES

SIZE = Resolution(96, 48)


@pytest.fixture(scope="module")
def streets():
    return SOURCES["streetscapes"](scenes=60, seed=1).open()


@pytest.fixture(scope="module")
def counted(streets):
    return count_classes(streets, streets.keys(), SIZE)


def test_the_shares_asked_for_are_reached_in_expectation():
    rng = np.random.default_rng(0)
    amounts = rng.gamma(0.5, 10, (500, 2))
    totals = np.full(500, 100.0)
    weights = tilted_weights(amounts, totals, [0.09, 0.03])
    assert weights @ amounts / (weights @ totals) == pytest.approx([0.09, 0.03], rel=1e-3)
    assert weights.sum() == pytest.approx(1)


def test_shares_as_they_are_leave_the_weights_uniform():
    amounts = np.random.default_rng(1).gamma(1, 1, (100, 1))
    weights = tilted_weights(amounts, np.full(100, 50.0), [amounts.mean() / 50])
    assert weights == pytest.approx(np.full(100, 0.01), rel=1e-4)


def test_the_solution_is_the_exponential_tilt_known_in_closed_form():
    # Two kinds of scenes, with 0 or 1 of 2: share t needs weight 2t on the second kind.
    amounts = np.array([[0.0], [0.0], [0.0], [1.0]])
    weights = tilted_weights(amounts, np.full(4, 2.0), [0.3])
    assert weights == pytest.approx([0.4 / 3, 0.4 / 3, 0.4 / 3, 0.6], rel=1e-3)


def test_a_share_out_of_reach_does_not_make_a_data_set_of_one_scene():
    amounts = np.random.default_rng(2).gamma(1, 1, (400, 1))
    weights = tilted_weights(amounts, np.full(400, 100.0), [0.9])
    assert weights.max() <= 20 / 400 + 1e-12
    assert weights.sum() == pytest.approx(1)


def test_streets_with_more_cars_are_drawn_more_often(streets, counted):
    counts = counted.pixels
    before = counts[:, 26].sum() / counts.sum()
    weights = balancing_of(Balance(by="pixels", target={"car": 1.3 * before}), streets.catalog, counted).weights()
    assert weights @ counts[:, 26] / (weights @ counts.sum(axis=1)) == pytest.approx(1.3 * before, rel=0.02)


def test_pixels_and_instances_are_counted_as_the_maps_say(streets, counted):
    scene = streets.read_scene(streets.keys()[0], SIZE)
    assert counted.pixels[0].sum() == 96 * 48
    cars = [i for i in np.unique(scene.instances) if i // 1000 == 26]
    assert counted.instances[0, 26] == len(cars)


def test_a_class_that_no_scene_has_is_named(streets, counted):
    with pytest.raises(InputError, match=r"^balance\.target: no scene of the source has caravan$"):
        balancing_of(Balance(target={"caravan": 0.1}), streets.catalog, counted)


def test_a_class_that_only_edits_add_is_left_to_them(streets, counted):
    add = AddInstances.model_validate({"class": "caravan"})
    balancing = balancing_of(Balance(target={"caravan": 0.1}), streets.catalog, counted, [add])
    assert balancing.weights() == pytest.approx(np.ones(60))
    (share,) = balancing.shares(np.arange(60, dtype=np.int32))
    assert (share.source, share.planned, share.reachable) == (0, 0, 0)
    assert balancing.objects_lacking([share])["caravan"] > 0


# Forty scenes of 100 pixels; car is class 1, on 20 pixels in two objects in every fourth scene.
PIXELS = np.tile([[100.0, 0.0], [100.0, 0.0], [100.0, 0.0], [80.0, 20.0]], (10, 1))
OBJECTS = np.tile([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 2.0]], (10, 1))


def test_a_plan_says_what_is_reachable_and_how_near_it_comes():
    balancing = Balancing(Balance(target={"car": 0.3}), (1,), Counted(PIXELS, OBJECTS))
    (share,) = balancing.shares(np.array([3, 7, 0, 1], np.int32))
    assert vars(share) == pytest.approx(
        {"name": "car", "target": 0.3, "source": 0.05, "planned": 0.1, "reachable": 0.2}
    )
    assert share.as_text() == (
        "car: target 30.00%, source 5.00%, drawn 10.00% (at most 20.00% by drawing scenes; edits have to add the rest)"
    )
    assert balancing.objects_lacking([share]) == pytest.approx({"car": 2.0})  # 20 of 100 pixels, ten an object


def test_what_lacks_most_is_added_most():
    adds = [AddInstances.model_validate({"class": name, "count": n}) for name, n in [("bus", 1), ("person", 4)]]
    (drawn,) = weighted_by_need((OneOf(edits=tuple(adds)),), {"bus": 0.5, "person": 1.0})
    assert drawn.weights == (0.5, 0.25)
    (drawn,) = weighted_by_need((OneOf(edits=tuple(adds)),), {"bus": 0.5, "person": 0.0})
    assert drawn.weights == (0.5, 0.025)


def test_weights_that_a_recipe_gives_are_left_alone():
    add = AddInstances.model_validate({"class": "bus"})
    given = OneOf(edits=(add, Mirror()), weights=(1, 2)), OneOf(edits=(add, Mirror())), Mirror()
    assert weighted_by_need(given, {"bus": 1.0}) == given
    assert weighted_by_need((OneOf(edits=(add,)),), {"bus": 0.0}) == (OneOf(edits=(add,)),)


def test_a_balance_never_draws_held_out_scenes():
    with pytest.raises(ConfigError, match=r"balance draws training scenes only, and source\.split is 'val'"):
        load_recipe("balanced_rare_classes", ["source.split=val"])


def test_classes_are_counted_once_on_a_machine(streets, counted, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path))
    assert not has_counts(streets, SIZE)
    assert np.array_equal(kept_counts(streets, SIZE), counted)
    assert has_counts(streets, SIZE)
    with monkeypatch.context() as patch:
        patch.delattr(class_counts, "count_classes")
        assert np.array_equal(kept_counts(streets, SIZE), counted)
    assert not has_counts(streets, Resolution(48, 24))
    assert not has_counts(SOURCES["streetscapes"](scenes=60, seed=2).open(), SIZE)


@pytest.mark.parametrize("damage", [b"", b"PK", b"\x80\x04."])
def test_damaged_counts_are_made_again(damage, streets, counted, tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path))
    kept_counts(streets, SIZE)
    [kept] = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damage)
    assert np.array_equal(kept_counts(streets, SIZE), counted)
    assert len(kept.read_bytes()) == len(whole)


def test_a_home_that_cannot_be_written_to_costs_time_alone(streets, counted, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path / "file" / "cache"))
    assert np.array_equal(kept_counts(streets, SIZE), counted)
