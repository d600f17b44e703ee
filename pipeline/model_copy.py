"""A model to hand on: half the bytes, and nothing of what only going on with its training needs."""

from typing import NamedTuple

import torch

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
    """Weights in float16 and the style bank. RunError, and nothing written, where that shows in an image."""
    directory = ModelDirectory(url)
    if directory.url == model.url:
        raise InputError(f"{url}: is the model itself; give another --output")
    generator, encoder = model.load_generator(), model.load_encoder()
    inputs = example_inputs(generator, model.resolution, model.catalog.num_channels)
    condition, style = inputs["condition"], inputs.get("style")
    with torch.inference_mode():
        wanted = generator(condition, style)
        halved = generator.half()
        found = model.family.build_generator(model.config, model.label_space).eval()
        found.load_state_dict(halved.state_dict())
        difference = float((found(condition, style) - wanted).abs().max())
    if not difference <= MOST_DIFFERENCE:
        raise RunError(
            f"{model.url}: in half precision its image differs by {difference:.2g} of 2 ({MOST_DIFFERENCE} is borne); "
            "copy the directory as it is"
        )
    card = model.card
    facts = ModelFacts(card.name, card.family, model.config, card.catalog, card.resolution, card.training)
    directory.write(facts, halved, None if encoder is None else encoder.half())
    if Store(model.url).exists(STYLES):
        directory.write_styles(model.style_bank())
    size = sum(directory.store.size(name) for name in (*card.weights,))
    return Copied(directory.url, size, difference)
