"""One scene's label map on its way through a network, with what labels alone decide of it."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from torch import Tensor

T = TypeVar("T")


class Layout:
    """The condition of one scene, and results that follow from it alone, kept as long as there is room for them.

    It belongs to the generator that filled it: another one's results would go by the same keys.
    """

    def __init__(self, condition: Tensor, room_bytes: int = 0) -> None:
        self.condition = condition  # a batch of one
        self._room_bytes = room_bytes
        self._kept: dict[Hashable, Any] = {}

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What `compute` gives. Kept under its key for the next time, where it fits into what room is left."""
        if key in self._kept:
            return cast(T, self._kept[key])
        result = compute()
        if not self._room_bytes:
            return result  # nor is its memory looked at, which no compiler can trace
        size = _num_bytes(result)
        if size <= self._room_bytes:
            self._room_bytes -= size
            self._kept[key] = result
        return result

    @property
    def num_kept(self) -> int:
        return len(self._kept)


def _num_bytes(result: Any) -> int:
    """The memory that a tensor, or a tuple or list of them, holds on to; what several views share counts once."""
    return sum(_storages(result).values())


def _storages(result: Any) -> dict[int, int]:
    """The bytes of every storage, by where it begins."""
    if isinstance(result, Tensor):
        storage = result.untyped_storage()
        return {storage.data_ptr(): storage.nbytes()}
    if isinstance(result, (tuple, list)):
        return {begin: size for part in result for begin, size in _storages(part).items()}
    return {}
