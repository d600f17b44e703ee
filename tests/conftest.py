"""Which tests may run beside each other."""

from pathlib import Path

import pytest

# They start Ray and process trees, kill some, and time themselves.
_ALONE = ("orchestration", "reliability", "security", "pipeline/augment")
_HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(_HERE).as_posix()
        if item.get_closest_marker("ray") or folder.startswith(_ALONE):
            item.add_marker("alone")
