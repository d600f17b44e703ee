from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from generators import family_named
from generators.inference import Renderer
from generators.style import StyleKind
from pipeline.augment.editing import Editor
from pipeline.augment.finalise import finalise
from pipeline.augment.finishing import Finisher
from pipeline.augment.lease import hold_lease
from pipeline.augment.prepare import prepare
from pipeline.augment.rendering import RenderWorker
from pipeline.augment.rows import Judging
from pipeline.augment.run import with_context
from pipeline.catalogs import load_catalog
from pipeline.config_file import Loaded
from pipeline.model_directory import ModelDirectory, ModelFacts, TrainingSummary, label_space
from pipeline.plan_record import settle_plan
from pipeline.recipe import Recipe
from pipeline.resolution import Resolution
from pipeline.storage import Store
from pipeline.styles.bank import Cluster, Members, StyleBank

RECIPE = """\
name: night_cars
source: {{{{format: streetscapes, scenes: 12, seed: 3}}}}
model: {model}
output: {{{{root: {{root}}, samples_per_shard: 4}}}}
samples: 10
seed: 7
edits:
  - {{{{op: swap_class, from: vegetation, to: building, probability: 0.5}}}}
  - {{{{op: remove_instances, classes: [person, rider], probability: 0.5}}}}
  - {{{{op: add_instances, class: car, count: [1, 2]}}}}
styles:
  - {{{{classes: all, pick: {{{{attribute: {{{{time_of_day: night}}}}}}}}, coherent: true}}}}
"""


def toy_bank(dim: int) -> StyleBank:
    """Two training images, day and night, with one look each of the three commonest classes."""
    classes = np.repeat(np.array([7, 11, 23], np.int32), 2)
    images = np.tile(np.array([0, 1], np.int32), 3)
    vectors = np.linspace(-1, 1, 6 * dim, dtype=np.float32).reshape(6, dim)
    hours = [{"day": 1}, {"night": 1}]
    clusters = tuple(
        Cluster(int(c), int(i), vectors[row], 1, {"time_of_day": hours[i]})
        for row, (c, i) in enumerate(zip(classes, images, strict=True))
    )
    members = Members(images, classes, images, np.ones(6, np.int32), vectors)
    attributes = ({"time_of_day": "day"}, {"time_of_day": "night"})
    return StyleBank(StyleKind.INSTANCE, dim, clusters, ("a_day", "a_night"), attributes, members)


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory) -> str:
    """An untrained pix2pixHD of a few channels over the Cityscapes catalog, at 64x32."""
    family, catalog = family_named("pix2pixhd"), load_catalog("cityscapes")
    config = family.config(base_channels=2, num_downsamplings=1, num_blocks=1, encoder_channels=2)
    torch.manual_seed(0)
    generator = family.build_generator(config, label_space(catalog))
    encoder = family.build_encoder(config, label_space(catalog))
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
    directory = ModelDirectory(str(tmp_path_factory.mktemp("model") / "toy"))
    directory.write(ModelFacts("toy", "pix2pixhd", config, catalog, Resolution(64, 32), summary), generator, encoder)
    directory.write_styles(toy_bank(generator.style_dim))
    return directory.url


@pytest.fixture(scope="session")
def recipe_text(toy_model: str) -> str:
    """A recipe over streetscapes with the toy model, `{root}` to be filled in: ten samples in three shards."""
    return RECIPE.format(model=toy_model)


@pytest.fixture
def recipe_file(tmp_path: Path, recipe_text: str) -> Path:
    path = tmp_path / "night_cars.yaml"
    path.write_text(recipe_text.format(root=tmp_path / "out"))
    return path


@pytest.fixture
def make_here() -> Callable[..., Store]:
    """Makes the data set of a recipe in this process, with a judge of the test's own."""

    def make(loaded: Loaded[Recipe], judging: Judging | None = None) -> Store:
        job, record = prepare(loaded)
        store = Store(loaded.value.output.root)
        worker = RenderWorker(job, Renderer(job.model.load_generator()), judging)
        with hold_lease(store) as claim:
            settle_plan(store, record)
            job = with_context(job, store)
            for shard in job.plan.shards():
                Finisher(job, store, claim)(shard.id, worker(Editor(job)(list(shard.slots))))
            finalise(job, store, {}, 1.0, loaded.text)
        return store

    return make
