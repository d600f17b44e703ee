"""The looks of a whole source on disk: written once, read again and again, never all in memory."""

import tempfile
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.styles.bank import Vector
from pipeline.styles.regions import ImageLooks

CHUNK_ROWS = 65_536


class Regions(NamedTuple):
    """Some regions of training images."""

    image: npt.NDArray[np.int32]  # the position of their image in the source
    origin: npt.NDArray[np.int32]  # index into LookSpool.origins
    class_id: npt.NDArray[np.int32]
    area: npt.NDArray[np.float64]  # share of the image
    vectors: Vector

    def where(self, wanted: npt.NDArray[np.bool_]) -> "Regions":
        """Those of them."""
        return Regions(
            self.image[wanted], self.origin[wanted], self.class_id[wanted], self.area[wanted], self.vectors[wanted]
        )


class LookSpool:
    """A temporary file of regions. In memory it keeps one entry for every *different* set of attributes."""

    def __init__(self, dim: int) -> None:
        self._row = np.dtype(
            [("image", "i4"), ("origin", "i4"), ("class_id", "i4"), ("area", "f8"), ("vector", "f4", (dim,))]
        )
        self._file = tempfile.TemporaryFile(prefix="synthgen-looks-")  # noqa: SIM115 - open as long as the spool is
        self._origins: dict[tuple[tuple[str, str], ...], int] = {}
        self.num_images = 0
        self.num_regions = 0

    def add(self, looks: ImageLooks) -> Regions:
        """Keep the regions of the next image."""
        said = tuple(sorted(looks.attributes.items()))
        rows = np.empty(len(looks.class_id), self._row)
        rows["image"] = self.num_images
        rows["origin"] = self._origins.setdefault(said, len(self._origins))
        rows["class_id"], rows["area"], rows["vector"] = looks.class_id, looks.area, looks.vectors
        self._file.write(rows.tobytes())
        self.num_images += 1
        self.num_regions += len(rows)
        return _regions(rows)

    @property
    def origins(self) -> list[Mapping[str, str]]:
        """The attributes images have."""
        return [dict(said) for said in self._origins]

    def chunks(self) -> Iterator[Regions]:
        """All regions, in the order of their images."""
        self._file.flush()
        self._file.seek(0)
        while data := self._file.read(CHUNK_ROWS * self._row.itemsize):
            yield _regions(np.frombuffer(data, self._row))
        self._file.seek(0, 2)

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()


def _regions(rows: npt.NDArray[np.void]) -> Regions:
    return Regions(rows["image"], rows["origin"], rows["class_id"], rows["area"], rows["vector"])
