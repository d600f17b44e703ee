"""Giving a scene its look: from the lines of a recipe to a style a generator takes, and records that replay it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from generators.style import Style, StyleKind
from label_editing.names import unknown_name
from label_editing.scene import Scene, class_of_instance
from pipeline.styles.bank import WHOLE_IMAGE, StyleBank, Vector
from pipeline.styles.looks import LendingImage, Look, describe, fresh_noise, independent_look
from pipeline.styles.picks import AttributePick, LikePick, StylePick, TagPick

# Classes that no line of the recipe names still look like one place at one hour.
DEFAULT_PICK = StylePick(classes="all", pick="random", coherent=True)

StyleRecord = dict[str, Any]


def draw_style(
    bank: StyleBank, picks: Sequence[StylePick], scene: Scene, rng: np.random.Generator
) -> tuple[Style | None, list[StyleRecord]]:
    """The style of one scene and a JSON-able record of it; None where the family has no styles to give."""
    lines = (DEFAULT_PICK, *picks)
    if bank.kind is StyleKind.NONE or (bank.kind is StyleKind.INSTANCE and not bank.clusters):
        return None, []
    if bank.kind is StyleKind.INSTANCE:
        records = _draw_regions(bank, lines, scene, rng)
    elif bank.kind is StyleKind.GLOBAL and bank.clusters and not bank.searched:
        records = [_draw_whole(bank, lines, scene, rng)]
    else:
        records = _draw_noise(bank, lines, scene, rng)
    return replay_style(records), records


def replay_style(records: Sequence[StyleRecord]) -> Style | None:
    """The style that `draw_style` recorded."""
    if not records:
        return None
    vectors = np.array([record["vector"] for record in records], np.float32)
    if len(records) == 1 and records[0]["id"] == WHOLE_IMAGE:
        return Style(None, vectors)
    return Style(np.array([record["id"] for record in records], np.int32), vectors)


def check_picks(bank: StyleBank, picks: Sequence[StylePick]) -> list[str]:
    """What of these lines the bank cannot give, as `styles[0].pick: what`; empty when all is well."""
    problems = []
    for index, line in enumerate(picks):
        problem = _problem(bank, line)
        if problem is not None:
            problems.append(f"styles[{index}].{problem}")
    return problems


def _problem(bank: StyleBank, line: StylePick) -> str | None:
    if bank.kind is StyleKind.GLOBAL and line.classes != "all":
        return "classes: this model has one style for the whole image; only 'all' is possible"
    if line.pick in ("random", "uniform") or (line.pick == "source" and bank.kind is StyleKind.NONE):
        return None
    if not bank.clusters:
        what = describe(line.pick)
        return (
            f"pick: this model has no style bank, so it cannot give {what}; "
            "fit one with `synthgen styles fit`, or use 'random'"
        )
    if isinstance(line.pick, TagPick) and line.pick.tag not in bank.tags:
        return f"pick.tag: {unknown_name('tag', line.pick.tag, bank.tags)}"
    if isinstance(line.pick, LikePick) and line.pick.like not in bank.image_index:
        return f"pick.like: {unknown_name('training image', line.pick.like, bank.image_keys[:1000])}{_of_file(line)}"
    if isinstance(line.pick, AttributePick):
        return _attribute_problem(bank, line.pick.attribute)
    return None


def _of_file(line: StylePick) -> str:
    """What to say of a photograph from elsewhere where there can be none."""
    if not (isinstance(line.pick, LikePick) and line.pick.is_file):
        return ""
    return "; a photograph from elsewhere can lend its look only where a model has one look for the whole image"


def _attribute_problem(bank: StyleBank, wanted: Mapping[str, str]) -> str | None:
    values = bank.attribute_values()
    for name, value in wanted.items():
        if name not in values:
            return f"pick.attribute: {unknown_name('attribute', name, values)}"
        if value not in values[name]:
            return f"pick.attribute.{name}: {unknown_name('value', value, values[name])}"
    if not len(bank.images_with(wanted)):
        return f"pick.attribute: no training image has all of {dict(wanted)}"
    return None


class _Looks:
    """The looks of one scene: each line of the recipe draws its lending image once."""

    def __init__(self, bank: StyleBank, lines: Sequence[StylePick], scene: Scene, rng: np.random.Generator) -> None:
        self._bank, self._lines, self._scene, self._rng = bank, lines, scene, rng
        self._lending: dict[int, LendingImage] = {}

    def look(self, class_id: int, name: str) -> Look | None:
        """The look the last line that covers the class gives it."""
        number = self._line_of(name)
        line = self._lines[number]
        if not (line.coherent or line.pick == "source" or isinstance(line.pick, LikePick)):
            return independent_look(self._bank, line.pick, class_id, self._rng)
        if number not in self._lending:
            self._lending[number] = LendingImage(self._bank, line, self._scene, self._rng)
        return self._lending[number].look(class_id)

    def noise(self, name: str) -> Look:
        """The noise the last line that covers the class gives it; what no line asks for is drawn as in training."""
        pick = self._lines[self._line_of(name)].pick
        found = None if pick in ("random", "uniform") or not self._bank.clusters else self.look(WHOLE_IMAGE, name)
        return found or fresh_noise(self._bank.dim, self._rng)

    def _line_of(self, name: str) -> int:
        """The last line that covers a class, or (without a name) the whole image."""
        return max(i for i, line in enumerate(self._lines) if (line.covers(name) if name else line.classes == "all"))


def _draw_regions(
    bank: StyleBank, lines: Sequence[StylePick], scene: Scene, rng: np.random.Generator
) -> list[StyleRecord]:
    looks = _Looks(bank, lines, scene, rng)
    ids = np.unique(scene.labels if scene.instances is None else scene.instances)
    records = []
    for region, class_id in zip(ids.tolist(), class_of_instance(ids).tolist(), strict=True):
        name = scene.catalog.with_id(class_id).name
        look = looks.look(class_id, name)
        # A class that no training image shows keeps zeros: the middle of what the generator knows.
        records.append(_record(region, name, look or Look(np.zeros(bank.dim, np.float32), -1, "")))
    return records


def _draw_whole(bank: StyleBank, lines: Sequence[StylePick], scene: Scene, rng: np.random.Generator) -> StyleRecord:
    look = _Looks(bank, lines, scene, rng).look(WHOLE_IMAGE, "")
    if look is None:
        raise ValueError(f"no training image of the style bank fits {describe(lines[-1].pick)}")
    return _record(WHOLE_IMAGE, "", look)


def _draw_noise(
    bank: StyleBank, lines: Sequence[StylePick], scene: Scene, rng: np.random.Generator
) -> list[StyleRecord]:
    """Noise for the image; regions of classes that a line names get their own, where the family paints noise."""
    looks = _Looks(bank, lines, scene, rng)
    whole = looks.noise("")
    named = {name for line in lines for name in line.class_names()}
    if not named or bank.kind is StyleKind.GLOBAL:
        return [_record(WHOLE_IMAGE, "", whole)]
    ids = np.unique(scene.labels if scene.instances is None else scene.instances)
    records = []
    for region, class_id in zip(ids.tolist(), class_of_instance(ids).tolist(), strict=True):
        name = scene.catalog.with_id(class_id).name
        records.append(_record(region, name, looks.noise(name) if name in named else whole))
    return records


def _record(region: int, class_name: str, look: Look) -> StyleRecord:
    return {
        "id": region,
        "class": class_name,
        "cluster": look.cluster,
        "image": look.image,
        "vector": _shortest(look.vector),
    }


def _shortest(vector: Vector) -> list[float]:
    # str of a float32 is the shortest number that reads back as the same float32.
    return [float(str(value)) for value in vector.astype(np.float32)]
