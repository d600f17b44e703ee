"""A catalog is consistent or refused, and its tables agree with its classes."""

import pickle

import numpy as np
import pytest

from label_editing.catalog import Catalog

ROAD = {"id": 1, "name": "road", "color": (1, 2, 3), "layer": "ground"}
CAR = {"id": 300, "name": "car", "color": (4, 5, 6), "layer": "object", "thing": True, "support": ["road"]}


def test_tables_agree_with_the_classes(catalog: Catalog) -> None:
    for rank, spec in enumerate(catalog.classes):
        assert catalog.known[spec.id]
        assert catalog.is_thing[spec.id] == spec.thing
        assert catalog.is_void[spec.id] == spec.void
        assert catalog.channel_of[spec.id] == rank
        assert catalog.id_of[rank] == spec.id
        assert tuple(catalog.palette[spec.id]) == spec.color
        assert [layer for layer, table in catalog.of_layer.items() if table[spec.id]] == [spec.layer]
    assert catalog.channel_of[99] == catalog.num_channels
    assert catalog.known.sum() == len(catalog.classes)


def test_only_ground_structures_and_sky_fill_holes(catalog: Catalog) -> None:
    names = [catalog.with_id(i).name for i in np.flatnonzero(catalog.fills_holes)]
    assert names == ["road", "sidewalk", "building", "vegetation", "sky"]
    assert [catalog.with_id(i).name for i in np.flatnonzero(catalog.is_thin)] == ["pole"]


def test_supports_are_the_named_classes(catalog: Catalog) -> None:
    assert np.flatnonzero(catalog.supports["person"]).tolist() == [1, 2]
    assert "balloon" not in catalog.supports


def test_ids_above_255_make_maps_of_16_bits() -> None:
    wide = Catalog.model_validate({"name": "wide", "classes": [ROAD, CAR]})
    assert wide.label_dtype is np.uint16
    assert wide.wide_instances
    assert wide.is_thing[300]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([ROAD, ROAD], "class name given twice: road"),
        ([ROAD, {**CAR, "id": 1}], "class id given twice: 1"),
        ([CAR, ROAD], "classes must stand in order of their ids"),
        ([ROAD, {**CAR, "support": ["raod"]}], "class 'car': unknown class 'raod'; did you mean 'road'?"),
        ([ROAD, {**CAR, "companion": "bike"}], "class 'car': unknown class 'bike'; known: road, car"),
        ([ROAD, {**CAR, "height_m": 0}], "Input should be greater than 0"),
    ],
)
def test_an_inconsistent_catalog_is_refused(classes: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ValueError, match="validation error") as raised:
        Catalog.model_validate({"name": "bad", "classes": classes})
    assert message in str(raised.value)


def test_unknown_classes_are_named(catalog: Catalog) -> None:
    with pytest.raises(ValueError, match=r"^unknown class 'sidewlak'; did you mean 'sidewalk'\? \(catalog small\)$"):
        catalog.named("sidewlak")
    with pytest.raises(ValueError, match=r"^id 99 is not a class of catalog small$"):
        catalog.with_id(99)


def test_a_catalog_pickles_and_reads_back(catalog: Catalog) -> None:
    assert pickle.loads(pickle.dumps(catalog)) == catalog
    assert Catalog.model_validate_json(catalog.model_dump_json()) == catalog
