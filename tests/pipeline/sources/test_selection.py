"""`select` and `where` narrow any source, and never to nothing without saying why."""

import pytest

from pipeline.errors import SourceError
from pipeline.sources.cityscapes import CityscapesConfig
from pipeline.sources.streetscapes import StreetscapesConfig


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({"select": "aachen_*"}, ["aachen_000000_000019", "aachen_000001_000019"]),
        ({"where": {"city": "ulm"}}, ["ulm_000002_000019"]),
        (
            {"where": {"city": ("ulm", "aachen")}, "select": "*_00000[12]_*"},
            ["aachen_000001_000019", "ulm_000002_000019"],
        ),
    ],
)
def test_only_what_matches_is_left(cityscapes, options, keys):
    source = CityscapesConfig(root=str(cityscapes), **options).open()
    assert list(source.keys()) == keys
    assert source.read(keys[0]).image is not None


def test_streets_of_one_hour_can_be_had():
    source = StreetscapesConfig(scenes=30, where={"time_of_day": "night"}).open()
    assert {source.attributes(key)["time_of_day"] for key in source.keys()} == {"night"}


def test_a_scene_that_was_not_selected_is_not_read(cityscapes):
    source = CityscapesConfig(root=str(cityscapes), select="aachen_*").open()
    with pytest.raises(SourceError, match=r"^scene 'ulm_000002_000019' is not among the 2 selected$"):
        source.read_scene("ulm_000002_000019")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"select": "bonn_*"}, "select: no key matches 'bonn_*'; the first of 3 is 'aachen_000000_000019'"),
        ({"where": {"cty": "ulm"}}, "where: unknown attribute 'cty'; did you mean 'city'?"),
        ({"where": {"city": "ulmm"}}, "where.city: unknown value 'ulmm'; did you mean 'ulm'?"),
    ],
)
def test_nothing_left_says_why(cityscapes, options, message):
    with pytest.raises(SourceError) as caught:
        CityscapesConfig(root=str(cityscapes), **options).open()
    assert str(caught.value) == message


def test_values_that_never_meet_are_named_together(cityscapes):
    (cityscapes / "hours.csv").write_text("key,hour\naachen_000000_000019,day\nulm_000002_000019,night\n")
    where = {"city": "aachen", "hour": "night"}
    with pytest.raises(SourceError) as caught:
        CityscapesConfig(root=str(cityscapes), attributes="hours.csv", where=where).open()
    assert str(caught.value) == "where: no scene has city 'aachen' and hour 'night' together"
