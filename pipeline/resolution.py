"""Width x height as users write it: `2048x1024`."""

import re
from typing import Any, NamedTuple

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

MOST_PIXELS = 8192 * 8192  # of an image, a map, a record: what claims more is damage or an attack


class Resolution(NamedTuple):
    """An image size. In YAML and on the command line it reads `2048x1024`."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def pixels(self) -> int:
        """How many."""
        return self.width * self.height

    @classmethod
    def parse(cls, value: "str | Resolution") -> "Resolution":
        """`2048x1024` to a Resolution; ValueError otherwise."""
        if isinstance(value, Resolution):
            return value
        match = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"expected WIDTHxHEIGHT such as 2048x1024, found {value!r}")
        size = cls(int(match[1]), int(match[2]))
        if min(size) < 16 or size.width * size.height > MOST_PIXELS:
            raise ValueError(f"{size} is out of range: sides from 16 pixels, at most 8192x8192 in all")
        return size

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )
