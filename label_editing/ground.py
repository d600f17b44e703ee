"""What an object may stand on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from label_editing.catalog import Catalog, ClassSpec


@dataclass(frozen=True)
class Ground:
    """Classes, those that it stands on most often first, and the same as a table by class id."""

    names: tuple[str, ...]
    table: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, catalog: Catalog, spec: ClassSpec, only: Sequence[str] = ()) -> "Ground":
        """All that the catalog lets the class stand on, or only some of it."""
        table = catalog.supports[spec.name]
        if not only:
            return cls(spec.support, table)
        kept = np.zeros_like(table)
        kept[[catalog.named(name).id for name in only]] = True
        return cls(tuple(only), table & kept)

    def __str__(self) -> str:
        return " or ".join(self.names[:2])
