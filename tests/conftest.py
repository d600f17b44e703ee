"""Which tests may run beside each other, and how they reach Ray."""

import os
from pathlib import Path

import pytest

# Ray reads it once a process: one test that sets it for itself cuts the clusters of the others off.
os.environ["RAY_AUTH_MODE"] = "disabled"

# They start Ray and process trees, kill some, and time themselves.
_ALONE = ("orchestration", "reliability", "security", "pipeline/augment")
_HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(_HERE).as_posix()
        if item.get_closest_marker("ray") or folder.startswith(_ALONE):
            item.add_marker("alone")
