"""What the weights of a judge say of themselves, wherever they are taken: in the metadata of their safetensors file."""

from itertools import zip_longest
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generators.checkpoint import about_weights
from label_editing.catalog import Catalog
from pipeline.errors import InputError

_KEY = "synthgen.judge"


class JudgeCard(BaseModel):
    """Which judge this is, and what it tells apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    judge: str  # fingerprint
    seed: int = Field(ge=0)
    classes: tuple[str, ...]  # by channel

    def as_metadata(self) -> dict[str, str]:
        """As it stands in the file."""
        return {_KEY: self.model_dump_json()}

    def check_classes(self, catalog: Catalog, place: str) -> None:
        """Refuse a network of other classes: it counts channels, and would look for trees where roads are."""
        for channel, (theirs, ours) in enumerate(zip_longest(self.classes, catalog.names, fillvalue="nothing")):
            if theirs != ours:
                raise InputError(
                    f"{place}: this segmenter's class {channel} is {theirs!r}, that of the source is {ours!r}; teach "
                    "one on the source itself: synthgen evaluate judge"
                )


def read_judge_card(path: Path | str) -> JudgeCard | None:
    """What the file says; None where it says nothing: judges did not always."""
    about = about_weights(path)
    try:
        return JudgeCard.model_validate_json(about[_KEY]) if _KEY in about else None
    except ValidationError:
        raise InputError(f"{path}: what it says of itself under {_KEY!r} is damaged") from None
