"""The source a model was trained on, opened again from its card."""

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import InputError
from pipeline.model_directory import OpenModel
from pipeline.sources import AnySource
from pipeline.sources.base import Source


def source_of(model: OpenModel, split: str | None = None) -> Source:
    """The training source, or another split of it."""
    block = dict(model.card.training.source)
    if split is not None:
        block["split"] = split
    try:
        return TypeAdapter[AnySource](AnySource).validate_python(block).open()
    except ValidationError as error:
        raise InputError(f"{model.url}: its training source cannot be opened: {error.errors()[0]['msg']}") from None
