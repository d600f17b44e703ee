"""One sample made again from its record: the label maps byte for byte, the image where the model is at hand."""

import json
import math
from dataclasses import dataclass

import numpy as np
from pydantic import TypeAdapter, ValidationError

from label_editing.edits import EditRecord, replay_edits
from label_editing.scene import Scene
from pipeline.augment.rendering import Input, render_inputs, to_channels
from pipeline.augment.workers import RENDER_THREADS
from pipeline.errors import InputError
from pipeline.model_directory import OpenModel
from pipeline.recipe import ImageFormat
from pipeline.resolution import Resolution
from pipeline.shards.pixels import (
    decode_image,
    decode_instances,
    decode_labels,
    encode_image,
    encode_instances,
    encode_labels,
)
from pipeline.shards.sample import INSTANCES_FIELD, LABELS_FIELD, SampleRecord
from pipeline.sources import AnySource, Source
from pipeline.sources.base import Image
from pipeline.styles.draw import replay_style

_LEAST_PSNR_DB = 30.0
_RECORDS: TypeAdapter[list[EditRecord]] = TypeAdapter(list[EditRecord])


@dataclass(frozen=True)
class Replayed:
    """A sample made again: the bytes of its maps, and its image when a model was given."""

    maps: dict[str, bytes]
    image: Image | None


def replay(record: SampleRecord, model: OpenModel | None = None) -> Replayed:
    """The sample of this record."""
    scene = replay_scene(record, open_source(record))
    maps = {
        LABELS_FIELD: encode_labels(scene.labels, scene.catalog),
        INSTANCES_FIELD: encode_instances(scene.labels, scene.instances, scene.catalog),
    }
    return Replayed(maps, None if model is None else _replay_image(record, model, maps))


@dataclass(frozen=True)
class Likeness:
    """How near an image that was made again comes to the one in the shard."""

    psnr_db: float  # infinite when they are the same, byte for byte

    @property
    def is_close(self) -> bool:
        """Other devices round otherwise; what differs by more than that is another image."""
        return self.psnr_db >= _LEAST_PSNR_DB

    def __str__(self) -> str:
        if math.isinf(self.psnr_db):
            return "the same, byte for byte"
        if self.is_close:
            return f"{self.psnr_db:.1f} dB from the one in the shard, as on another kind of device"
        return f"DIFFERS: {self.psnr_db:.1f} dB from the one in the shard"


def likeness(image: Image, stored: bytes, form: ImageFormat) -> Likeness:
    """Compare an image with the bytes in the shard, which were encoded in this form."""
    made = encode_image(image, form.format, form.quality)
    if made == stored:
        return Likeness(math.inf)
    difference = decode_image(made).astype(np.float64) - decode_image(stored)
    square = float(np.mean(np.square(difference)))
    return Likeness(10 * math.log10(255**2 / square) if square else math.inf)


def open_source(record: SampleRecord) -> Source:
    """The source that the record names."""
    adapter: TypeAdapter[AnySource] = TypeAdapter(AnySource)
    try:
        return adapter.validate_json(record.source, strict=True).open()
    except ValidationError as error:
        raise InputError(f"sample {record.key}: its source is none: {error.errors()[0]['msg']}") from None


def replay_scene(record: SampleRecord, source: Source) -> Scene:
    """The edited scene, from the source map and the recorded changes alone."""
    scene = source.read_scene(record.source_key, Resolution(record.width, record.height))
    try:
        return replay_edits(_RECORDS.validate_json(record.edits), scene)
    except (ValueError, IndexError, OverflowError, MemoryError) as error:  # what somebody else wrote may paint anywhere
        raise InputError(f"sample {record.key}: its edits cannot be replayed: {error}") from None


def _replay_image(record: SampleRecord, model: OpenModel, maps: dict[str, bytes]) -> Image:
    import torch

    from generators.inference import Renderer

    if model.fingerprint != record.model_fingerprint:
        raise InputError(
            f"{model.url}: is model {model.fingerprint[:12]}, the sample was made by {record.model_fingerprint[:12]} "
            f"({record.model}); give that one with --model"
        )
    torch.set_num_threads(RENDER_THREADS)
    labels, instances = decode_labels(maps[LABELS_FIELD]), decode_instances(maps[INSTANCES_FIELD])
    try:
        style = replay_style(json.loads(record.styles))
    except (ValueError, KeyError, IndexError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"sample {record.key}: its styles are none: {error!r}"[:300]) from None
    made = Input(to_channels(labels, model.catalog), instances, style)
    return render_inputs(Renderer(model.load_generator()), [made])[0]
