"""Tags by hand and by attribute."""

from dataclasses import replace

import pytest

from pipeline.styles.bank import WHOLE_IMAGE, StyleBank
from pipeline.styles.tags import tag_by_attribute, tag_cluster


def tags_of(bank: StyleBank) -> dict[tuple[int, int], tuple[str, ...]]:
    return {(c.class_id, c.number): c.tags for c in bank.clusters}


def test_a_cluster_gets_the_value_that_most_of_its_regions_have(bank: StyleBank) -> None:
    mixed = replace(bank.clusters[0], attributes={"time_of_day": {"night": 2, "day": 1}})
    bank = replace(bank, clusters=(mixed, *bank.clusters[1:]))
    strict = tags_of(tag_by_attribute(bank, "time_of_day", 0.8))
    assert strict[1, 0] == ()
    assert (strict[1, 1], strict[2, 0], strict[3, 1]) == (("day",), ("night",), ("day",))
    assert tags_of(tag_by_attribute(bank, "time_of_day", 0.6))[1, 0] == ("night",)


def test_tagging_by_attribute_again_replaces_its_own_tags_and_leaves_others(bank: StyleBank) -> None:
    first = tag_by_attribute(bank.tagged(3, 0, ["taxi", "day"]), "time_of_day", 0.8)
    assert tags_of(first)[3, 0] == ("night", "taxi")


def test_an_unknown_attribute_is_named_with_the_nearest(bank: StyleBank) -> None:
    with pytest.raises(ValueError, match=r"^unknown attribute 'time_of_dya'; did you mean 'time_of_day'\?$"):
        tag_by_attribute(bank, "time_of_dya", 0.8)


def test_looks_of_whole_images_are_tagged_as_image(bank: StyleBank, catalog) -> None:
    whole = replace(bank, clusters=tuple(replace(c, class_id=WHOLE_IMAGE) for c in bank.clusters if c.class_id == 1))
    assert tags_of(tag_cluster(whole, catalog, "image", 1, ["rain"]))[WHOLE_IMAGE, 1] == ("rain",)
    with pytest.raises(ValueError, match=r"^this model has looks of whole images only; tag 'image' instead of 'car'$"):
        tag_cluster(whole, catalog, "car", 0, ["x"])


def test_a_cluster_that_is_not_there_is_counted_out(bank: StyleBank, catalog) -> None:
    with pytest.raises(ValueError, match=r"^car has no cluster 7; it has 2, counted from 0$"):
        tag_cluster(bank, catalog, "car", 7, ["x"])
