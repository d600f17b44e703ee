"""A model to hand on: half the bytes, and nothing of what only going on with its training needs."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pipeline.errors import InputError, RunError
from pipeline.model_directory import STYLES, ModelDirectory, ModelFacts, OpenModel
from pipeline.model_export import example_inputs
from pipeline.storage import Store

# Of 2: a level of 255 is 0.008 of it.
MOST_DIFFERENCE = 0.04


class Copied(NamedTuple):
    """Where it is, how many bytes its weights have, and how far its image is from the original's."""

    url: str
    weight_bytes: int
    largest_difference: float


def copy_in_half(model: OpenModel, url: str) -> Copied:
    """Weights in float16 and the style bank. RunError, and nothing written, where that shows in what it makes."""
    directory = ModelDirectory(url)
    # However its place is spelt, this may be the model itself.
    if directory.finished():
        raise InputError(f"{directory.url}: holds a model already; give another --output")
    bank = model.style_bank() if Store(model.url).exists(STYLES) else None
    generator, encoder = model.load_generator(), model.load_encoder()
    inputs = example_inputs(generator, model.resolution, model.catalog.num_channels)
    with torch.inference_mode():
        image = generator(inputs["condition"], inputs.get("style"))
        looks = None if encoder is None else _looks(encoder, image)
        for what, part in (("generator", generator), ("encoder", encoder)):
            if part is not None:
                _round(part, f"{model.url}: {{}} of its {what}")
        found = generator(inputs["condition"], inputs.get("style"))
        difference = _difference(found, image, f"{model.url}: in half precision its image")
        if encoder is not None and looks is not None:
            what = f"{model.url}: in half precision what its encoder says of an image"
            _difference(_looks(encoder, image), looks, what)
    card = model.card
    facts = ModelFacts(card.name, card.family, model.config, card.catalog, card.resolution, card.training)
    directory.write(facts, generator.half(), None if encoder is None else encoder.half())
    if bank is not None:
        directory.write_styles(bank)
    size = sum(directory.store.size(name) for name in (*card.weights,))
    return Copied(directory.url, size, difference)


def _round(module: nn.Module, place: str) -> None:
    """What half precision leaves of its tensors, for arithmetic in their own: a CPU has none in half."""
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half())
            if not bool(tensor.isfinite().all()):
                raise RunError(f"{place.format(name)} is not finite in half precision; copy the directory as it is")


def _difference(found: Tensor, wanted: Tensor, what: str) -> float:
    """The largest, of numbers in [-1, 1]; of larger ones in relation to the largest."""
    difference = float((found - wanted).abs().max() / wanted.abs().max().clamp(min=1))
    if not difference <= MOST_DIFFERENCE:
        raise RunError(
            f"{what} differs by {difference:.2g} of 2 ({MOST_DIFFERENCE} is borne); copy the directory as it is"
        )
    return difference


def _looks(encoder: nn.Module, image_BCHW: Tensor) -> Tensor:
    """A map of features, or mean and log-variance one after the other."""
    said = encoder(image_BCHW)
    return said if isinstance(said, Tensor) else torch.cat(said, dim=1)
