"""A whole run that is small: an untrained network of a few channels, scenes of 64x32, two samples a shard."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from generators import family_named
from generators.style import StyleKind
from orchestration.cluster import ClusterInfo
from orchestration.shard_engine import ShardTask, Stage
from pipeline.augment import run as augment_run
from pipeline.augment.prepare import prepare
from pipeline.catalogs import load_catalog
from pipeline.console import Console, ProgressMode
from pipeline.model_directory import ModelDirectory, ModelFacts, TrainingSummary, label_space
from pipeline.recipe import load_recipe
from pipeline.resolution import Resolution
from pipeline.storage import Store
from pipeline.styles.bank import StyleBank

RECIPE = """\
name: tiny
source: {{format: streetscapes, scenes: {samples}, seed: 3}}
model: {model}
output: {{root: {root}, samples_per_shard: 2, image: {{format: png}}}}
samples: {samples}
seed: 7
edits:
  - {{op: swap_class, from: vegetation, to: building, probability: 0.5}}
"""


def write_recipe(path: Path, model: str, root: str, samples: int = 6) -> Path:
    path.write_text(RECIPE.format(model=model, root=root, samples=samples))
    return path


def write_model(url: str) -> str:
    family, catalog = family_named("crn"), load_catalog("cityscapes")
    torch.manual_seed(0)
    config = family.config(base_channels=32, modules=4)
    generator = family.build_generator(config, label_space(catalog))
    summary = TrainingSummary(
        source={"format": "streetscapes"},
        source_fingerprint="0",
        pairs=1,
        steps=0,
        batch_size=1,
        seed=0,
        precision="float32",
        losses={},
    )
    directory = ModelDirectory(url)
    directory.write(ModelFacts("tiny", "crn", config, catalog, Resolution(64, 32), summary), generator, None)
    directory.write_styles(StyleBank(StyleKind.NONE, 0))
    return directory.url


def run_here(recipe: Path) -> Store:
    """The real run in this process, with the shard engine replaced by a loop."""
    loaded = load_recipe(recipe)
    job, record = prepare(loaded)
    store, cluster = Store(loaded.value.output.root), ClusterInfo("none", True, 1, 2, 0)
    engine, augment_run.run_shards = augment_run.run_shards, one_after_the_other
    try:
        with Console(mode=ProgressMode.OFF).progress("augment") as progress:
            augment_run.run_augment(job, record, store, lambda: cluster, progress, loaded.text)
    finally:
        augment_run.run_shards = engine
    return store


def one_after_the_other(
    tasks: Sequence[ShardTask], stages: Sequence[Stage], make_finish: Callable[[], Any], *_cluster: Any, **_options: Any
) -> Iterator[Any]:
    """What the shard engine promises, without Ray."""
    workers, finish = [stage.make() for stage in stages], make_finish()
    for task in tasks:
        rows = list(task.rows)
        for work in workers:
            rows = work(rows)
        yield finish(task.id, rows)


def contents(store: Store) -> dict[str, bytes]:
    """Every object, hidden ones too; the report tells how long things took and is the only one that may differ."""
    files = [*store.list(), *store.leftovers()]
    return {file.path: store.read(file.path) for file in files if file.path != "report.html"}
