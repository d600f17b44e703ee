"""What is in a data set, from its dataset.json and manifest alone."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.errors import InputError, MissingFileError
from pipeline.parquet import read_parquet
from pipeline.report.html import byte_size
from pipeline.shards import layout
from pipeline.shards.check import read_index
from pipeline.shards.commit import committed_shards
from pipeline.storage import Store

_EXAMPLES = 5


class _Model(BaseModel):
    family: str
    fingerprint: str


class _Statistics(BaseModel):
    pixels: dict[str, int]
    instances: dict[str, int]
    edits: dict[str, dict[str, int]]


class _Said(BaseModel):
    """dataset.json, as far as it is described."""

    name: str
    samples: int
    bytes: int
    resolution: str
    model: _Model
    split: str
    shards: list[Any]
    statistics: _Statistics


@dataclass(frozen=True)
class Description:
    """A data set in numbers."""

    root: str
    data: dict[str, Any]

    def as_text(self) -> str:
        """For people."""
        data = self.data
        lines = [f"{data['name']}: {data['samples']} samples of {data['resolution']} in {data['shards']} shards"]
        lines[0] += f", {byte_size(data['bytes'])}"
        lines.append(f"model {data['model']['family']} {data['model']['fingerprint'][:12]}")
        total = sum(data["pixels"].values()) or 1
        lines.append("class                 pixels   instances   samples with it")
        for name, pixels in sorted(data["pixels"].items(), key=lambda item: -item[1]):
            count = data["instances"].get(name, "")
            lines.append(f"  {name:<18}{pixels / total:8.2%}{count:>12}{data['samples_with'].get(name, 0):>12}")
        lines += [f"edit {op}: {_outcomes(counts)}" for op, counts in data["edits"].items()]
        lines.append("examples: " + ", ".join(data["examples"]))
        lines.append(
            f"see one again: synthgen replay {self.root} {data['examples'][0]} --out replayed"
            if data["examples"]
            else ""
        )
        return "\n".join(lines).rstrip()


def describe(store: Store) -> Description:
    """The description of a data set. InputError when it is none, or how far it is when it is not complete."""
    if not store.exists(layout.DATASET) and store.exists(layout.PLAN):
        done = len(committed_shards(store))
        raise InputError(
            f"{store.url}: not complete: {done} shards are; finish it by running the same synthgen augment again"
        )
    read_index(store)
    said = _read(store)
    with_class, examples = _from_manifest(store)
    data = said.model_dump(exclude={"shards", "statistics"}) | said.statistics.model_dump()
    data |= {"shards": len(said.shards), "samples_with": with_class, "examples": examples}
    return Description(store.url, data)


def _read(store: Store) -> _Said:
    try:
        return _Said.model_validate_json(store.read(layout.DATASET))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{store.place(layout.DATASET)}: damaged: {where}: {first['msg']}") from None


def _from_manifest(store: Store) -> tuple[dict[str, int], list[str]]:
    """How many samples have each class, and a few keys."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        table = read_parquet(store.read(layout.MANIFEST), columns=["key", "pixels"])
    except (MissingFileError, OSError, ValueError) as error:
        raise InputError(f"{store.place(layout.MANIFEST)}: {error}; run: synthgen verify {store.url}") from None
    if not (
        pa.types.is_struct(table["pixels"].type) and all(pa.types.is_integer(f.type) for f in table["pixels"].type)
    ):
        raise InputError(f"{store.place(layout.MANIFEST)}: pixels are {table['pixels'].type}, not numbers by class")
    pixels = table["pixels"].combine_chunks()
    names = [field.name for field in pixels.type]
    counts = {name: int(pc.sum(pc.greater(pixels.field(name), 0)).as_py() or 0) for name in names}
    step = max(1, len(table) // _EXAMPLES)
    return {name: n for name, n in counts.items() if n}, table["key"].to_pylist()[::step][:_EXAMPLES]


def _outcomes(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items(), key=lambda item: -item[1]))
