"""From a recipe to a job: open everything it names and check that it fits together, before any work starts."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from label_editing.edits import EditContext
from pipeline.augment.gate import judge_of
from pipeline.augment.job import AugmentJob
from pipeline.augment.workers import render_threads
from pipeline.balance import Balancing, ClassShare, balancing_of, weighted_by_need
from pipeline.class_counts import Weights, count_classes, has_counts, kept_counts
from pipeline.config_file import Loaded
from pipeline.config_problems import Problem
from pipeline.errors import InputError
from pipeline.glance import spread
from pipeline.model_directory import OpenModel, open_model
from pipeline.plan import Plan, draw_plan, flat_name
from pipeline.plan_record import PlanRecord
from pipeline.recipe import Balance, Recipe
from pipeline.recipe_checks import Parts, class_problems, style_problems
from pipeline.recipe_source import narrowed_source
from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.styles.bank import StyleBank

GLANCE = 24  # scenes whose classes are counted while somebody waits for a preview
_MOST_OF_FEW = 2.0  # times as often as the average of them may one be drawn: many would be one scene otherwise


def prepare(loaded: Loaded[Recipe], *, quick: bool = False) -> tuple[AugmentJob, PlanRecord]:
    """The job of a recipe and the record of its plan. Raises InputError with everything that does not fit.

    `quick`: in seconds on any source; see `draw_recipe`.
    """
    recipe = loaded.value
    source = narrowed_source(loaded)
    model, bank = _checked(loaded, source)
    resolution = recipe.resolution or model.resolution
    drawn = draw_recipe(recipe, source, resolution, quick=quick)
    look = _look_fingerprint(model, bank)
    judge = judge_of(recipe, model, resolution)
    record = PlanRecord.of(drawn.recipe, drawn.plan, look, source.fingerprint(), str(resolution), judge)
    context = EditContext()  # a run adds what its edits need of the whole source
    job = AugmentJob(
        drawn.recipe, source, model, bank, drawn.plan, record.fingerprint(), context, resolution, drawn.shares
    )
    return job, record


class Drawn(NamedTuple):
    """A recipe with its plan; a balance has filled in how often its edits add what, and says how near it comes."""

    recipe: Recipe
    plan: Plan
    shares: tuple[ClassShare, ...] = ()


def draw_recipe(recipe: Recipe, source: Source, resolution: Resolution | None, *, quick: bool = False) -> Drawn:
    """Which scenes a recipe draws, and how often.

    `quick` draws from a few of the scenes where a balance would have to count the classes of all of them first.
    """
    if recipe.balance is None:
        return Drawn(recipe, _plan(recipe, source, source.keys(), None))
    keys, balancing = _balancing(recipe, recipe.balance, source, resolution, quick)
    plan = _plan(recipe, source, keys, balancing.weights())
    shares = balancing.shares(plan.choices)
    edits = weighted_by_need(recipe.edits, balancing.objects_lacking(shares))
    return Drawn(recipe.model_copy(update={"edits": edits}), plan, shares)


def _balancing(
    recipe: Recipe, balance: Balance, source: Source, resolution: Resolution | None, quick: bool
) -> tuple[Sequence[str], Balancing]:
    """The scenes to draw from and what the balance asks of them."""
    if quick and counts_are_missing(recipe, source, resolution):
        keys = spread(source.keys(), GLANCE)
        with suppress(InputError):  # a class that none of these few has: another scene may have it
            few = count_classes(source, keys, resolution)
            return keys, balancing_of(balance, source.catalog, few, recipe.edits, _MOST_OF_FEW)
    counted = kept_counts(source, resolution)
    return source.keys(), balancing_of(balance, source.catalog, counted, recipe.edits)


def counts_are_missing(recipe: Recipe, source: Source, resolution: Resolution | None) -> bool:
    """Whether a balance needs counts that take a while to make."""
    return recipe.balance is not None and len(source.keys()) > GLANCE and not has_counts(source, resolution)


def _plan(recipe: Recipe, source: Source, keys: Sequence[str], weights: Weights | None) -> Plan:
    samples = recipe.samples or (recipe.variants_per_source or 1) * len(keys)
    shard_size = recipe.output.samples_per_shard
    # Without edits the variants of a scene are one label map in several styles, which render cheaper side by side.
    together = not recipe.edits
    return draw_plan(recipe.name, keys, samples, recipe.seed, shard_size, flat_name(source.split), weights, together)


def _checked(loaded: Loaded[Recipe], source: Source) -> tuple[OpenModel, StyleBank]:
    """The model and its styles, once all that the recipe names is there. ConfigError with everything that is not."""
    # Torch takes longer to import than a preview of label maps takes.
    from pipeline.styles.photographs import with_photographs

    recipe, parts = loaded.value, Parts.of(loaded)
    problems = class_problems(parts, source.catalog)
    try:
        model = open_model(recipe.model)
        model.check_catalog(source.catalog)
        with render_threads():  # the looks of photographs are a part of the plan's fingerprint
            bank = with_photographs(model.style_bank(), recipe.styles, model, source)
    except InputError as error:
        if not problems:
            raise
        loaded.fail([*problems, Problem(("model",), str(error))])
    problems += style_problems(parts, bank, model.url)
    if problems:
        loaded.fail(problems)
    return model, bank


def _look_fingerprint(model: OpenModel, bank: StyleBank) -> str:
    """Images depend on weights and styles."""
    return hashlib.sha256(f"{model.fingerprint}/{bank.fingerprint()}".encode()).hexdigest()
