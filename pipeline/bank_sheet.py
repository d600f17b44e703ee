"""The cut-outs of a class in an instance bank as one picture, small ones first, each with its size and origin."""

from collections.abc import Sequence

import cv2
import numpy as np

from label_editing.instance_bank import COMPANION, SELF, BankEntry
from pipeline.report.contact_sheet import contact_sheet
from pipeline.sources.base import Image

_COLUMNS = 8
_CELL_WIDTH, _CELL_HEIGHT = 168, 132
_CAPTION_HEIGHT = 30
_PAPER, _INK, _GROUND = (236, 236, 232), (40, 40, 44), (150, 150, 146)
_COLOURS = {SELF: (38, 84, 170), COMPANION: (214, 126, 44)}
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def class_sheet(class_name: str, entries: Sequence[BankEntry], most: int = 48) -> Image:
    """At most so many cut-outs, spread evenly over the sizes that the bank has."""
    if not entries:
        raise ValueError(f"no cut-outs of {class_name!r} to show")
    by_height = sorted(entries, key=lambda entry: (entry.relative_height, entry.source_key, entry.foot_column))
    chosen = np.linspace(0, len(by_height) - 1, min(most, len(by_height))).astype(int)
    cells = [_cell(by_height[k]) for k in chosen.tolist()]
    blank = np.full_like(cells[0], 255)
    cells += [blank] * (-len(cells) % _COLUMNS)
    rows = [cells[k : k + _COLUMNS] for k in range(0, len(cells), _COLUMNS)]
    return contact_sheet(rows, headings=[f"{class_name}: {len(chosen)} of {len(entries)}"], cell_width=_CELL_WIDTH)


def _cell(entry: BankEntry) -> Image:
    """One cut-out, as large as its cell allows, on a line that is the ground."""
    cell = np.full((_CELL_HEIGHT, _CELL_WIDTH, 3), _PAPER, np.uint8)
    ground = _CELL_HEIGHT - _CAPTION_HEIGHT
    scale = min((_CELL_WIDTH - 8) / entry.width, (ground - 6) / entry.height)
    size = (max(1, round(entry.width * scale)), max(1, round(entry.height * scale)))
    parts = cv2.resize(entry.parts, size, interpolation=cv2.INTER_NEAREST)
    top, left = ground - size[1], (_CELL_WIDTH - size[0]) // 2
    window = cell[top:ground, left : left + size[0]]
    for part, colour in _COLOURS.items():
        window[parts == part] = colour
    cell[ground] = _GROUND
    said = (f"{entry.width}x{entry.height} px, foot {entry.foot_row}", entry.source_key[-26:])
    for line, text in enumerate(said):
        cv2.putText(cell, text, (4, ground + 12 + 13 * line), _FONT, 0.36, _INK, 1, cv2.LINE_AA)
    return cell
