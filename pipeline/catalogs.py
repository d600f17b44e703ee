"""Class catalogs by name (from configs/classes/) or by path."""

import sys
from functools import lru_cache
from pathlib import Path

import fsspec
import yaml
from pydantic import ValidationError

from label_editing.catalog import Catalog
from label_editing.names import unknown_name
from pipeline.errors import ConfigError, InputError

# In a checkout configs/ stands beside this package; an install puts it under the environment's share/.
_FOLDERS = (
    Path(__file__).resolve().parents[1] / "configs" / "classes",
    Path(sys.prefix) / "share" / "synthgen" / "configs" / "classes",
)


def catalog_names() -> list[str]:
    """The catalogs that ship with synthgen."""
    return sorted({path.stem for folder in _FOLDERS for path in folder.glob("*.yaml")})


@lru_cache(maxsize=32)
def load_catalog(name_or_path: str) -> Catalog:
    """The catalog of this bare name, or of the YAML file at this path or URL; ConfigError names what is wrong in it."""
    path = _find(name_or_path)
    try:
        with fsspec.open(path, "rb") as file:
            document = yaml.safe_load(file.read())
    except FileNotFoundError:
        raise InputError(f"{path}: no such catalog file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError([_yaml_problem(path, error)]) from None
    try:
        return Catalog.model_validate(document)
    except ValidationError as error:
        raise ConfigError([_pydantic_problem(path, details) for details in error.errors()]) from None


def _find(name_or_path: str) -> str:
    if "/" in name_or_path or name_or_path.endswith((".yaml", ".yml")):
        return name_or_path
    for folder in _FOLDERS:
        if (folder / f"{name_or_path}.yaml").is_file():
            return str(folder / f"{name_or_path}.yaml")
    raise InputError(unknown_name("catalog", name_or_path, catalog_names()))


def _yaml_problem(path: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else path
    return f"{place}: not YAML: {getattr(error, 'problem', error)}"


def _pydantic_problem(path: str, details: object) -> str:
    assert isinstance(details, dict)
    where = ".".join(map(str, details["loc"]))
    return f"{path}: {where + ': ' if where else ''}{details['msg']}"
