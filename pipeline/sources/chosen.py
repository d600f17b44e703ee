"""The source a user means on the command line: by format and options, or the one in a recipe or training config."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from label_editing.names import unknown_name
from pipeline.config_file import load_config, parse_config
from pipeline.configs import shipped
from pipeline.errors import ConfigError, InputError
from pipeline.sources import SOURCES, AnySource


class _SourceBlock(BaseModel):
    """The `source:` of any config; whatever else stands in it is for others to read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: AnySource


def chosen_source(format: str, options: dict[str, str | None], overrides: Sequence[str] = ()) -> AnySource:
    """The source of this format; an option that is None was not given."""
    if format not in SOURCES:
        raise InputError(f"--format: {unknown_name('format', format, SOURCES)}")
    given = {"format": format, **{name: value for name, value in options.items() if value is not None}}
    told = [f"source.{name}={json.dumps(value)}" for name, value in given.items()]
    try:
        return parse_config(_SourceBlock, "", "the options", [*told, *overrides]).value.source
    except ConfigError as error:
        raise ConfigError([_as_typed(problem, given) for problem in error.problems]) from error


def _as_typed(problem: str, given: Mapping[str, str]) -> str:
    """Options became overrides above: `--set source.root: ...` was typed as `--root`."""
    for name in given:
        problem = problem.replace(f"--set source.{name}: ", f"--{name}: ", 1)
    return problem


def source_in_config(path_or_name: str, overrides: Sequence[str] = ()) -> AnySource:
    """The source of a recipe or training config, by path or bare name."""
    name = path_or_name.removesuffix(".yaml").removesuffix(".yml")
    kind: Any = "train" if name in shipped("train") else "recipes"
    return load_config(_SourceBlock, path_or_name, kind, overrides).value.source
