"""A checkpoint that a family's authors published, as a model directory."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from generators.family import Family, FamilyConfig, LabelSpace
from generators.published import Names, Published, Target, adopt, plain_names, shapes_of
from pipeline.errors import InputError
from pipeline.model_directory import ModelDirectory, ModelFacts, OpenModel, TrainingSummary, label_space, open_model
from pipeline.resolution import Resolution
from pipeline.styles.bank import StyleBank

if TYPE_CHECKING:
    from label_editing.catalog import Catalog


@dataclass(frozen=True)
class Publication:
    """What the user says of the files to import."""

    generator: Path
    encoder: Path | None
    catalog: "Catalog"
    resolution: Resolution
    settings: Mapping[str, Any]  # hyper-parameters that the shapes do not tell


def import_model(family: Family, given: Publication, output: str) -> OpenModel:
    """Read the authors' files and write a model directory; every misfit is an InputError that names tensors."""
    published = _published(family)
    directory = ModelDirectory(output)
    if directory.finished():
        raise InputError(f"{directory.url}: holds a model already; give another --output")
    tensors = read_checkpoint(given.generator)
    encoder_tensors = read_checkpoint(given.encoder) if given.encoder else None
    config = _config(family, published, given, tensors, encoder_tensors)
    space = label_space(given.catalog)
    with torch.device("meta"):
        generator = _built(family, config, space, given)
        encoder = family.build_encoder(config, space)
    _fill(generator, tensors, published.generator(config), given.generator)
    if encoder is not None:
        if published.encoder is None or encoder_tensors is None or given.encoder is None:
            raise InputError(f"{given.generator}: this generator takes styles; give its encoder's file with --encoder")
        _fill(encoder, encoder_tensors, published.encoder(config), given.encoder)
    name = Path(directory.url).name
    facts = ModelFacts(name, family.name, config, given.catalog, given.resolution, _provenance(given))
    directory.write(facts, generator, encoder)
    if encoder is None:
        directory.write_styles(StyleBank(generator.style_kind, generator.style_dim))
    return open_model(output)


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a PyTorch file; nothing in it is run."""
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: not a whole PyTorch checkpoint of plain tensors ({said})") from None
    if not isinstance(loaded, Mapping) or not loaded:
        raise InputError(f"{path}: expected a state dict, found a {type(loaded).__name__}")
    other = next((name for name, value in loaded.items() if not isinstance(value, Tensor)), None)
    if other is not None:
        raise InputError(f"{path}: expected a state dict of tensors; {other!r} holds a {type(loaded[other]).__name__}")
    return plain_names(loaded)


def _published(family: Family) -> Published:
    if family.published is None:
        raise InputError(f"{family.name}: no checkpoints of its authors are known to this program")
    return family.published


def _config(
    family: Family,
    published: Published,
    given: Publication,
    tensors: Mapping[str, Tensor],
    encoder_tensors: Mapping[str, Tensor] | None,
) -> FamilyConfig:
    """What the shapes tell, then what the user says."""
    target = Target(given.catalog.num_channels, given.resolution.height, given.resolution.width)
    try:
        found = published.settings(shapes_of(tensors), target)
    except ValueError as error:
        raise InputError(f"{given.generator}: not a generator of {family.name}: {error}") from None
    if encoder_tensors is not None:
        if published.encoder_settings is None:
            raise InputError(f"{given.encoder}: {family.name} has no encoder; leave --encoder out")
        try:
            found |= published.encoder_settings(shapes_of(encoder_tensors))
        except ValueError as error:
            raise InputError(f"{given.encoder}: not an encoder of {family.name}: {error}") from None
    try:
        return family.config.model_validate({**found, **given.settings})
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"--set {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _built(family: Family, config: FamilyConfig, space: LabelSpace, given: Publication) -> Any:
    generator = family.build_generator(config, space)
    width, height = given.resolution
    if width % generator.stride or height % generator.stride:
        raise InputError(
            f"--resolution {given.resolution}: sides must be multiples of {generator.stride} for {family.name}"
        )
    return generator


def _fill(module: nn.Module, tensors: Mapping[str, Tensor], names: Names, path: Path) -> None:
    try:
        adopt(module, tensors, names, str(path))
    except ValueError as error:
        raise InputError(str(error)) from None


def _provenance(given: Publication) -> TrainingSummary:
    files = [given.generator, *([given.encoder] if given.encoder else [])]
    return TrainingSummary(
        source={},
        source_fingerprint="",
        pairs=0,
        steps=0,
        batch_size=0,
        seed=0,
        precision="float32",
        losses={},
        notes=tuple(f"imported from {path.name}, sha256 {_sha256(path)}" for path in files),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
