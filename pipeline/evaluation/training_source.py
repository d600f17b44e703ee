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
        first = error.errors()[0]
        asked = f"--split {split!r}" if first["loc"][-1] == "split" else f"{model.url}: its training source"
        raise InputError(f"{asked}: {first['msg']}") from None
