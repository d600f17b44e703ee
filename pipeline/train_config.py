"""What a user writes to train a model: source, family and its hyper-parameters, how long and how, as one strict model.

Importing this module imports torch, for the families' own configs; commands import it when they need it.
"""

from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from generators import FAMILIES
from generators.family import FamilyConfig
from label_editing.names import unknown_name
from pipeline.config_file import Loaded, load_config
from pipeline.recipe import Location
from pipeline.resolution import Resolution
from pipeline.sources import AnySource
from pipeline.training.job import Precision


def _with_family(name: str, config: type[FamilyConfig]) -> type[FamilyConfig]:
    """The family's config with `family: name` in front, as it stands in a file."""
    tag: Any = Literal[name]
    return create_model(f"{config.__name__}Block", __base__=config, family=(tag, name))


if TYPE_CHECKING:
    AnyModel = FamilyConfig
else:
    _blocks = [_with_family(name, family.config) for name, family in FAMILIES.items()]
    AnyModel = Annotated[reduce(or_, _blocks), Field(discriminator="family")] if len(_blocks) > 1 else _blocks[0]


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(_Block):
    """How images are read."""

    flip: bool = Field(default=True, description="mirror every other pair")
    load: Resolution | Literal["native"] | None = Field(
        default=None,
        description="size to read at, to cut `resolution` out of at random; native: the image's own; left out, no cut",
    )
    balance: str | None = Field(
        default=None, description="attribute, such as time_of_day, all of whose values come equally often"
    )
    cache_mb: int = Field(default=512, ge=0, description="memory for decoded pairs, per worker")
    threads: int = Field(default=1, ge=1, le=64, description="threads that read ahead, per worker")


class CheckpointConfig(_Block):
    """What is kept to go on from."""

    every: int = Field(default=1000, ge=1, description="steps between checkpoints")
    keep: int = Field(default=2, ge=1, le=100, description="how many are kept")
    model: Literal["last", "best"] = Field(
        default="last", description="whose weights become the model; best: the least patch distance"
    )


class ValidationConfig(_Block):
    """What is measured at every checkpoint: the patch distance of renderings to photographs."""

    split: str | None = Field(
        default=None, description="held-out split of the source; left out, pairs that are trained on"
    )
    pairs: int = Field(default=16, ge=0, le=1000, description="how many, spread over the split; 0: nothing is measured")


class CoarseConfig(_Block):
    """A first part of the training at a fraction of the resolution, where a step costs a fraction of the time."""

    factor: int = Field(default=2, ge=2, le=8, description="how much smaller width and height are")
    share: float = Field(default=0.5, gt=0, lt=1, description="of all steps")


class StageConfig(_Block):
    """A part of the training that comes before what the file says, with a smaller network or a frozen one."""

    model: dict[str, Any] = Field(default_factory=dict, description="hyper-parameters that differ in this stage")
    resolution: Resolution | None = Field(default=None, description="left out, the one of the whole training")
    load: Resolution | Literal["native"] | None = Field(default=None, description="as data.load")
    steps: int | None = Field(default=None, ge=1)
    epochs: float | None = Field(default=None, gt=0)
    decay: float = Field(default=0.0, ge=0, le=1, description="share of the stage over which its rates fall to zero")
    freeze_coarse: bool = Field(default=False, description="train only what came on top of the stage before")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("expected either steps or epochs")
        return self


class StyleConfig(_Block):
    """How looks are clustered after training."""

    clusters: int = Field(default=10, ge=1, le=1000, description="looks per class at most")
    min_area: float = Field(default=1 / 64, ge=0, lt=1, description="share of the image a region needs to count")
    max_images: int | None = Field(default=None, ge=1, description="images looked at, spread over the source; all")


class TrainConfig(_Block):
    """A model to train."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")
    source: AnySource = Field(description="pairs of label map and image")
    model: AnyModel = Field(description="family, and any of its hyper-parameters")
    output: Location | None = Field(default=None, description="the model directory; left out, runs/<name>")
    resolution: Resolution = Field(description="WIDTHxHEIGHT the network sees")
    steps: int | None = Field(default=None, ge=1, description="updates to make")
    epochs: float | None = Field(default=None, gt=0, description="instead of steps: times through the source")
    batch_size: int = Field(default=1, ge=1, description="pairs per worker and batch")
    accumulate: int = Field(default=1, ge=1, description="batches to one update")
    decay: float = Field(default=0.5, ge=0, le=1, description="share of the steps over which the rates fall to zero")
    coarse: CoarseConfig | None = Field(default=None, description="train at a fraction of the resolution first")
    stages: tuple[StageConfig, ...] = Field(
        default=(), description="coarse to fine: what is trained before, each stage going on from the one above it"
    )
    freeze_coarse: bool = Field(default=False, description="train only what came on top of the last of the stages")
    precision: Precision = Field(
        default="auto", description="auto: bfloat16 on GPUs that have it; float16 scales its losses"
    )
    channels_last: bool = Field(default=True, description="keep weights and images channels last in memory")
    compile: bool = Field(
        default=False, description="torch.compile the blocks; left out, with a note, without compiler"
    )
    recompute: bool = Field(
        default=False, description="compute activations again for the backward pass: less memory, a third more time"
    )
    average: float = Field(default=0.0, ge=0, lt=1, description="decay of the moving average of weights; 0: none")
    reestimate: int = Field(
        default=50, ge=0, description="batches that batch norms of averaged weights are measured on anew"
    )
    seed: int = Field(default=0, ge=0, lt=2**31)
    workers: int = Field(default=1, ge=1, description="processes; with GPUs, one GPU each")
    gpu: bool | None = Field(default=None, description="train on GPUs; left out, where the cluster has enough")
    data: DataConfig = DataConfig()
    checkpoints: CheckpointConfig = CheckpointConfig()
    validation: ValidationConfig = ValidationConfig()
    samples_every: int = Field(default=500, ge=1, description="steps between pictures in samples/")
    styles: StyleConfig = StyleConfig()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("expected either steps or epochs")
        load = self.data.load
        if isinstance(load, Resolution) and (
            load.width < self.resolution.width or load.height < self.resolution.height
        ):
            raise ValueError(f"data.load {load} is smaller than resolution {self.resolution}, which is cut out of it")
        if self.checkpoints.model == "best" and self.validation.pairs == 0:
            raise ValueError("checkpoints.model best needs validation.pairs: with 0 nothing is measured")
        if self.validation.pairs and self.validation.split == self.source.split:
            raise ValueError(
                f"validation.split {self.validation.split!r} is what is trained on; give a held-out split, or null to "
                "measure on pairs that are trained on"
            )
        if self.coarse is not None and self.stages:
            raise ValueError("expected either coarse or stages")
        if self.freeze_coarse and not self.stages:
            raise ValueError("freeze_coarse needs stages: without them nothing is trained before")
        for number, stage in enumerate(self.stages):
            self._check_stage(number, stage)
        if self.coarse is not None and any(side % self.coarse.factor for side in self.resolution):
            raise ValueError(f"coarse.factor {self.coarse.factor} does not divide resolution {self.resolution}")
        return self

    @property
    def family(self) -> str:
        """The name of the family."""
        return str(self.model.family)  # type: ignore[attr-defined]  # every block of AnyModel has it

    @property
    def family_config(self) -> FamilyConfig:
        """The family's own config, as the model directory keeps it."""
        return FAMILIES[self.family].config.model_validate(self.model.model_dump(exclude={"family"}))

    def stage_config(self, stage: StageConfig) -> FamilyConfig:
        """The family's config during a stage."""
        return self.family_config.model_validate({**self.family_config.model_dump(), **stage.model})

    def _check_stage(self, number: int, stage: StageConfig) -> None:
        if not FAMILIES[self.family].grows:
            able = ", ".join(name for name, family in FAMILIES.items() if family.grows)
            raise ValueError(f"stages: {self.family} is not trained coarse to fine; families that are: {able}")
        for key in stage.model:
            if key not in type(self.family_config).model_fields:
                raise ValueError(
                    f"stages[{number}].model: {unknown_name('key', key, type(self.family_config).model_fields)}"
                )
        try:
            self.stage_config(stage)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"stages[{number}].model.{'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    def output_for(self, option: str | None) -> str:
        """Where the model goes: what the command line says, else the file, else runs/<name>."""
        return absolute(option or self.output or f"runs/{self.name}")


def absolute(location: str) -> str:
    """A folder relative to here as one that means the same in every process; URLs stay."""
    return location if "://" in location else str(Path(location).expanduser().absolute())


def load_train_config(path_or_name: str, overrides: list[str]) -> Loaded[TrainConfig]:
    """The training config at this path, or of this name in configs/train; every mistake at once."""
    return load_config(TrainConfig, path_or_name, "train", overrides)


def described(config: TrainConfig) -> dict[str, Any]:
    """The config as plain data, defaults spelt out."""
    return config.model_dump(mode="json", by_alias=True)
