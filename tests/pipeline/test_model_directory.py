import json
import pickle
from pathlib import Path

import pytest
import torch

from generators import family_named
from label_editing.catalog import Catalog, ClassSpec
from pipeline.errors import InputError
from pipeline.model_directory import ModelDirectory, ModelFacts, TrainingSummary, label_space, open_model
from pipeline.resolution import Resolution
from pipeline.styles.bank import StyleBank

FAMILY = family_named("pix2pixhd")
CONFIG = FAMILY.config(
    base_channels=2,
    num_downsamplings=1,
    num_blocks=1,
    encoder_channels=2,
    encoder_downsamplings=1,
    discriminator_channels=2,
)


def catalog_of(*names: str) -> Catalog:
    return Catalog(
        name="toy",
        classes=tuple(
            ClassSpec(id=3 * i, name=name, color=(i, i, i), layer="object", thing=name == "car", void=name == "void")
            for i, name in enumerate(names)
        ),
    )


CATALOG = catalog_of("void", "road", "car")


def write_model(folder: Path, seed: int = 0) -> tuple[str, torch.nn.Module]:
    torch.manual_seed(seed)
    space = label_space(CATALOG)
    generator, encoder = FAMILY.build_generator(CONFIG, space), FAMILY.build_encoder(CONFIG, space)
    summary = TrainingSummary(
        source={"format": "toy"},
        source_fingerprint="0",
        pairs=3,
        steps=2,
        batch_size=1,
        seed=0,
        precision="float32",
        losses={"adversarial": 0.5},
    )
    facts = ModelFacts("toy", "pix2pixhd", CONFIG, CATALOG, Resolution(32, 16), summary)
    directory = ModelDirectory(str(folder))
    directory.write(facts, generator, encoder)
    directory.write_styles(StyleBank(generator.style_kind, generator.style_dim))
    return str(folder), generator


def test_a_model_reads_back_as_it_was_written(tmp_path: Path) -> None:
    url, generator = write_model(tmp_path / "model")
    model = pickle.loads(pickle.dumps(open_model(url)))
    loaded = model.load_generator()
    assert not loaded.training
    assert all(
        torch.equal(a, b) for a, b in zip(loaded.state_dict().values(), generator.state_dict().values(), strict=True)
    )
    assert model.load_encoder() is not None
    assert (model.catalog, model.resolution, model.config) == (CATALOG, Resolution(32, 16), CONFIG)
    assert model.style_bank().dim == 3


def test_the_label_space_counts_channels_not_ids() -> None:
    space = label_space(CATALOG)
    assert (space.num_channels, space.thing_channels, space.void_channels) == (3, (2,), (0,))


def test_the_fingerprint_follows_the_weights_and_nothing_of_the_place(tmp_path: Path) -> None:
    prints = [open_model(write_model(tmp_path / n, seed)[0]).fingerprint for n, seed in (("a", 0), ("b", 0), ("c", 1))]
    assert prints[0] == prints[1] != prints[2]


def test_a_folder_that_is_no_model_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        open_model(str(tmp_path))
    assert str(error.value) == (
        f"{tmp_path}: not a model directory (no model.json); make it with: synthgen train --output {tmp_path}"
    )


def test_an_unfinished_training_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "step-00000010.pt").write_bytes(b"x")
    with pytest.raises(InputError) as error:
        open_model(str(tmp_path))
    assert str(error.value) == (
        f"{tmp_path}: holds a training that has not finished; finish it with: synthgen train --output {tmp_path}"
    )


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    url, _ = write_model(tmp_path / "model")
    weights = Path(url) / "generator.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5])
    with pytest.raises(InputError) as error:
        open_model(url).load_generator()
    size = weights.stat().st_size
    assert str(error.value) == (
        f"{weights}: truncated or changed: its {size} bytes have another sha256 than model.json says; "
        "copy it again or train again"
    )


def test_a_missing_style_bank_names_the_command_that_makes_it(tmp_path: Path) -> None:
    url, _ = write_model(tmp_path / "model")
    (Path(url) / "styles.parquet").unlink()
    with pytest.raises(InputError) as error:
        open_model(url).style_bank()
    assert str(error.value) == f"{url}: the model has no styles.parquet; make it with: synthgen styles fit {url}"


def test_scenes_of_another_catalog_are_refused(tmp_path: Path) -> None:
    model = open_model(write_model(tmp_path / "model")[0])
    model.check_catalog(CATALOG)
    with pytest.raises(InputError) as error:
        model.check_catalog(catalog_of("void", "sky", "car"))
    assert str(error.value) == (
        f"{model.url}: the model paints catalog toy, the source has catalog toy (first difference: class 3 'road' and "
        "class 3 'sky'); train a model on this catalog or convert the label maps"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 9}, "model.json: format 9; this version reads format 1"),
        ({"family": "pix2pixhq"}, "model.json: unknown family 'pix2pixhq'; did you mean 'pix2pixhd'?"),
        ({"hyperparameters": {"num_blocks": -1}}, "model.json: hyperparameters.num_blocks: "),
        ({"resolution": "wide"}, "model.json: resolution: "),
    ],
)
def test_a_wrong_card_is_named_by_its_key(tmp_path: Path, change: dict, message: str) -> None:
    url, _ = write_model(tmp_path / "model")
    card = Path(url) / "model.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | change))
    with pytest.raises(InputError) as error:
        open_model(url).load_generator()
    assert message in str(error.value)
