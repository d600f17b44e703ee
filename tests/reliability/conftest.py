"""Tiny whole runs: in this process, or as commands in process trees of their own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.storage import Store
from tests.reliability.tiny_run import run_here, write_model, write_recipe


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> str:
    """An untrained network of a few channels that needs no styles, at 64x32."""
    return write_model(str(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(scope="session")
def augment(tiny_model, tmp_path_factory) -> Callable[..., Store]:
    """Runs the same command on an output, as often as it is called: shards of two samples."""
    folder = tmp_path_factory.mktemp("recipe")

    def run(root: str, samples: int = 6) -> Store:
        return run_here(write_recipe(folder / "tiny.yaml", tiny_model, root, samples))

    return run


@pytest.fixture(scope="session")
def pristine(augment, tmp_path_factory) -> Path:
    """A finished output, to be copied."""
    return Path(augment(str(tmp_path_factory.mktemp("pristine") / "out")).url)


@pytest.fixture
def finished(pristine, tmp_path) -> Store:
    """A finished output of one's own."""
    return Store(str(shutil.copytree(pristine, tmp_path / "out")))
