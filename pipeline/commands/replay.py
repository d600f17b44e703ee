"""`synthgen replay`: one sample made again from its record."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import Json
from pipeline.console import Console
from pipeline.errors import InputError, RunError

if TYPE_CHECKING:
    from pipeline.augment.replay import Likeness
    from pipeline.model_directory import OpenModel
    from pipeline.shards.sample import SampleRecord
    from pipeline.sources.base import Image

Root = Annotated[str | None, typer.Argument(metavar="ROOT", help="The data set that holds the sample.")]
Key = Annotated[str | None, typer.Argument(metavar="KEY", help="The key of the sample.")]
RecordFile = Annotated[
    Path | None, typer.Option("--record", metavar="FILE", help="A sample's json, instead of ROOT and KEY.")
]
Model = Annotated[
    str | None, typer.Option("--model", metavar="DIR|URL", help="Render the image too, with the model that made it.")
]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where to write what was made again.")]


def replay(
    root: Root = None,
    key: Key = None,
    record: RecordFile = None,
    model: Model = None,
    out: Out = None,
    json: Json = False,
) -> None:
    """Make one sample again from its record and its source, and compare it with the one in the shard.

    Example: synthgen replay runs/night_cars night_cars-00000003 --out replayed
    """
    from pipeline.augment.replay import replay as replay_sample

    stored, wanted = _stored(root, key, record)
    made = replay_sample(wanted, _open(model))
    same = {field: stored[field] == data for field, data in made.maps.items() if field in stored}
    written = _write(out, wanted.key, made.maps, made.image) if out is not None else []
    lines = [f"{wanted.key}: {field} {'the same, byte for byte' if s else 'DIFFERS'}" for field, s in same.items()]
    likeness = _likeness(str(root), stored, made.image)
    if likeness is not None:
        lines.append(f"{wanted.key}: image {likeness}")
    lines += [f"wrote {path}" for path in written]
    data = {"key": wanted.key, "same": same, "written": written, **_as_data(likeness)}
    Console(json).result("\n".join(lines) or f"{wanted.key}: made again; --out DIR writes it", data)
    if not all(same.values()) or (likeness is not None and not likeness.is_close):
        raise RunError(f"{wanted.key}: does not replay; has its source changed since?")


def _stored(root: str | None, key: str | None, record: Path | None) -> tuple[dict[str, bytes], "SampleRecord"]:
    from pipeline.shards.find import find_sample
    from pipeline.shards.sample import RECORD_FIELD, SampleRecord
    from pipeline.storage import Store

    if (root is None or key is None) == (record is None):
        raise InputError("give ROOT and KEY of a sample, or --record FILE with its json")
    try:
        if record is not None:
            return {}, SampleRecord.from_json(record.read_bytes())
        _, fields = find_sample(Store(str(root)), str(key))
        return fields, SampleRecord.from_json(fields[RECORD_FIELD])
    except OSError as error:
        raise InputError(f"cannot read {record}: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{record or key}: {error}") from None


def _open(model: str | None) -> "OpenModel | None":
    from pipeline.model_directory import open_model

    return None if model is None else open_model(model)


def _likeness(root: str, stored: dict[str, bytes], image: "Image | None") -> "Likeness | None":
    """The image that was made beside the one in the shard, where there are both."""
    from pipeline.augment.replay import likeness
    from pipeline.plan_record import read_plan_record
    from pipeline.recipe import ImageFormat
    from pipeline.shards.sample import image_field
    from pipeline.storage import Store

    if not stored or image is None:
        return None
    plan = read_plan_record(Store(root))
    form = ImageFormat() if plan is None else ImageFormat.model_validate(plan.recipe["output"]["image"])
    return likeness(image, stored[image_field(stored)], form)


def _as_data(likeness: "Likeness | None") -> dict[str, float | str]:
    if likeness is None:
        return {}
    same = likeness.psnr_db == float("inf")
    return {"image": "same" if same else "close" if likeness.is_close else "differs"} | (
        {} if same else {"image_psnr_db": round(likeness.psnr_db, 2)}
    )


def _write(out: Path, key: str, maps: dict[str, bytes], image: object) -> list[str]:
    import numpy as np

    from pipeline.shards.pixels import encode_image
    from pipeline.storage import Store

    store = Store(str(out))
    files = {f"{key}.{field}": data for field, data in maps.items()}
    if image is not None:
        files[f"{key}.png"] = encode_image(np.asarray(image, np.uint8), "png", 0)
    for name, data in files.items():
        store.write_atomic(name, data)
    return [store.place(name) for name in files]
