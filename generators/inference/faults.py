"""What goes wrong with a device, told apart from what goes wrong with one scene."""

import torch

# torch raises its own class on GPUs; a CPU's allocator and the libraries under a GPU say it in words.
_NO_ROOM = ("can't allocate memory", "out of memory", "alloc_failed")
_BROKEN = ("cuda error", "cudnn_status", "cublas_status", "cufft error", "hip error", "mps backend")


class DeviceFailed(RuntimeError):
    """The device cannot go on: another scene would fare no better."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a smaller batch might go through."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error).lower() for said in _NO_ROOM)


def is_device_fault(error: BaseException) -> bool:
    """Whether the device itself gave up; after such an error nothing on it can be trusted."""
    return isinstance(error, RuntimeError) and any(said in str(error).lower() for said in _BROKEN)


def no_room(device: torch.device, width: int, height: int, error: BaseException) -> DeviceFailed:
    """What to say when not even one image fits."""
    return DeviceFailed(
        f"{device} has not enough memory for one image of {width}x{height} ({_first_line(error)}); "
        "render smaller images, end what else runs on the device, or take one with more memory"
    )


def broken(device: torch.device, error: BaseException) -> DeviceFailed:
    """What to say when the device gave up."""
    return DeviceFailed(f"{device} failed ({_first_line(error)}); see whether it is healthy, then run again")


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
