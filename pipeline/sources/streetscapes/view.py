"""The pixel grid of a picture: oversampled, and where each pixel looks."""

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.resolution import Resolution
from pipeline.sources.streetscapes.camera import Floats


class View:
    """Fine pixels of a picture. Views are in image heights, the middle of the width at u = 0."""

    def __init__(self, resolution: Resolution, fine: int) -> None:
        self.resolution = resolution
        self.fine = fine
        self.width = resolution.width * fine
        self.height = resolution.height * fine

    def pixels(self, views: Floats) -> Floats:
        """Views (n, 2) to pixel coordinates, whole numbers at pixel centres."""
        x = views[:, 0] * self.height + 0.5 * self.width - 0.5
        y = views[:, 1] * self.height - 0.5
        return np.stack((x, y), axis=1)

    def u(self) -> npt.NDArray[np.float32]:
        """u of each column."""
        return ((np.arange(self.width) + 0.5 - 0.5 * self.width) / self.height).astype(np.float32)

    def v(self, band: slice) -> npt.NDArray[np.float32]:
        """v of the rows of a band."""
        return ((np.arange(band.start, band.stop) + 0.5) / self.height).astype(np.float32)

    def columns_of(self, rows: int) -> int:
        """The width of a smaller picture of this many rows over the same view."""
        return max(8, round(rows * self.width / self.height))

    def enlarge(self, small: Floats, band: slice) -> Floats:
        """The rows of a band, from a smaller picture over the same view."""
        at = (np.arange(band.start, band.stop) + 0.5) * (small.shape[0] / self.height) - 0.5
        at = np.clip(at, 0.0, small.shape[0] - 1.0)
        above = np.minimum(at.astype(np.intp), small.shape[0] - 2)
        share = (at - above).astype(np.float32).reshape(-1, *[1] * (small.ndim - 1))
        rows = small[above] * (1.0 - share) + small[above + 1] * share
        return cv2.resize(rows, (self.width, len(at)), interpolation=cv2.INTER_LINEAR)
