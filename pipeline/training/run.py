"""From a training config to a model directory: train, fit the styles, write."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generators import FAMILIES
from generators.family import FamilyConfig
from orchestration import cluster
from orchestration.mailbox import Report
from orchestration.training import run_training
from pipeline.errors import InputError, RunError
from pipeline.model_directory import ModelDirectory, OpenModel, open_model
from pipeline.train_config import TrainConfig, absolute
from pipeline.training.data import Views
from pipeline.training.job import Job
from pipeline.training.loop import train


@dataclass(frozen=True)
class TrainingPlan:
    """What a config comes to on this source."""

    config: TrainConfig
    job: Job
    pairs: int
    workers: int

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
    pairs = len(source.keys())
    per_step = config.batch_size * config.accumulate * config.workers
    steps = config.steps or max(1, round((config.epochs or 0) * pairs / per_step))
    load = config.data.load
    job = Job(
        name=config.name,
        output=absolute(config.output_for(output)),
        source=config.source.anchored(),
        family=config.family,
        config=_with_weights_found(config.family_config),
        catalog=source.catalog,
        views=Views(
            config.resolution, None if load == "native" else load, native=load == "native", flip=config.data.flip
        ),
        steps=steps,
        batch_size=config.batch_size,
        accumulate=config.accumulate,
        decay_share=config.decay,
        coarse_factor=config.coarse.factor if config.coarse else 1,
        coarse_steps=round(config.coarse.share * steps) if config.coarse else 0,
        precision=config.precision,
        average_decay=config.average,
        seed=config.seed,
        checkpoint_every=config.checkpoints.every,
        checkpoints_kept=config.checkpoints.keep,
        samples_every=config.samples_every,
        cache_bytes=config.data.cache_mb * 1024**2,
        reading_threads=config.data.threads,
    )
    return TrainingPlan(config, job, pairs, config.workers)


def _with_weights_found(config: FamilyConfig) -> FamilyConfig:
    """Files of pretrained weights by absolute paths, that workers find too; URLs stay."""
    found = {}
    for name, location in config:
        if name.endswith("_weights") and isinstance(location, str) and "://" not in location:
            found[name] = absolute(location)
            if not Path(found[name]).is_file():
                raise InputError(f"model.{name}: {found[name]}: no such file; give a path or a URL")
    return config.model_copy(update=found)


def run_plan(plan: TrainingPlan, info: cluster.ClusterInfo, on_report: Callable[[Report], None]) -> OpenModel:
    """Train on Ray, to the end; the model is written by the worker that trained it."""
    directory = ModelDirectory(plan.job.output)
    directory.store.check_writable()
    use_gpu = _use_gpu(plan.config, info)
    cpus = 1.0 if use_gpu else max(1.0, info.cpus // plan.workers)
    if plan.workers > info.cpus:
        most = max(1, int(info.cpus))
        raise InputError(f"workers: {plan.workers} asked for, {most} CPUs to be had; add --set workers={most}")
    with tempfile.TemporaryDirectory(prefix="synthgen-train-") as scratch:
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
