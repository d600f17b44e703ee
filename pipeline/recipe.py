"""What a user writes to get a data set: source, edits, styles, quality gate and output, as one strict model."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from label_editing.edits import AnyEdit
from pipeline.config_file import Loaded, load_config
from pipeline.recipe_drafts import name_problems
from pipeline.resolution import Resolution
from pipeline.sources import AnySource
from pipeline.styles.picks import StylePick


def _with_home(location: str) -> str:
    return str(Path(location).expanduser()) if location.startswith("~") else location


# A folder or any fsspec URL. A relative one counts from where the command is run.
Location = Annotated[str, Field(min_length=1), AfterValidator(_with_home)]


_HELD_OUT = ("val", "valid", "validation", "test")


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageFormat(_Block):
    """How images are stored. Label and instance maps are always PNG."""

    format: Literal["jpeg", "png"] = Field(default="jpeg", description="jpeg is small, png keeps every bit")
    quality: int = Field(default=95, ge=1, le=100, description="of jpeg; png takes no notice")


class Output(_Block):
    """Where the data set goes."""

    root: Location = Field(description="a folder or URL of its own; run again, it is finished or left as it is")
    samples_per_shard: int = Field(default=256, ge=1, le=100_000, description="how many samples a tar holds")
    image: ImageFormat = Field(default=ImageFormat(), description="how images are stored")


class Balance(_Block):
    """Which source maps are drawn more often, so that rare classes come nearer to these shares."""

    by: Literal["pixels", "instances"] = Field(default="pixels", description="what the shares are shares of")
    target: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(
        min_length=1, description="the share each named class should have; other classes share the rest"
    )

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        total = sum(self.target.values())
        if total > 1:
            raise ValueError(f"the target shares add up to {total:.3g}; together they are at most 1")
        return self


class Quality(_Block):
    """The gate: how well a segmenter finds the label map again in the rendered image."""

    min_agreement: float | None = Field(
        default=None, ge=0, le=1, description="least share of pixels it must agree on; left out, nothing is rejected"
    )
    on_reject: Literal["retry", "drop"] = Field(default="retry", description="retry draws the sample again")
    max_retries: int = Field(default=2, ge=0, le=100, description="then the best of them is rejected")
    max_surprise: float | None = Field(
        default=None,
        gt=0,
        description="shards get seen.png: the label map, void where the label surprises the segmenter more than so "
        "many times as much as is usual for its class in these images; 1.5 is a good start; left out, there is none",
    )
    judge_steps: int | None = Field(
        default=None,
        ge=1,
        description="how many updates the segmenter is trained for; left out, 700; for seen.png rather 3000",
    )

    @property
    def asks_a_judge(self) -> bool:
        """Whether a segmenter has to look at what is rendered."""
        return self.min_agreement is not None or self.max_surprise is not None


class OnError(_Block):
    """What happens to a sample that cannot be read, edited or rendered."""

    policy: Literal["skip", "fail"] = Field(default="skip", description="skip counts it in rejects.jsonl and goes on")
    max_fraction: float = Field(default=0.01, ge=0, le=1, description="the run fails beyond this share of samples")


class Recipe(_Block):
    """A data set to make."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$", description="goes into every sample")
    source: AnySource = Field(description="where label maps come from")
    model: Location = Field(default="runs/streetscapes", description="a model directory, as `synthgen train` writes it")
    output: Output = Field(description="where the data set goes")
    resolution: Resolution | None = Field(default=None, description="WIDTHxHEIGHT; left out, the model's own")
    samples: int | None = Field(default=None, ge=1, le=100_000_000, description="how many samples to make in all")
    variants_per_source: int | None = Field(
        default=None, ge=1, le=100_000, description="instead of samples: how many of every source map"
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="the same seed gives the same data set")
    balance: Balance | None = Field(default=None, description="which source maps are drawn more often")
    edits: tuple[AnyEdit, ...] = Field(default=(), description="changes to each label map, in order")
    styles: tuple[StylePick, ...] = Field(default=(), description="the look of each class; left out, random")
    quality: Quality = Field(default=Quality(), description="which rendered samples are good enough")
    on_error: OnError = Field(default=OnError(), description="what happens to a sample that fails")

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if (self.samples is None) == (self.variants_per_source is None):
            raise ValueError("expected either samples or variants_per_source")
        if self.balance is not None and self.samples is None:
            raise ValueError("balance draws some source maps more often, so it needs samples, not variants_per_source")
        if self.balance is not None and self.source.split in _HELD_OUT:
            raise ValueError(f"balance draws training scenes only, and source.split is {self.source.split!r}")
        return self

    def as_data(self) -> dict[str, Any]:
        """The recipe as plain data that reads back as the same recipe, everything left to defaults spelt out."""
        return self.model_dump(mode="json", by_alias=True)

    def fingerprint(self) -> str:
        """A short hash of all that decides what the samples are."""
        return hashlib.sha256(self.fingerprint_text().encode()).hexdigest()[:16]

    def fingerprint_text(self) -> str:
        """All that decides what the samples are.

        Where they go, and which failures are borne, may differ between runs of one data set; the model is known by its
        own fingerprint, so that it may move.
        """
        data = self.as_data()
        for key in ("model", "on_error"):
            del data[key]
        del data["output"]["root"]
        for later in ("max_surprise", "judge_steps"):  # data sets from before there were such are still their recipe's
            if data["quality"][later] is None:
                del data["quality"][later]
        return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def load_recipe(path_or_name: str | Path, overrides: Sequence[str] = ()) -> Loaded[Recipe]:
    """The recipe of this file or shipped name. ConfigError holds every mistake in it: where there are any, names that
    its source or its model lack are looked for at once, as far as these can be opened."""
    return load_config(Recipe, path_or_name, "recipes", overrides, name_problems)
