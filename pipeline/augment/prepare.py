"""From a recipe to a job: open everything it names and check that it fits together, before any work starts."""

import hashlib

from label_editing.edits import EditContext
from pipeline.augment.job import AugmentJob
from pipeline.balance import balance_weights
from pipeline.config_file import Loaded
from pipeline.errors import InputError
from pipeline.model_directory import OpenModel, open_model
from pipeline.plan import Plan, draw_plan, flat_name
from pipeline.plan_record import PlanRecord
from pipeline.recipe import Recipe
from pipeline.recipe_checks import check_recipe
from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.styles.bank import StyleBank
from pipeline.styles.draw import check_picks


def prepare(loaded: Loaded[Recipe]) -> tuple[AugmentJob, PlanRecord]:
    """The job of a recipe and the record of its plan. Raises InputError with everything that does not fit."""
    recipe = loaded.value
    model = open_model(recipe.model)
    source = recipe.source.open()
    check_recipe(loaded, source.catalog)
    model.check_catalog(source.catalog)
    bank = model.style_bank()
    _check_styles(loaded, model, bank)
    resolution = recipe.resolution or model.resolution
    plan = recipe_plan(recipe, source, resolution)
    record = PlanRecord.of(recipe, plan, _look_fingerprint(model, bank), source.fingerprint(), str(resolution))
    job = AugmentJob(recipe, source, model, bank, plan, record.fingerprint(), EditContext(), resolution)
    return job, record


def recipe_plan(recipe: Recipe, source: Source, resolution: Resolution | None) -> Plan:
    """Which scenes a recipe draws, and how often."""
    keys = source.keys()
    samples = recipe.samples or (recipe.variants_per_source or 1) * len(keys)
    weights = None if recipe.balance is None else balance_weights(recipe.balance, source, resolution)
    shard_size = recipe.output.samples_per_shard
    return draw_plan(recipe.name, keys, samples, recipe.seed, shard_size, flat_name(source.split), weights)


def _check_styles(loaded: Loaded[Recipe], model: OpenModel, bank: StyleBank) -> None:
    problems = check_picks(bank, loaded.value.styles)
    if problems:
        raise InputError("\n".join(f"{loaded.shown_as}: {problem} (model {model.url})" for problem in problems))


def _look_fingerprint(model: OpenModel, bank: StyleBank) -> str:
    """Images depend on weights and styles."""
    return hashlib.sha256(f"{model.fingerprint}/{bank.fingerprint()}".encode()).hexdigest()
