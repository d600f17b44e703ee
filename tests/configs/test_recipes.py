"""Every recipe that ships is read, fits its catalog, opens with the command that runs it, and stands in the docs."""

from pathlib import Path

import cv2
import pytest

from pipeline.configs import shipped
from pipeline.errors import ConfigError
from pipeline.recipe import load_recipe
from pipeline.recipe_checks import check_recipe
from pipeline.recipe_docs import main, recipe_page
from pipeline.recipe_previews import MOST_BYTES

RECIPES = shipped("recipes")
NAMES = [
    "balanced_rare_classes",
    "crowded_sidewalks",
    "empty_roads",
    "night_cars",
    "rare_riders",
    "trees_to_buildings",
    "truck_swap",
]


def test_these_recipes_ship() -> None:
    assert list(RECIPES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_recipe_opens_with_its_command_and_fits_its_catalog(name: str) -> None:
    assert RECIPES[name].read_text().splitlines()[0] == f"# synthgen augment --recipe {name}"
    loaded = load_recipe(name)
    assert loaded.value.name == name
    assert loaded.value.output.root == f"runs/{name}"
    check_recipe(loaded, loaded.value.source.open().catalog)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_recipe_takes_the_team_s_source_model_and_output(name: str, tmp_path: Path) -> None:
    overrides = [
        "source={format: folder, root: here, images: 'i/*.png', labels: 'l/*.png', catalog: cityscapes}",
        f"model={tmp_path}/model",
        f"output.root={tmp_path}/out",
    ]
    recipe = load_recipe(name, overrides).value
    assert recipe.source.format == "folder"
    assert (recipe.model, recipe.output.root) == (f"{tmp_path}/model", f"{tmp_path}/out")


def test_the_docs_name_every_recipe_and_are_what_the_models_say() -> None:
    page = recipe_page()
    assert all(f"### {name}\n" in page for name in NAMES)
    assert main(["--check"]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_show_every_recipe_in_a_small_picture(name: str) -> None:
    path = Path(__file__).parents[2] / "docs" / "previews" / f"{name}.jpg"
    assert 5_000 < path.stat().st_size <= MOST_BYTES
    assert cv2.imread(str(path)).shape[1] >= 768


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ("{op: add_instances, class: road}", "edits[0].class: add_instances works on things, and 'road' is stuff"),
        (
            "{op: add_instances, class: car, stands_on: [road, sidewalk]}",
            "edits[0].stands_on[1]: a car never stands on sidewalk; the catalog lets it stand on road, parking, ground",
        ),
        (
            "{op: repeat, times: 2, edit: {op: add_instances, class: person, stands_on: [sidewlak]}}",
            "edits[0].edit.stands_on[0]: unknown class 'sidewlak'; did you mean 'sidewalk'?",
        ),
    ],
)
def test_an_edit_that_the_catalog_does_not_allow_is_refused_at_its_place(edit: str, problem: str) -> None:
    loaded = load_recipe("crowded_sidewalks", [f"edits=[{edit}]"])
    with pytest.raises(ConfigError) as caught:
        check_recipe(loaded, loaded.value.source.open().catalog)
    assert caught.value.problems == [f"--set edits: {problem} (catalog cityscapes)"]
