"""One sample: its image, its two maps, and the record that says what it is and replays it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from label_editing.catalog import Catalog
from label_editing.instance_table import find_instances
from label_editing.scene import Scene
from pipeline.resolution import MOST_PIXELS
from pipeline.shards.pixels import IMAGE_FIELDS, decode_image, decode_instances, decode_labels
from pipeline.sources.base import Image

LABELS_FIELD = "seg.png"
INSTANCES_FIELD = "inst.png"
SEEN_FIELD = "seen.png"  # seg.png with void where the image does not show the label, where the recipe asks for it
RECORD_FIELD = "json"
RECORD_FORMAT = 1
NOT_MEASURED = -1.0  # the agreement of a sample that no segmenter has looked at


class SampleRecord(BaseModel):
    """`<key>.json`: one flat schema for every sample of every data set.

    No nulls, floats always floats, and the parts that vary are JSON in strings, because readers that infer a schema
    from the first samples (Hugging Face `datasets`, Ray, Arrow) refuse anything else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: int = RECORD_FORMAT
    key: str
    source: str  # JSON: the `source:` block
    source_key: str
    split: str
    catalog: str
    recipe: str
    recipe_fingerprint: str
    seed: int
    variant: int
    model: str
    model_fingerprint: str
    width: int = Field(ge=1, le=MOST_PIXELS)
    height: int = Field(ge=1, le=MOST_PIXELS)
    agreement: float  # share of pixels a segmenter finds again; NOT_MEASURED without one
    edits: str  # JSON: a record an edit
    styles: str  # JSON: a record a region, with its vector
    instances: str  # JSON: id, class, box (left, top, width, height), area
    pixels: str  # JSON: pixels by class name

    @model_validator(mode="after")
    def _bounded(self) -> "SampleRecord":
        if self.width * self.height > MOST_PIXELS:
            raise ValueError(f"{self.width}x{self.height} is more than any sample has")
        return self

    def to_json(self) -> bytes:
        """The bytes that the shard holds."""
        return json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    @classmethod
    def from_json(cls, data: bytes | str) -> "SampleRecord":
        """The record back; ValueError says which field is wrong."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ValueError(f"sample record: {where + ': ' if where else ''}{first['msg']}") from None


class Encoded(NamedTuple):
    """A sample as its shard holds it: field -> bytes."""

    key: str
    fields: dict[str, bytes]


@dataclass(frozen=True)
class Decoded:
    """A sample as a person or a trainer wants it."""

    key: str
    image: Image
    labels: Any
    instances: Any
    record: SampleRecord
    seen: Any = None  # what of the labels the image shows; None where nobody looked


def decode_sample(key: str, fields: Mapping[str, bytes]) -> Decoded:
    """The sample, checked: every part there, readable, and of one size. ValueError names the field that is wrong."""
    image = _part(fields, image_field(fields), decode_image)
    labels = _part(fields, LABELS_FIELD, decode_labels)
    instances = _part(fields, INSTANCES_FIELD, decode_instances)
    record = _part(fields, RECORD_FIELD, SampleRecord.from_json)
    seen = _part(fields, SEEN_FIELD, decode_labels) if SEEN_FIELD in fields else None
    maps = [labels, instances] if seen is None else [labels, instances, seen]
    sizes = {image.shape[:2], (record.height, record.width), *(each.shape for each in maps)}
    if len(sizes) != 1:
        said = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
        raise ValueError(f"image, maps and record differ in size: {said}")
    if record.key != key:
        raise ValueError(f"the record is that of sample {record.key!r}")
    return Decoded(key, image, labels, instances, record, seen)


def image_field(fields: Mapping[str, bytes]) -> str:
    """The field that holds the image."""
    found = [field for field in IMAGE_FIELDS.values() if field in fields]
    if len(found) != 1:
        raise ValueError(f"expected one image ({' or '.join(IMAGE_FIELDS.values())}), found {len(found)}")
    return found[0]


def describe_instances(scene: Scene) -> list[dict[str, Any]]:
    """Every thing of the scene as its record lists it."""
    if scene.instances is None:
        return []
    return [
        {
            "id": found.id,
            "class": scene.catalog.with_id(found.class_id).name,
            "box": [found.box.left, found.box.top, found.box.width, found.box.height],
            "area": found.area,
        }
        for found in find_instances(scene.instances).values()
    ]


def count_pixels(labels: Any, catalog: Catalog) -> dict[str, int]:
    """Pixels by class name; classes that do not occur are left out."""
    import numpy as np

    counts = np.bincount(labels.ravel(), minlength=catalog.max_id + 1)
    return {c.name: int(counts[c.id]) for c in catalog.classes if counts[c.id]}


def as_json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """Compact JSON that never changes its mind."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def _part(fields: Mapping[str, bytes], field: str, decode: Any) -> Any:
    if field not in fields:
        raise ValueError(f"{field} is missing")
    try:
        return decode(fields[field])
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None
