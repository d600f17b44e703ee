"""Memory that workers use again and again stays with them."""

import ctypes
import sys

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_MOST = 2**31 - 1
_AT_ONCE = 64 * 1024**2


def keep_freed_memory() -> None:
    """What is freed is kept for the next batch instead of given back, page by page, and asked for anew.

    Batches need the same large arrays over and over, and pages fresh from the kernel have to be cleared first: a
    quarter of the time that an image of 2048x1024 took. Does nothing where the C library is another than glibc.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _MOST), (_TOP_PAD, _AT_ONCE)):
            mallopt(option, value)
