"""Whether each stage of a training can take over the one before: found out before the first step, on no memory."""

from itertools import pairwise

import torch

from generators import family_named
from generators.family import FamilyConfig, System
from pipeline.errors import InputError
from pipeline.model_directory import label_space
from pipeline.training.job import Job


def check_growth(job: Job) -> None:
    """Go through all stage changes with networks that have shapes and no weights."""
    stages = job.stages
    names = [*(f"stages[{number}]" for number in range(len(job.before))), "model"]
    for (before, stage), (coarser, name) in zip(pairwise(stages), pairwise(names), strict=True):
        try:
            system = _shapes(job, stage.config)
            if stage.config != before.config:
                system.inherit(_shapes(job, before.config))
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{name}: cannot go on from {coarser}: {_said(error)}") from error
        _check_frozen(system, stage.freeze_coarse, name)
    if job.before:
        _check_frozen(_shapes(job, stages[0].config), stages[0].freeze_coarse, names[0])


def _check_frozen(system: System, frozen: bool, name: str) -> None:
    try:
        if frozen:
            system.freeze_coarse(True)
    except ValueError as error:
        raise InputError(f"{name}: freeze_coarse: {error}") from error


def _shapes(job: Job, config: FamilyConfig) -> System:
    """The system on the meta device; pretrained networks, which every stage has alike, are left out."""
    without = {name: None for name in type(config).model_fields if name.endswith("_weights")}
    with torch.device("meta"):
        return family_named(job.family).build_system(config.model_copy(update=without), label_space(job.catalog))


def _said(error: Exception) -> str:
    """The reason: torch puts a heading above its own."""
    lines = str(error).splitlines()
    return lines[min(1, len(lines) - 1)].strip()
