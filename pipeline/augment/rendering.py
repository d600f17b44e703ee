"""The render stage: maps and style in, image out, judged and encoded where the pixels are."""

import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from generators.inference import DeviceFailed, Renderer
from generators.style import Style
from label_editing.catalog import Catalog
from label_editing.look_up import look_up
from label_editing.scene import InstanceMap, LabelMap
from pipeline.augment.editing import Editor, with_reject, with_seconds
from pipeline.augment.job import AugmentJob
from pipeline.augment.rows import EditedSample, Judged, Judging, Outcome, RenderedSample, Slot
from pipeline.errors import RunError
from pipeline.shards.pixels import decode_instances, decode_labels, encode_image, encode_labels
from pipeline.shards.sample import NOT_MEASURED, count_pixels
from pipeline.sources.base import Image
from pipeline.styles.draw import replay_style

STAGE = "render"
_MOST_STYLES = 16  # of one scene at a time: their images wait in memory to be encoded
# Threads of a worker that decode maps and encode images; OpenCV does so outside the interpreter lock. A GPU renders an
# image in the time that it takes one of them to decode or encode it.
_THREADS_BESIDE_CPU, _THREADS_BESIDE_GPU = 4, 12
_BYTE = 256
_NOT_JUDGED = Judged(NOT_MEASURED)

Channels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


class Input(NamedTuple):
    """What the renderer takes for one sample."""

    channels: Channels
    instances: InstanceMap | None
    style: Style | None


class RenderWorker:
    """Renders slots in batches. One that fails, or that the gate rejects, is edited anew here, which is rare."""

    def __init__(self, job: AugmentJob, renderer: Renderer, judging: Judging | None = None) -> None:
        self._job = job
        self._renderer = renderer
        self._judging = judging
        self._editor = Editor(job)
        on_cpu = renderer.device.type == "cpu"
        self._threads = ThreadPoolExecutor(_THREADS_BESIDE_CPU if on_cpu else _THREADS_BESIDE_GPU)

    def __call__(self, slots: list[Slot]) -> list[Slot]:
        """The slots with their images. While one batch is rendered, the next is decoded and the last is encoded."""
        pending: dict[int, tuple[Slot, Future[RenderedSample] | None]] = {}
        waiting = batches(slots, self._renderer.max_batch)
        following = self._start_decoding(waiting[0]) if waiting else []
        for number, batch in enumerate(waiting, start=1):
            inputs, following = following, self._start_decoding(waiting[number]) if number < len(waiting) else []
            pending |= {slot.number: (slot, future) for slot, future in self._batch(batch, inputs)}
        return [self._settle(*pending[slot.number]) for slot in slots]

    def step(self, slot: Slot) -> tuple[Slot, bool]:
        """The slot after the next thing that is tried: its sample rendered, or its next scene edited."""
        if slot.sample is None:
            slot, is_done = self._editor.step(slot)
            return slot, is_done and slot.sample is None
        [(slot, future)] = self._batch([slot], self._start_decoding([slot]))
        return (slot, False) if future is None else self._judged(slot, future.result())

    def quarantine(self, slot: Slot, reason: str) -> Slot:
        """The slot without the sample, or the next scene, that kills the worker that tries it."""
        if not isinstance(slot.sample, EditedSample):
            return self._editor.quarantine(slot, reason)
        return with_reject(slot, slot.sample.spec, STAGE, Outcome.FAILED, reason)

    def _start_decoding(self, slots: Sequence[Slot]) -> "list[Future[Input]]":
        samples = [slot.sample for slot in slots if isinstance(slot.sample, EditedSample)]
        return [self._threads.submit(to_input, sample, self._job.model.catalog) for sample in samples]

    def _batch(
        self, slots: Sequence[Slot], inputs: "Sequence[Future[Input]]"
    ) -> Iterable[tuple[Slot, "Future[RenderedSample] | None"]]:
        started = time.perf_counter()
        full = [slot for slot in slots if isinstance(slot.sample, EditedSample)]
        images = self._render_all(inputs)
        judged = self._judge_all(full, images)
        each = (time.perf_counter() - started) / max(1, len(full))
        rendered = dict(zip((slot.number for slot in full), images, strict=True))
        return [
            self._start_encoding(slot, rendered.get(slot.number), judged.get(slot.number, _NOT_JUDGED), each)
            for slot in slots
        ]

    def _start_encoding(
        self, slot: Slot, image: Image | Exception | None, judged: Judged, seconds: float
    ) -> tuple[Slot, "Future[RenderedSample] | None"]:
        sample = slot.sample
        if not isinstance(sample, EditedSample) or image is None:
            return slot, None
        slot = with_seconds(slot, STAGE, seconds)
        if isinstance(image, Exception):
            return with_reject(slot, sample.spec, STAGE, Outcome.FAILED, image), None
        return slot, self._threads.submit(self._encode, sample, image, judged)

    def _judge_all(self, slots: Sequence[Slot], images: Sequence[Image | Exception]) -> dict[int, Judged]:
        """Slot number -> what is thought of it: one call for all, while they are where the network is."""
        if self._judging is None:
            return {}
        there = [
            (slot.number, image, decode_labels(slot.sample.labels_png))
            for slot, image in zip(slots, images, strict=True)
            if isinstance(slot.sample, EditedSample) and not isinstance(image, Exception)
        ]
        if not there:
            return {}
        numbers, pictures, labels = zip(*there, strict=True)
        return dict(zip(numbers, self._judging(np.stack(pictures), labels), strict=True))

    def _render_all(self, inputs: "Sequence[Future[Input]]") -> list[Image | Exception]:
        """An image each; when a batch fails, its samples are tried alone, so that one cannot take others with it."""
        try:
            return self._render([decoded.result() for decoded in inputs]) if inputs else []
        except RunError:
            raise
        except Exception:
            return [self._render_alone(decoded) for decoded in inputs]

    def _render(self, inputs: Sequence[Input]) -> list[Image | Exception]:
        return list(render_inputs(self._renderer, inputs))

    def _render_alone(self, decoded: "Future[Input]") -> Image | Exception:
        try:
            return self._render([decoded.result()])[0]
        except RunError:
            raise
        except Exception as error:
            return error

    def _encode(self, sample: EditedSample, image: Image, judged: Judged) -> RenderedSample:
        form = self._job.recipe.output.image
        rendered = RenderedSample(sample, encode_image(image, form.format, form.quality), judged.agreement)
        if judged.seen is None:
            return rendered
        catalog = self._job.source.catalog
        seen = np.where(judged.seen, decode_labels(sample.labels_png), catalog.void_ids[0])
        return replace(rendered, seen_png=encode_labels(seen, catalog), seen_pixels=count_pixels(seen, catalog))

    def _settle(self, slot: Slot, future: "Future[RenderedSample] | None") -> Slot:
        """The slot with a sample that passes the gate, or empty when its scenes are used up."""
        slot, is_done = (slot, False) if future is None else self._judged(slot, future.result())
        while not is_done:
            slot, is_done = self.step(slot)
        return slot

    def _judged(self, slot: Slot, sample: RenderedSample) -> tuple[Slot, bool]:
        """The slot with the sample, when it passes the gate, and whether that is the end of it."""
        if self._passes(sample):
            return replace(slot, sample=sample), True
        return self._reject(slot, sample), self._job.recipe.quality.on_reject == "drop"

    def _passes(self, sample: RenderedSample) -> bool:
        least = self._job.recipe.quality.min_agreement
        return least is None or sample.agreement == NOT_MEASURED or sample.agreement >= least

    def _reject(self, slot: Slot, sample: RenderedSample) -> Slot:
        least = self._job.recipe.quality.min_agreement
        reason = f"agreement below {least}: {sample.agreement:.3f}"
        return with_reject(slot, sample.edited.spec, STAGE, Outcome.REJECTED, reason)


def batches(slots: Sequence[Slot], size: int) -> list[list[Slot]]:
    """Slots to render together: those of equal maps, which share what labels decide, and others `size` at a time."""
    groups: dict[object, list[Slot]] = {}
    for slot in slots:
        sample = slot.sample
        maps = (sample.labels_png, sample.instances_png) if isinstance(sample, EditedSample) else slot.number
        groups.setdefault(maps, []).append(slot)
    singles = [group[0] for group in groups.values() if len(group) == 1]
    found = [singles[start : start + size] for start in range(0, len(singles), size)]
    for group in groups.values():
        if len(group) > 1:
            found += [group[start : start + _MOST_STYLES] for start in range(0, len(group), _MOST_STYLES)]
    return found


def to_input(sample: EditedSample, catalog: Catalog) -> Input:
    """What the renderer takes, from the bytes that the shard will hold and the style as recorded."""
    return Input(
        to_channels(decode_labels(sample.labels_png), catalog),
        decode_instances(sample.instances_png),
        replay_style(json.loads(sample.styles)),
    )


def render_inputs(renderer: Renderer, inputs: Sequence[Input]) -> list[Image]:
    """The images of these inputs, all of one size.

    RunError when it is the device that fails: no other scene would fare better on it.
    """
    labels: Any = np.stack([each.channels for each in inputs])
    maps = [each.instances for each in inputs if each.instances is not None]
    instances = np.stack(maps) if len(maps) == len(inputs) else None
    try:
        return list(renderer.render(labels, instances, [each.style for each in inputs]))
    except DeviceFailed as error:
        raise RunError(str(error)) from error


def to_channels(labels: LabelMap, catalog: Catalog) -> Channels:
    """Class ids to what networks count in, in bytes where they fit."""
    table = catalog.channel_of
    return look_up(table.astype(np.uint8) if catalog.num_channels < _BYTE else table, labels)
