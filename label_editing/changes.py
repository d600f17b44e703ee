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
from label_editing.instance_table import run_starts

# What one pixel is: its instance id, or its class id where it belongs to none. Both maps follow from it.
Codes = npt.NDArray[np.int32]

UNCHANGED = -1


class _Change(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Patch(_Change):
    """New codes for the pixels of a box, as runs: zlib over little-endian int32 values, then lengths."""

    kind: Literal["patch"] = "patch"
    box: Box
    runs: str

    @classmethod
    def of(cls, box: Box, codes: Codes) -> "Patch":
        """`codes` has the shape of the box, UNCHANGED where the map keeps what it has."""
        flat = codes.ravel()
        starts = run_starts(flat)
        return cls._packed(box, flat[starts], np.diff(starts, append=flat.size))

    @classmethod
    def of_few(cls, box: Box, positions: npt.NDArray[np.intp], codes: Codes) -> "Patch":
        """As `of`, from the changed pixels alone: sorted positions in the flattened box, and their codes."""
        breaks = (positions[1:] != positions[:-1] + 1) | (codes[1:] != codes[:-1])
        starts = np.concatenate(([0], np.flatnonzero(breaks) + 1))
        lengths = np.diff(starts, append=positions.size)
        begins = positions[starts]
        gaps = np.diff(np.append(begins, box.height * box.width), prepend=0)
        gaps[1:] -= lengths
        values = np.full(2 * starts.size + 1, UNCHANGED, np.int32)
        spans = np.empty(values.size, np.int64)
        values[1::2], spans[1::2], spans[0::2] = codes[starts], lengths, gaps
        return cls._packed(box, values[spans > 0], spans[spans > 0])

    @classmethod
    def _packed(cls, box: Box, values: npt.NDArray[np.integer], lengths: npt.NDArray[np.integer]) -> "Patch":
        raw = values.astype("<i4").tobytes() + lengths.astype("<i4").tobytes()
        return cls(box=box, runs=base64.b64encode(zlib.compress(raw, 6)).decode("ascii"))

    def codes(self) -> Codes:
        """The codes of the box, UNCHANGED where nothing changes; ValueError when the runs do not fill it."""
        raw = np.frombuffer(zlib.decompress(base64.b64decode(self.runs)), "<i4").astype(np.int32)
        values, lengths = raw[: raw.size // 2], raw[raw.size // 2 :]
        if lengths.min(initial=1) < 1 or int(lengths.sum()) != self.box.height * self.box.width:
            raise ValueError(f"the runs of a patch do not fill its box of {self.box.width}x{self.box.height}")
        return np.repeat(values, lengths).reshape(self.box.height, self.box.width)


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
