"""The source of a recipe and the size its scenes are read at, also where there is no model yet."""

from pipeline.config_file import Loaded
from pipeline.model_directory import ModelDirectory, open_model
from pipeline.recipe import Recipe
from pipeline.recipe_checks import check_recipe
from pipeline.recipe_drafts import name_problems
from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.sources.selection import SelectionError


def opened_source(loaded: Loaded[Recipe]) -> Source:
    """The source, once the recipe is known to fit its classes. ConfigError with every mistake."""
    source = narrowed_source(loaded)
    check_recipe(loaded, source.catalog)
    return source


def narrowed_source(loaded: Loaded[Recipe]) -> Source:
    """The source; where nothing of it is left, ConfigError with whatever else is wrong with the recipe."""
    try:
        return loaded.value.source.open()
    except SelectionError:
        loaded.fail(name_problems(loaded.resolved))


def reading_resolution(recipe: Recipe) -> Resolution | None:
    """What the recipe says, else the model; None, the source's own, where there is no model yet."""
    if recipe.resolution is not None or not ModelDirectory(recipe.model).finished():
        return recipe.resolution
    return open_model(recipe.model).resolution
