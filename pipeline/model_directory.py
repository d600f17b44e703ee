"""A trained model on any storage: `train` writes it, `augment` reads it, nothing in it is ever unpickled.

    model.json   generator.safetensors   encoder.safetensors   styles.parquet   training/   samples/

model.json is written last: a directory without it is a training that has not finished.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from label_editing.catalog import Catalog
from pipeline.configs import configs_folder
from pipeline.errors import InputError, MissingFileError
from pipeline.resolution import Resolution
from pipeline.storage import Store

if TYPE_CHECKING:
    from torch import nn

    from generators.family import Family, FamilyConfig, Generator, LabelSpace
    from pipeline.styles.bank import StyleBank

CARD = "model.json"
GENERATOR = "generator.safetensors"
ENCODER = "encoder.safetensors"
STYLES = "styles.parquet"
TRAINING = "training"
SAMPLES = "samples"
FORMAT = 1


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainingSummary(_Record):
    """What a model was trained on and how it went."""

    source: dict[str, Any]  # the `source:` block
    source_fingerprint: str
    pairs: int
    steps: int
    batch_size: int
    seed: int
    precision: str
    losses: dict[str, float]  # means over the last steps
    notes: tuple[str, ...] = ()  # fallbacks taken, such as a perceptual loss left out
    patch_distance: float | None = None  # to photographs, where it was measured
    teachers: dict[str, int] = {}  # the seed of each judge that it learned from, by fingerprint


class ModelCard(_Record):
    """model.json."""

    format: int = FORMAT
    name: str
    family: str
    hyperparameters: dict[str, Any]
    catalog: Catalog
    resolution: Resolution
    training: TrainingSummary
    weights: dict[str, str]  # file name: sha256
    fingerprint: str
    versions: dict[str, str]


@dataclass(frozen=True)
class ModelFacts:
    """What the card of a model says beside its weights."""

    name: str
    family: str
    config: "FamilyConfig"
    catalog: Catalog
    resolution: Resolution
    training: TrainingSummary


@dataclass(frozen=True)
class OpenModel:
    """A model directory that can be read; pickles, and loads weights only when asked."""

    url: str
    card: ModelCard

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def catalog(self) -> Catalog:
        return self.card.catalog

    @property
    def resolution(self) -> Resolution:
        return self.card.resolution

    @property
    def fingerprint(self) -> str:
        return self.card.fingerprint

    @cached_property
    def label_space(self) -> "LabelSpace":
        return label_space(self.card.catalog)

    @cached_property
    def family(self) -> "Family":
        from generators import family_named

        try:
            return family_named(self.card.family)
        except ValueError as error:
            raise InputError(f"{self.url}/{CARD}: {error}") from None

    @cached_property
    def config(self) -> "FamilyConfig":
        try:
            return self.family.config.model_validate(self.card.hyperparameters)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, ("hyperparameters", *first["loc"])))
            raise InputError(f"{self.url}/{CARD}: {where}: {first['msg']}") from None

    def load_generator(self) -> "Generator":
        """The generator with its weights, on the CPU, in eval mode."""
        generator = self.family.build_generator(self.config, self.label_space)
        self._fill(generator, GENERATOR)
        return generator.eval()

    def load_encoder(self) -> "nn.Module | None":
        """The style encoder with its weights; None for families that train none."""
        encoder = self.family.build_encoder(self.config, self.label_space)
        if encoder is None:
            return None
        self._fill(encoder, ENCODER)
        return encoder.eval()

    def style_bank(self) -> "StyleBank":
        """The looks of the training data; an empty bank for families that take no style."""
        from pipeline.styles.bank import StyleBank

        store = Store(self.url)
        if not store.exists(STYLES):
            raise InputError(f"{self.url}: the model has no {STYLES}; make it with: synthgen styles fit {self.url}")
        try:
            return StyleBank.from_parquet(store.read(STYLES))
        except ValueError as error:
            raise InputError(
                f"{self.url}/{STYLES}: {error}; make it again with: synthgen styles fit {self.url}"
            ) from None

    def check_catalog(self, catalog: Catalog, of: str = "the source") -> None:
        """Refuse scenes of another label space: a network counts channels and would paint roads as trees."""
        mine, other = self.catalog.classes, catalog.classes
        if [(c.id, c.name) for c in mine] == [(c.id, c.name) for c in other]:
            return
        both = zip(mine, other, strict=False)
        first = next(((a, b) for a, b in both if (a.id, a.name) != (b.id, b.name)), None)
        difference = (
            f"{len(mine)} classes and {len(other)}"
            if first is None
            else f"class {first[0].id} {first[0].name!r} and class {first[1].id} {first[1].name!r}"
        )
        raise InputError(
            f"{self.url}: the model paints catalog {self.catalog.name}, {of} has catalog {catalog.name} "
            f"(first difference: {difference}); train a model on this catalog or convert the label maps"
        )

    def _fill(self, module: "nn.Module", name: str) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import load

        from generators.checkpoint import fit_weights

        store, place = Store(self.url), f"{self.url}/{name}"
        if not store.exists(name):
            raise InputError(f"{place}: missing; train again with: synthgen train --output {self.url}")
        data = store.read(name)
        if sha256(data).hexdigest() != self.card.weights.get(name):
            raise InputError(
                f"{place}: truncated or changed: its {len(data)} bytes have another sha256 than {CARD} says; "
                "copy it again or train again"
            )
        try:
            fit_weights(module, load(data), place)
        except SafetensorError as error:
            raise InputError(f"{place}: not a whole safetensors file ({error})") from None
        except ValueError as error:
            raise InputError(str(error)) from None


class ModelDirectory:
    """Where a model is written."""

    def __init__(self, url: str) -> None:
        self.store = Store(url)
        self.url = self.store.url

    def finished(self) -> bool:
        """Whether there is a whole model."""
        return self.store.exists(CARD)

    def holds(self, steps: int) -> bool:
        """Whether there is a model of just so many steps, every byte of its weights as its card says."""
        if not self.finished():
            return False
        try:
            card = open_model(self.url).card
            whole = all(sha256(self.store.read(name)).hexdigest() == said for name, said in card.weights.items())
        except (InputError, MissingFileError):
            return False
        return whole and card.training.steps == steps

    def write(self, facts: ModelFacts, generator: "nn.Module", encoder: "nn.Module | None") -> ModelCard:
        """Put weights and card in place, the card last. The card of other weights goes first, and their looks with it:
        whatever interrupts this leaves a training to be finished, never weights that belong to another card or bank.
        """
        files = {GENERATOR: _weights(generator)}
        if encoder is not None:
            files[ENCODER] = _weights(encoder)
        hashes = {name: sha256(data).hexdigest() for name, data in files.items()}
        hyperparameters = facts.config.model_dump(mode="json")
        card = ModelCard(
            name=facts.name,
            family=facts.family,
            hyperparameters=hyperparameters,
            catalog=facts.catalog,
            resolution=facts.resolution,
            training=facts.training,
            weights=hashes,
            fingerprint=_fingerprint(facts.family, hyperparameters, facts.catalog, hashes),
            versions={name: version(name) for name in ("synthgen", "torch", "numpy")},
        )
        for name in (CARD, STYLES):
            if self.store.exists(name):
                self.store.delete(name)
        for name, data in files.items():
            self.store.write_atomic(name, data)
        self.store.write_atomic(CARD, card.model_dump_json(indent=2).encode())
        return card

    def write_styles(self, bank: "StyleBank") -> None:
        """Put the style bank in place."""
        self.store.write_atomic(STYLES, bank.to_parquet())


def open_model(url: str) -> OpenModel:
    """The model at this path or URL; InputError when there is none, or not a whole one."""
    store = Store(url)
    if not store.exists(CARD):
        if store.exists("dataset.json"):
            raise InputError(
                f"{store.url}: a data set, not a model directory; its dataset.json names the model it is of"
            )
        started = any(True for _ in store.list(TRAINING))
        what = (
            "holds a training that has not finished; finish" if started else f"not a model directory (no {CARD}); make"
        )
        raise InputError(f"{store.url}: {what} it with: synthgen train --output {store.url}{_or_shipped(url)}")
    try:
        card = json.loads(store.read(CARD))
        if isinstance(card, dict) and card.get("format") != FORMAT:
            raise InputError(f"{store.url}/{CARD}: format {card.get('format')!r}; this version reads format {FORMAT}")
        return OpenModel(store.url, ModelCard.model_validate(card))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{store.url}/{CARD}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{store.url}/{CARD}: not JSON: {error}") from None


def _or_shipped(url: str) -> str:
    """A model of this name that ships, as what could be used meanwhile."""
    folder = configs_folder() / "models" / url.rstrip("/").rpartition("/")[2]
    return f"; or use the one that ships: {folder}" if (folder / CARD).is_file() else ""


def label_space(catalog: Catalog) -> "LabelSpace":
    """What a generator needs to know of a catalog."""
    from generators.family import LabelSpace

    return LabelSpace(
        num_channels=catalog.num_channels,
        thing_channels=tuple(rank for rank, c in enumerate(catalog.classes) if c.thing),
        void_channels=tuple(rank for rank, c in enumerate(catalog.classes) if c.void),
    )


def _weights(module: "nn.Module") -> bytes:
    from generators.checkpoint import save_weights

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_weights(module, path)
        return path.read_bytes()


def _fingerprint(family: str, hyperparameters: Mapping[str, Any], catalog: Catalog, weights: Mapping[str, str]) -> str:
    said = [family, hyperparameters, catalog.model_dump(mode="json"), sorted(weights.items())]
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
