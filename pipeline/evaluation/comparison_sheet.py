"""The same label maps rendered by several models, in rows: what `evaluate compare` shows beside the numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.report.contact_sheet import contact_sheet
from pipeline.shards.pixels import decode_image
from pipeline.sources.base import Image
from pipeline.storage import Store

_CELL_PX = 240
_PLAIN = ("labels", "real")  # the same whoever renders
_HEADINGS = ("label map", "photograph")


def comparison_sheet(results: Mapping[str, Mapping[str, Any]], stores: Mapping[str, Store]) -> Image | None:
    """A row a scene that all of them show: its label map, its photograph, one rendering each; None without any."""
    shown = {name: {scene["key"]: scene for scene in result.get("shown", [])} for name, result in results.items()}
    first, *others = shown.values()
    keys = [key for key in first if all(key in other for other in others)]
    if not keys:
        return None
    rows = [_row(key, shown, stores) for key in keys]
    return contact_sheet(rows, headings=(*_HEADINGS, *shown), captions=keys, cell_width=_CELL_PX)


def _row(
    key: str, shown: Mapping[str, Mapping[str, Mapping[str, str]]], stores: Mapping[str, Store]
) -> Sequence[Image]:
    one = next(iter(shown))
    plain = [decode_image(stores[one].read(shown[one][key][what])) for what in _PLAIN]
    return [*plain, *(decode_image(stores[name].read(of_model[key]["rendered"])) for name, of_model in shown.items())]
