"""The samples that report.html and preview.jpg show: source map, edited map with every change outlined, and image."""

import json

import numpy as np

from label_editing.drawing import outline_changes
from label_editing.edits import EditRecord
from pipeline.augment.job import AugmentJob
from pipeline.plan import SampleSpec
from pipeline.preview import CELL_PX, PreviewRow, described
from pipeline.shards import layout
from pipeline.shards.sample import Decoded, decode_sample
from pipeline.shards.tar import read_samples
from pipeline.storage import Store

_ROWS = 8


def shown_samples(job: AugmentJob, store: Store, shard: str) -> list[PreviewRow]:
    """Samples spread over one shard, as they were made."""
    samples = list(read_samples(store.read(layout.shard_path(shard))))
    chosen = sorted({round(i) for i in np.linspace(0, len(samples) - 1, min(_ROWS, len(samples)))})
    return [_row(job, decode_sample(*samples[index])) for index in chosen]


def _row(job: AugmentJob, sample: Decoded) -> PreviewRow:
    made = sample.record
    scene = job.source.read_scene(made.source_key, job.resolution)
    edited = scene.with_maps(sample.labels, None if scene.instances is None else sample.instances)
    records = [EditRecord.model_validate(each) for each in json.loads(made.edits)]
    before, after = outline_changes(scene, edited, records, CELL_PX)
    spec = SampleSpec(made.key, made.source_key, made.variant, made.seed)
    return PreviewRow(spec, before, after, tuple(described(records)), sample.image)
