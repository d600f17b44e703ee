"""The pixel grid of a picture: oversampled, and where each pixel looks."""

import numpy as np
import numpy.typing as npt

from pipeline.resolution import Resolution


class View:
    """Fine pixels of a picture. Views are in image heights, the middle of the width at u = 0."""

    def __init__(self, resolution: Resolution, fine: int) -> None:
        self.resolution = resolution
        self.fine = fine
        self.width = resolution.width * fine
        self.height = resolution.height * fine

    def pixels(self, views: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Views (n, 2) to pixel coordinates, whole numbers at pixel centres."""
        x = views[:, 0] * self.height + 0.5 * self.width - 0.5
        y = views[:, 1] * self.height - 0.5
        return np.stack((x, y), axis=1)

    def u(self) -> npt.NDArray[np.float32]:
        """u of each column."""
        return ((np.arange(self.width) + 0.5 - 0.5 * self.width) / self.height).astype(np.float32)

    def v(self) -> npt.NDArray[np.float32]:
        """v of each row."""
        return ((np.arange(self.height) + 0.5) / self.height).astype(np.float32)
