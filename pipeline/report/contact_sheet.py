"""Contact sheets: rows of pictures with captions, as one RGB image."""

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.sources.base import Image

_PAPER = (250, 250, 248)
_INK = (40, 40, 44)
_GAP = 8
_CAPTION = 22
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def contact_sheet(
    rows: Sequence[Sequence[Image]],
    *,
    headings: Sequence[str] = (),
    captions: Sequence[str] = (),
    cell_width: int = 384,
) -> Image:
    """Pictures in rows, all in cells of one width; `headings` stand over the columns, `captions` under the rows."""
    if not rows or not rows[0]:
        raise ValueError("a contact sheet needs at least one picture")
    columns = max(len(row) for row in rows)
    cells = [[_fit(picture, cell_width) for picture in row] for row in rows]
    heights = [max(cell.shape[0] for cell in row) for row in cells]
    top = _CAPTION + _GAP if headings else _GAP
    under = _CAPTION if captions else 0
    height = top + sum(h + under + _GAP for h in heights)
    sheet = np.full((height, _GAP + columns * (cell_width + _GAP), 3), _PAPER, np.uint8)
    for column, heading in enumerate(headings):
        _write(sheet, heading, _GAP + column * (cell_width + _GAP), _CAPTION - 4, cell_width)
    y = top
    for number, row in enumerate(cells):
        for column, cell in enumerate(row):
            x = _GAP + column * (cell_width + _GAP)
            sheet[y : y + cell.shape[0], x : x + cell_width] = cell
        if number < len(captions):
            _write(sheet, captions[number], _GAP, y + heights[number] + 16, sheet.shape[1] - 2 * _GAP)
        y += heights[number] + under + _GAP
    return sheet


def _fit(picture: Image, width: int) -> Image:
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    way = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def _write(sheet: Image, text: str, x: int, y: int, room: int) -> None:
    scale = 0.45
    while text and cv2.getTextSize(text, _FONT, scale, 1)[0][0] > room:
        text = text[:-2].rstrip(".") + "."
    cv2.putText(sheet, text, (x, y), _FONT, scale, _INK, 1, cv2.LINE_AA)


def encode_jpeg(picture: Image, quality: int = 90) -> bytes:
    """RGB picture to JPEG bytes."""
    done, data = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"could not encode a picture of shape {picture.shape} as JPEG")
    return data.tobytes()
