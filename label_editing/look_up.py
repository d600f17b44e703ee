"""Look-up tables over label maps. OpenCV reads a table of bytes several times faster than NumPy's indexing does."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from label_editing.scene import LabelMap

_FEW_PIXELS = 2048  # below, a call costs more than the reading
_BYTE_VALUES = 256  # OpenCV takes no other table


def look_up(table: npt.NDArray[Any], labels: LabelMap) -> npt.NDArray[Any]:
    """`table[labels]`, for a table of booleans or bytes with an entry for every value that a map can hold."""
    bytes_both = labels.dtype == np.uint8 and table.itemsize == 1 and len(table) == _BYTE_VALUES
    if not bytes_both or labels.ndim != 2 or labels.size < _FEW_PIXELS:
        return table[labels]
    return cv2.LUT(labels, table.view(np.uint8)).view(table.dtype)
