"""The edit stage: scene in, edited maps and a drawn style out. A scene that fails gives its slot to the next one."""

import time
from collections import Counter
from dataclasses import replace

from label_editing.edits import EditRefused, apply_edits
from label_editing.scene import check_scene
from pipeline.augment.job import AugmentJob
from pipeline.augment.rows import EditedSample, Outcome, Reject, Slot
from pipeline.errors import StorageError
from pipeline.plan import SPARES_A_SLOT, SampleSpec, sample_rng
from pipeline.shards.pixels import encode_instances, encode_labels
from pipeline.shards.sample import as_json, count_pixels, describe_instances
from pipeline.styles.draw import draw_style

STAGE = "edit"
_LONGEST_REASON = 500


class Editor:
    """Fills slots with edited samples."""

    def __init__(self, job: AugmentJob) -> None:
        self._job = job

    def __call__(self, numbers: list[int | Slot]) -> list[Slot]:
        """The slots of these numbers, each with a sample as long as any of its scenes can be edited."""
        return [self.fill(self._slot(number)) for number in numbers]

    def fill(self, slot: Slot) -> Slot:
        """The slot with the first of its scenes, after those tried already, that can be read and edited."""
        is_done = False
        while not is_done:
            slot, is_done = self.step(slot)
        return slot

    def step(self, given: int | Slot) -> tuple[Slot, bool]:
        """The slot after its next scene was tried, and whether it is filled or has no scene left."""
        started, slot = time.perf_counter(), self._slot(given)
        if slot.sample is not None or slot.attempts > SPARES_A_SLOT:
            return slot, True
        spec = self._next_spec(slot)
        slot = replace(slot, attempts=slot.attempts + 1)
        try:
            slot = replace(slot, sample=self.edit(spec))
        except StorageError:
            raise  # storage that is away fails every sample alike
        except EditRefused as error:
            slot = with_reject(slot, spec, STAGE, Outcome.REFUSED, error)
        except Exception as error:
            slot = with_reject(slot, spec, STAGE, Outcome.FAILED, error)
        slot = with_seconds(slot, STAGE, time.perf_counter() - started)
        return slot, slot.sample is not None or slot.attempts > SPARES_A_SLOT

    def quarantine(self, given: int | Slot, reason: str) -> Slot:
        """The slot with its next scene given up untried: it kills the worker that tries it."""
        slot = self._slot(given)
        spec = self._next_spec(slot)
        return with_reject(replace(slot, attempts=slot.attempts + 1), spec, STAGE, Outcome.FAILED, reason)

    def edit(self, spec: SampleSpec) -> EditedSample:
        """One sample of the plan."""
        scene = self._job.source.read_scene(spec.source_key, self._job.resolution)
        edits_rng, styles_rng = sample_rng(spec.seed, spec.source_key, spec.variant).spawn(2)
        edited, records = apply_edits(self._job.recipe.edits, scene, self._job.context, edits_rng)
        check_scene(edited)
        _, style_records = draw_style(self._job.bank, self._job.recipe.styles, edited, styles_rng)
        return EditedSample(
            spec=spec,
            labels_png=encode_labels(edited.labels, edited.catalog),
            instances_png=encode_instances(edited.labels, edited.instances, edited.catalog),
            edits=as_json([record.model_dump(mode="json") for record in records]),
            styles=as_json(style_records),
            instances=as_json(describe_instances(edited)),
            pixels=count_pixels(edited.labels, edited.catalog),
            source_pixels=count_pixels(scene.labels, scene.catalog),
            source_instances=dict(Counter(str(found["class"]) for found in describe_instances(scene))),
        )

    def _slot(self, given: int | Slot) -> Slot:
        return given if isinstance(given, Slot) else Slot(self._job.plan.shard_of(given), given)

    def _next_spec(self, slot: Slot) -> SampleSpec:
        """The scene of the plan; after a rejection the same one while retries last; otherwise a spare one."""
        plan = self._job.plan
        if not slot.attempts:
            return plan.sample(slot.number)
        last = slot.rejects[-1]
        if last.outcome is Outcome.REJECTED:
            rejected = sum(r.outcome is Outcome.REJECTED and r.source_key == last.source_key for r in slot.rejects)
            if rejected <= self._job.recipe.quality.max_retries:
                return plan.again(slot.number, slot.attempts, last.source_key)
        return plan.spare(slot.number, slot.attempts)


def with_reject(slot: Slot, spec: SampleSpec, stage: str, outcome: Outcome, error: Exception | str) -> Slot:
    """The slot, emptied, with one more line for rejects.jsonl."""
    reason = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    reject = Reject(slot.shard, spec.key, spec.source_key, spec.variant, stage, outcome, reason[:_LONGEST_REASON])
    return replace(slot, sample=None, rejects=(*slot.rejects, reject))


def with_seconds(slot: Slot, stage: str, seconds: float) -> Slot:
    """The slot with more busy time of a stage."""
    return replace(slot, seconds={**slot.seconds, stage: slot.seconds.get(stage, 0.0) + seconds})
