"""What edits do to maps, as data: few kinds of change, each small in JSON, each the same bytes when done again.

An edit draws and decides; only these touch pixels. So the changes in a record are enough to replay it.
"""

import base64
import zlib
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from label_editing.boxes import Box
from label_editing.instance_table import run_lengths, run_starts

# What one pixel is: its instance id, or its class id where it belongs to none. Both maps follow from it.
Codes = npt.NDArray[np.int32]

UNCHANGED = -1

_BLOCK_PX = 1 << 17


class _Change(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Patch(_Change):
    """New codes for the pixels of a box, as runs: zlib over little-endian int32 values, then lengths."""

    kind: Literal["patch"] = "patch"
    box: Box
    runs: str

    @classmethod
    def of(cls, box: Box, codes: npt.NDArray[np.integer], where: npt.NDArray[np.bool_]) -> "Patch":
        """`codes` and the mask have the shape of the box; the map keeps what it has where the mask is false."""
        values, starts = _runs(codes, where)
        lengths = run_lengths(starts, codes.size)
        raw = values.astype("<i4").tobytes() + lengths.astype("<i4").tobytes()
        return cls(box=box, runs=base64.b64encode(zlib.compress(raw, 6)).decode("ascii"))

    def codes(self) -> Codes:
        """The codes of the box, UNCHANGED where nothing changes; ValueError when the runs do not fill it."""
        raw = np.frombuffer(zlib.decompress(base64.b64decode(self.runs)), "<i4").astype(np.int32)
        values, lengths = raw[: raw.size // 2], raw[raw.size // 2 :]
        if lengths.min(initial=1) < 1 or int(lengths.sum()) != self.box.height * self.box.width:
            raise ValueError(f"the runs of a patch do not fill its box of {self.box.width}x{self.box.height}")
        return np.repeat(values, lengths).reshape(self.box.height, self.box.width)


def _runs(
    codes: npt.NDArray[np.integer], where: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.intp]]:
    """Codes, UNCHANGED where the mask is false, as runs in the order of rows: their values, and where they begin."""
    height, width = codes.shape
    # Some rows at a time, which stay in the processor's cache.
    rows = max(1, _BLOCK_PX // width)
    values, starts, last = [], [], None
    for top in range(0, height, rows):
        mask = where[top : top + rows].ravel()
        kept = codes[top : top + rows].ravel() * mask
        begins = run_starts(kept, mask)
        found = np.where(mask[begins], kept[begins].astype(np.int32), np.int32(UNCHANGED))
        first = int(found[0] == last)
        values.append(found[first:])
        starts.append(begins[first:] + top * width)
        last = found[-1]
    return np.concatenate(values), np.concatenate(starts)


class Relabel(_Change):
    """Every pixel of one code becomes another, all over the map."""

    kind: Literal["relabel"] = "relabel"
    codes: dict[int, int]


class Flip(_Change):
    """Left to right."""

    kind: Literal["flip"] = "flip"


class Zoom(_Change):
    """A window of the map brought back to full size, nearest neighbour."""

    kind: Literal["zoom"] = "zoom"
    box: Box


Change = Annotated[Patch | Relabel | Flip | Zoom, Field(discriminator="kind")]


def relabel_table(codes: dict[int, int], size: int) -> npt.NDArray[np.int32]:
    """The look-up table of a relabelling of class ids."""
    table = np.arange(size, dtype=np.int32)
    for old, new in codes.items():
        table[old] = new
    return table
