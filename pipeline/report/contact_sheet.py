"""Contact sheets: rows of pictures with captions, as one RGB image."""

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.shards.pixels import encode_image
from pipeline.sources.base import Image

_PAPER = (250, 250, 248)
_INK = (40, 40, 44)
_GAP = 8
_LINE_PX = 24  # of text
_BASE_PX = 17  # from the top of a line to the foot of its letters
_FONT, _SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.55


def contact_sheet(
    rows: Sequence[Sequence[Image]],
    *,
    headings: Sequence[str] = (),
    captions: Sequence[str] = (),
    cell_width: int = 384,
) -> Image:
    """Pictures in rows, all in cells of one width; `headings` stand over the columns, `captions` under the rows.

    Texts that are too long for one line go on in the next.
    """
    if not rows or not rows[0]:
        raise ValueError("a contact sheet needs at least one picture")
    columns = max(len(row) for row in rows)
    width = _GAP + columns * (cell_width + _GAP)
    places = [_GAP + column * (cell_width + _GAP) for column in range(columns)]
    parts = [paper(_GAP, width)]
    if headings:
        parts = [text_strip([(x, cell_width, text) for x, text in zip(places, headings, strict=False)], width)]
    for number, row in enumerate(rows):
        parts.append(_row([_fit(picture, cell_width) for picture in row], places, width))
        if number < len(captions):
            parts.append(text_strip([(_GAP, width - 2 * _GAP, captions[number])], width))
        parts.append(paper(_GAP, width))
    return np.concatenate(parts)


def paper(height: int, width: int) -> Image:
    """An empty piece of a sheet."""
    return np.full((height, width, 3), _PAPER, np.uint8)


def text_strip(texts: Sequence[tuple[int, int, str]], width: int) -> Image:
    """A piece of a sheet with texts side by side, each given by where it begins, its room, and its words."""
    broken = [(x, _lines(text, room)) for x, room, text in texts]
    strip = paper(_LINE_PX * max((len(lines) for _, lines in broken), default=0), width)
    for x, lines in broken:
        for number, line in enumerate(lines):
            cv2.putText(strip, line, (x, number * _LINE_PX + _BASE_PX), _FONT, _SCALE, _INK, 1, cv2.LINE_AA)
    return strip


def _row(cells: Sequence[Image], places: Sequence[int], width: int) -> Image:
    row = paper(max(cell.shape[0] for cell in cells), width)
    for x, cell in zip(places, cells, strict=False):
        row[: cell.shape[0], x : x + cell.shape[1]] = cell
    return row


def _lines(text: str, room: int) -> list[str]:
    """The text in lines that fit, broken between words, and inside a word that is longer than a line."""
    lines: list[str] = []
    for word in text.split():
        if lines and _width(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
        else:
            lines += _pieces(word, room)
    return lines or [""]


def _pieces(word: str, room: int) -> list[str]:
    """A word in pieces that fit, of one letter at least."""
    fitting = max((k for k in range(1, len(word) + 1) if _width(word[:k]) <= room), default=1)
    return [word] if fitting >= len(word) else [word[:fitting], *_pieces(word[fitting:], room)]


def _width(text: str) -> int:
    return int(cv2.getTextSize(text, _FONT, _SCALE, 1)[0][0])


def _fit(picture: Image, width: int) -> Image:
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    way = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def encode_jpeg(picture: Image, quality: int = 90) -> bytes:
    """RGB picture to JPEG bytes."""
    return encode_image(picture, "jpeg", quality)
