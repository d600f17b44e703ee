"""The `styles:` block of a recipe: which look each class gets.

- {classes: all, pick: {attribute: {time_of_day: night}}, coherent: true}
- {classes: [car], pick: random}
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

WORDS = ("random", "uniform", "source")
_PHOTOGRAPHS = (".jpg", ".jpeg", ".png")
_KEYS = ("cluster", "tag", "attribute", "like")


class _Picked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClusterPick(_Picked):
    """The cluster of this number, in every class that has one of it."""

    cluster: int = Field(ge=0)


class TagPick(_Picked):
    """The clusters that carry this tag."""

    tag: str = Field(min_length=1)


class AttributePick(_Picked):
    """Looks of training images with all these attributes."""

    attribute: dict[str, str] = Field(min_length=1)


class LikePick(_Picked):
    """The look of one training image, by its key, or of any photograph, by its file or URL."""

    like: str = Field(min_length=1)

    @property
    def is_file(self) -> bool:
        """Whether this names a file; keys of images have neither slashes nor endings."""
        return "/" in self.like or self.like.lower().endswith(_PHOTOGRAPHS)


def _kind_of_pick(value: Any) -> str | None:
    if isinstance(value, str):
        return "word"
    keys = value if isinstance(value, dict) else type(value).model_fields if isinstance(value, BaseModel) else ()
    return next((key for key in _KEYS if key in keys), None)


# random: by how often a cluster occurs; uniform: every cluster alike; source: as the scene's own photograph.
Pick = Annotated[
    Annotated[Literal["random", "uniform", "source"], Tag("word")]
    | Annotated[ClusterPick, Tag("cluster")]
    | Annotated[TagPick, Tag("tag")]
    | Annotated[AttributePick, Tag("attribute")]
    | Annotated[LikePick, Tag("like")],
    Discriminator(
        _kind_of_pick,
        custom_error_type="unknown_pick",
        custom_error_message=(
            "expected random, uniform, source, {cluster: 3}, {tag: name}, {attribute: {time_of_day: night}} "
            "or {like: image-key or photo.jpg}"
        ),
    ),
]


class StylePick(BaseModel):
    """One line of `styles:`; a later line overrides earlier ones for the classes it names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: Literal["all"] | tuple[str, ...] = "all"
    pick: Pick = "random"
    coherent: bool = False  # one training image lends its look to all these classes together

    @model_validator(mode="after")
    def _coherent_needs_images(self) -> "StylePick":
        if self.coherent and isinstance(self.pick, ClusterPick):
            raise ValueError("a cluster number belongs to one class; it cannot be coherent over classes")
        return self

    def class_names(self) -> tuple[str, ...]:
        """The classes named, to be checked against a catalog; empty for `all`."""
        return () if self.classes == "all" else self.classes

    def covers(self, class_name: str) -> bool:
        """Whether this line speaks of the class."""
        return self.classes == "all" or class_name in self.classes
