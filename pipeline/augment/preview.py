"""preview.jpg: source map, edited map and image of a few samples, side by side."""

import json
from typing import Any

import numpy as np

from label_editing.catalog import Catalog
from pipeline.augment.job import AugmentJob
from pipeline.report.contact_sheet import contact_sheet, encode_jpeg
from pipeline.shards import layout
from pipeline.shards.sample import Decoded, decode_sample
from pipeline.shards.tar import read_samples
from pipeline.sources.base import Image
from pipeline.storage import Store

_ROWS = 8
_HEADINGS = ("source map", "edited map", "image")


def preview_sheet(job: AugmentJob, store: Store, shard: str) -> bytes:
    """A contact sheet of samples spread over one shard, as JPEG."""
    samples = list(read_samples(store.read(layout.shard_path(shard))))
    if not samples:
        return encode_jpeg(np.full((64, 256, 3), 255, np.uint8))
    chosen = sorted({round(i) for i in np.linspace(0, len(samples) - 1, _ROWS)})
    decoded = [decode_sample(*samples[index]) for index in chosen]
    rows = [_row(job, sample) for sample in decoded]
    return encode_jpeg(contact_sheet(rows, headings=_HEADINGS, captions=[_caption(s) for s in decoded]))


def paint_labels(labels: Any, instances: Any, catalog: Catalog) -> Image:
    """A map in its catalog's colours, with the borders of instances drawn in."""
    colors = catalog.palette[labels].astype(np.uint8)
    border = np.zeros(labels.shape, np.bool_)
    border[:, 1:] |= instances[:, 1:] != instances[:, :-1]
    border[1:] |= instances[1:] != instances[:-1]
    things = catalog.is_thing[labels]
    colors[border & things] = 255
    return colors


def _row(job: AugmentJob, sample: Decoded) -> list[Image]:
    scene = job.source.read_scene(sample.record.source_key, job.resolution)
    before = scene.labels if scene.instances is None else scene.instances
    catalog = job.source.catalog
    return [
        paint_labels(scene.labels, before, catalog),
        paint_labels(sample.labels, sample.instances, catalog),
        sample.image,
    ]


def _caption(sample: Decoded) -> str:
    applied = [record["op"] for record in json.loads(sample.record.edits) if record["applied"]]
    return f"{sample.key}  from {sample.record.source_key}: {', '.join(applied) or 'not edited'}"
