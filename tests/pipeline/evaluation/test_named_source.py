"""Sources by file or in braces, and label spaces that differ."""

import numpy as np
import pytest

from label_editing.catalog import Catalog, ClassSpec
from pipeline.errors import ConfigError, InputError
from pipeline.evaluation.named_source import in_catalog_of, source_named

WIDER = Catalog(
    name="wider",
    classes=(
        ClassSpec(id=0, name="ground", color=(1, 1, 1), layer="ground"),
        ClassSpec(id=4, name="sky", color=(2, 2, 2), layer="sky"),
        ClassSpec(id=7, name="car", color=(3, 3, 3), layer="object", thing=True),
        ClassSpec(id=8, name="void", color=(0, 0, 0), layer="void", void=True),
    ),
)


def test_a_source_in_braces_and_one_in_a_recipe(tmp_path):
    assert len(source_named("{format: streetscapes, scenes: 3}").keys()) == 3
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: r\nsource: {format: streetscapes, scenes: 4, split: val}\nmodel: m\n")
    assert source_named(str(recipe)).split == "val"


def test_a_misspelt_source_is_a_mistake_with_its_place():
    with pytest.raises(ConfigError, match=r"^the source given:1:\d+: source"):
        source_named("{format: streetscape}")


def test_a_file_that_is_not_there_says_what_is_expected():
    with pytest.raises(
        InputError, match=r"^cannot read none\.yaml: No such file or directory; expected a YAML file or"
    ):
        source_named("none.yaml")


def test_label_spaces_without_counterparts_are_refused(world):
    assert in_catalog_of(world, world.catalog, None, "the data set") is world
    with pytest.raises(InputError) as refused:
        in_catalog_of(world, WIDER, None, "the data set")
    assert str(refused.value) == (
        "the data set has catalog flat, measured is in catalog wider; classes without counterpart: road; "
        "give a mapping file with --classes, such as `classes: {rider: bicyclist}`"
    )


def test_a_mapping_file_makes_them_one(world, tmp_path):
    mapping = tmp_path / "classes.yaml"
    mapping.write_text("classes: {road: ground}\n")
    mapped = in_catalog_of(world, WIDER, str(mapping), "the data set")
    own, other = world.read_scene("flat00"), mapped.read_scene("flat00")
    assert (own.labels == 3).tolist() == (other.labels == 7).tolist()
    assert set(np.unique(other.labels)) == {0, 4, 7, 8}
    assert set(np.unique(other.instances[other.labels == 7])) == {7000}
    assert (mapped.read_image("flat00") == world.read_image("flat00")).all()
    assert mapped.fingerprint() != world.fingerprint()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("classes: {raod: ground}", "unknown class 'raod'; did you mean 'road'? (catalog flat)"),
        ("classes: {road: grund}", "unknown class 'grund'; did you mean 'ground'? (catalog wider)"),
        ("classes: {}", "no counterpart in catalog wider for: road"),
    ],
)
def test_a_wrong_mapping_is_named(world, tmp_path, text, said):
    mapping = tmp_path / "classes.yaml"
    mapping.write_text(text)
    with pytest.raises(InputError) as refused:
        in_catalog_of(world, WIDER, str(mapping), "the data set")
    assert str(refused.value) == f"{mapping}: {said}"
