"""A tiny whole run, in this process: the real run with the shard engine replaced by a loop."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
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
source: {{format: streetscapes, scenes: 6, seed: 3}}
model: {model}
output: {{root: {root}, samples_per_shard: 2, image: {{format: png}}}}
samples: 6
seed: 7
edits:
  - {{op: swap_class, from: vegetation, to: building, probability: 0.5}}
"""


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


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> str:
    """An untrained network of a few channels that needs no styles, at 64x32."""
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
    directory = ModelDirectory(str(tmp_path_factory.mktemp("model") / "tiny"))
    directory.write(ModelFacts("tiny", "crn", config, catalog, Resolution(64, 32), summary), generator, None)
    directory.write_styles(StyleBank(StyleKind.NONE, 0))
    return directory.url


@pytest.fixture(scope="session")
def augment(tiny_model, tmp_path_factory) -> Callable[[str], Store]:
    """Runs the same command on an output, as often as it is called: three shards of two samples."""
    recipe = tmp_path_factory.mktemp("recipe") / "tiny.yaml"

    def run(root: str) -> Store:
        recipe.write_text(RECIPE.format(model=tiny_model, root=root))
        loaded = load_recipe(recipe)
        job, record = prepare(loaded)
        store, cluster = Store(root), ClusterInfo("none", True, 1, 2, 0)
        with pytest.MonkeyPatch.context() as patch, Console(mode=ProgressMode.OFF).progress("augment") as progress:
            patch.setattr(augment_run, "run_shards", one_after_the_other)
            augment_run.run_augment(job, record, store, lambda: cluster, progress, loaded.text)
        return store

    return run


@pytest.fixture(scope="session")
def pristine(augment, tmp_path_factory) -> Path:
    """A finished output, to be copied."""
    return Path(augment(str(tmp_path_factory.mktemp("pristine") / "out")).url)


@pytest.fixture
def finished(pristine, tmp_path) -> Store:
    """A finished output of one's own."""
    return Store(str(shutil.copytree(pristine, tmp_path / "out")))
