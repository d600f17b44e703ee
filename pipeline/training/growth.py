"""Whether the networks of a training can be built, and each stage take over the one before: before the first step."""

import warnings
from itertools import pairwise

import torch

from generators import family_named
from generators.family import FamilyConfig, System, take_over
from pipeline.errors import InputError
from pipeline.model_directory import label_space
from pipeline.resolution import Resolution
from pipeline.training.job import Job


def check_growth(job: Job) -> None:
    """Go through all stage changes with networks that have shapes and no weights."""
    stages = job.stages
    names = [*(f"stages[{number}]" for number in range(len(job.before))), "model"]
    for (before, stage), (coarser, name) in zip(pairwise(stages), pairwise(names), strict=True):
        try:
            system = _shapes(job, stage.config)
            if stage.config != before.config:
                take_over(system, _shapes(job, before.config))
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{name}: cannot go on from {coarser}: {_said(error)}") from error
        _check_frozen(system, stage.freeze_coarse, name)
    if job.before:
        _check_frozen(_shapes(job, stages[0].config), stages[0].freeze_coarse, names[0])


def check_sizes(job: Job) -> None:
    """Networks halve what they are given: InputError for a size that some stage cannot halve often enough."""
    (*before, last), (*multiples, of_last) = job.stages, multiples_of_sides(job)
    for number, (stage, multiple) in enumerate(zip(before, multiples, strict=True)):
        _check_size(stage.views.resolution, multiple, f"stages[{number}].resolution", job.family)
    factor = _first_shrunk(job)
    what = f"{job.family}, at first at 1/{factor} of the size" if factor > 1 else job.family
    _check_size(last.views.resolution, of_last, "resolution", what)


def multiples_of_sides(job: Job) -> list[int]:
    """What both sides of the resolution must be multiples of, stage by stage."""
    *before, last = (_stride(job, stage.config) for stage in job.stages)
    return [*before, last * _first_shrunk(job)]


def _first_shrunk(job: Job) -> int:
    """By how much the last stage shrinks its images at first."""
    return job.coarse_factor if job.coarse_steps else 1


def _check_size(size: Resolution, multiple: int, name: str, what: str) -> None:
    if size.width % multiple == size.height % multiple == 0:
        return
    width, height = (max(multiple, round(side / multiple) * multiple) for side in size)
    raise InputError(
        f"{name}: {size}: sides must be multiples of {multiple} for {what}; the nearest is {width}x{height} "
        "(data.load sets what images are scaled to before they are cut to that)"
    )


def check_weights(job: Job) -> None:
    """InputError for files of pretrained weights that the family cannot use, now rather than in every worker."""
    for config in dict.fromkeys(stage.config for stage in job.stages):
        given = config.pretrained()
        downloads = {name: None for name, location in given.items() if "://" in location}
        if len(downloads) == len(given):
            continue
        # What is read is only held against shapes, and torch warns of every tensor that it does not keep.
        with warnings.catch_warnings(), torch.device("meta"):
            warnings.filterwarnings("ignore", message=".*non-meta parameter in the checkpoint to a meta parameter")
            try:
                _build(job, config.model_copy(update=downloads))
            except ValueError as error:
                raise InputError(f"model: {error}") from None


def _stride(job: Job, config: FamilyConfig) -> int:
    return _shapes(job, config).generator.stride


def _check_frozen(system: System, frozen: bool, name: str) -> None:
    try:
        if frozen:
            system.freeze_coarse(True)
    except ValueError as error:
        raise InputError(f"{name}: freeze_coarse: {error}") from error


def _shapes(job: Job, config: FamilyConfig) -> System:
    """The system on the meta device; pretrained networks, which every stage has alike, are left out."""
    with torch.device("meta"):
        return _build(job, config.model_copy(update=dict.fromkeys(config.pretrained())))


def _build(job: Job, config: FamilyConfig) -> System:
    return family_named(job.family).build_system(config, label_space(job.catalog))


def _said(error: Exception) -> str:
    """The reason: torch puts a heading above its own."""
    lines = str(error).splitlines()
    return lines[min(1, len(lines) - 1)].strip()
