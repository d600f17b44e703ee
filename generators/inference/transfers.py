"""Between host and device: pinned and beside the computation on a GPU, nothing at all on a CPU."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Collect = Callable[[], npt.NDArray[np.uint8]]


class Transfers:
    """Sends maps to the device and fetches images from it, so that neither waits for what is computed meanwhile."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        overlaps = device.type == "cuda"
        self._up = _stream(device) if overlaps else None
        self._down = _stream(device) if overlaps else None

    def to_device(self, array: npt.NDArray[Any]) -> Tensor:
        """The array as it is, bytes as bytes."""
        # Torch computes little in uint16: the same bits as int16, widened below.
        given = torch.from_numpy(_writable(array if array.dtype != np.uint16 else array.view(np.int16)))
        if self._up is None:
            moved = given.to(self._device)
        else:
            with torch.cuda.stream(self._up):
                moved = given.pin_memory().to(self._device, non_blocking=True)
            torch.cuda.current_stream(self._device).wait_stream(self._up)
            moved.record_stream(torch.cuda.current_stream(self._device))
        return moved.int() & 0xFFFF if array.dtype == np.uint16 else moved

    def fetch(self, image_BHWC: Tensor) -> Collect:
        """Starts fetching; calling what it gives waits for the bytes."""
        if self._down is None:
            return lambda: image_BHWC.cpu().numpy()
        self._down.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._down):
            host = torch.empty(image_BHWC.shape, dtype=image_BHWC.dtype, pin_memory=True)
            host.copy_(image_BHWC, non_blocking=True)
            image_BHWC.record_stream(self._down)
            there = torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            there.record(self._down)

        def collect() -> npt.NDArray[np.uint8]:
            there.synchronize()
            return host.numpy()

        return collect


def _writable(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Without gaps; a copy where it is read-only, which torch cannot express."""
    array = np.ascontiguousarray(array)
    return array if array.flags.writeable else array.copy()


def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch leaves it untyped
