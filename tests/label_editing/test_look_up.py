"""Reading a map through a table is the same by either way."""

from typing import Any

import numpy as np
import pytest

from label_editing.look_up import look_up


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("window", [np.s_[:, :], np.s_[3:70, 5:90], np.s_[:, ::-1], np.s_[::2, ::3], np.s_[:2, :2]])
def test_a_look_up_is_what_indexing_gives(kind: type[np.uint8] | type[np.uint16], window: Any) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 256, (100, 200)).astype(kind)[window]
    for table in (rng.random(256) < 0.5, rng.integers(0, 256, 256).astype(np.uint8)):
        table.flags.writeable = False
        found = look_up(table, labels)
        assert found.dtype == table.dtype
        np.testing.assert_array_equal(found, table[labels])


def test_a_map_of_bytes_may_belong_to_a_catalog_of_larger_ids() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 256, (100, 200)).astype(np.uint8)
    table = rng.random(65536) < 0.5
    np.testing.assert_array_equal(look_up(table, labels), table[labels])
