"""From a training config to a model directory: train, fit the styles, write."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generators import FAMILIES
from label_editing.names import unknown_name
from orchestration import cluster
from orchestration.mailbox import Report
from orchestration.training import run_training
from pipeline.engine_failures import in_words
from pipeline.errors import InputError, RunError
from pipeline.model_directory import ModelDirectory, OpenModel, open_model
from pipeline.resolution import Resolution
from pipeline.sources.base import Source, SourceConfig
from pipeline.sources.selection import attributes_of
from pipeline.train_config import TrainConfig, absolute, described
from pipeline.training.data import Views
from pipeline.training.growth import check_growth, check_sizes, check_weights
from pipeline.training.job import Job, Stage
from pipeline.training.loop import train
from pipeline.training.pretrained import digests_of, teachers_of, with_weights_found


@dataclass(frozen=True)
class TrainingPlan:
    """What a config comes to on this source."""

    config: TrainConfig
    job: Job
    pairs: int
    workers: int
    left_out: tuple[str, ...] = ()  # what of the source cannot be trained on, and why

    @property
    def passes(self) -> float:
        """How many times through the source."""
        return self.job.steps * self.job.batch_size * self.job.accumulate * self.workers / self.pairs


def make_plan(config: TrainConfig, output: str | None) -> TrainingPlan:
    """Open the source and count; reads no pixel."""
    source = config.source.open()
    if not source.paired and FAMILIES[config.family].paired:
        raise InputError(
            f"source: {source.format} has images that do not show their label maps; {config.family} learns from pairs "
            f"(families that do without: {', '.join(name for name, row in FAMILIES.items() if not row.paired)})"
        )
    usable, left_out = _usable(source)
    pairs = len(usable)
    per_step = config.batch_size * config.accumulate * config.workers

    def updates(steps: int | None, epochs: float | None) -> int:
        return steps or max(1, round((epochs or 0) * pairs / per_step))

    before = tuple(
        Stage(
            with_weights_found(config.stage_config(stage)),
            _views(stage.resolution or config.resolution, stage.load, config.data.flip),
            updates(stage.steps, stage.epochs),
            stage.decay,
            stage.freeze_coarse,
        )
        for stage in config.stages
    )
    steps = updates(config.steps, config.epochs)
    job = Job(
        name=config.name,
        output=absolute(config.output_for(output)),
        source=config.source.anchored(),
        family=config.family,
        config=with_weights_found(config.family_config),
        catalog=source.catalog,
        views=_views(config.resolution, config.data.load, config.data.flip),
        steps=steps + sum(stage.steps for stage in before),
        before=before,
        freeze_coarse=config.freeze_coarse,
        batch_size=config.batch_size,
        accumulate=config.accumulate,
        balance=_balance(config.data.balance, source, usable),
        decay_share=config.decay,
        coarse_factor=config.coarse.factor if config.coarse else 1,
        coarse_steps=round(config.coarse.share * steps) if config.coarse else 0,
        precision=config.precision,
        channels_last=config.channels_last,
        compile=config.compile,
        recompute=config.recompute,
        average_decay=config.average,
        reestimate=config.reestimate,
        seed=config.seed,
        checkpoint_every=config.checkpoints.every,
        checkpoints_kept=config.checkpoints.keep,
        samples_every=config.samples_every,
        validation=_held_out(config),
        validation_pairs=config.validation.pairs,
        keep=config.checkpoints.model,
        cache_bytes=config.data.cache_mb * 1024**2,
        reading_threads=config.data.threads,
        settings=described(config),
    )
    check_sizes(job)
    check_growth(job)
    check_weights(job)
    job = replace(job, digests=digests_of(job), teachers=teachers_of(job))
    return TrainingPlan(config, job, pairs, config.workers, left_out)


def _usable(source: Source) -> tuple[list[str], tuple[str, ...]]:
    """The scenes to train on, and what is left out for want of an image or label map; without any scene it is an error
    now rather than hours later."""
    keys = source.keys()
    usable = [key for key in keys if source.has_image(key)]
    if not usable:
        raise InputError(f"source: none of its {len(keys)} label maps has an image; training needs pairs of both")
    without_image = [f"{key}: no image" for key in sorted(set(keys) - set(usable))]
    return usable, (*(f"{file.path}: {file.lacks}" for file in source.unpaired()), *without_image)


def _held_out(config: TrainConfig) -> SourceConfig | None:
    """The source of what is measured, opened once to find now what it lacks; None: the training source itself."""
    if config.validation.split is None or config.validation.pairs == 0:
        return None
    # Keys that are selected for training belong to its own split.
    held_out = config.source.anchored().model_copy(update={"split": config.validation.split, "select": "*"})
    try:
        _usable(held_out.open())
    except InputError as error:
        what = f"validation.split {config.validation.split!r}: {error}"
        raise InputError(f"{what}; without a held-out split: --set validation.split=null") from error
    return held_out


def _balance(attribute: str | None, source: Source, keys: Sequence[str]) -> str | None:
    """The attribute, once it is known that it tells pairs apart."""
    if attribute is None:
        return None
    each = attributes_of(source, keys).values()
    names = sorted({name for attributes in each for name in attributes})
    if attribute not in names:
        raise InputError(f"data.balance: {unknown_name('attribute', attribute, names)}")
    return attribute


def _views(resolution: Resolution, load: Resolution | str | None, flip: bool) -> Views:
    return Views(resolution, load if isinstance(load, Resolution) else None, native=load == "native", flip=flip)


def run_plan(plan: TrainingPlan, info: cluster.ClusterInfo, on_report: Callable[[Report], None]) -> OpenModel:
    """Train on Ray, to the end; the model is written by the worker that trained it."""
    directory = ModelDirectory(plan.job.output)
    directory.store.check_writable()
    use_gpu = _use_gpu(plan.config, info)
    cpus = 1.0 if use_gpu else max(1.0, info.cpus // plan.workers)
    if plan.workers > info.cpus:
        most = max(1, int(info.cpus))
        raise InputError(f"workers: {plan.workers} asked for, {most} CPUs to be had; add --set workers={most}")
    goes_on = "the same command goes on from the last checkpoint; is there processor and memory enough for the workers?"
    with tempfile.TemporaryDirectory(prefix="synthgen-train-") as scratch, in_words(goes_on):
        run_training(
            train,
            {"job": replace(plan.job, use_gpu=use_gpu)},
            name=plan.job.name,
            # Checkpoints are ours, in the model directory; Ray Train only keeps its own books here.
            storage_path=scratch,
            num_workers=plan.workers,
            cpus_per_worker=cpus,
            use_gpu=use_gpu,
            on_report=on_report,
        )
    if not directory.finished():
        raise RunError(f"{plan.job.output}: training ended without a model; run the same command again to go on")
    return open_model(plan.job.output)


def _use_gpu(config: TrainConfig, info: cluster.ClusterInfo) -> bool:
    if config.gpu and info.gpus < config.workers:
        raise InputError(f"gpu: {config.workers} workers need a GPU each, the cluster has {info.gpus:g}")
    return info.gpus >= config.workers if config.gpu is None else config.gpu


def note_of(report: Mapping[str, Any]) -> str:
    """The losses and speed of a report in one line."""
    losses = ", ".join(f"{name.split('/')[-1]} {value:.3f}" for name, value in report["losses"].items())
    return f"{losses}; {report['images_per_s']:.2g} images/s, {report['waited_share']:.0%} waiting for data"
