"""Banks are built from a source, kept as parquet and read back the same."""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from label_editing.catalog import Catalog
from label_editing.edits.add_instances import AddInstances
from label_editing.edits.mirror import Mirror
from label_editing.edits.repeat import Repeat
from label_editing.edits.replace_region import ReplaceRegion
from label_editing.instance_bank import BankEntry, InstanceBank
from label_editing.scene import Scene
from pipeline.errors import InputError
from pipeline.instance_banks import (
    bank_from_parquet,
    bank_to_parquet,
    build_bank,
    cached_bank,
    edit_context,
    read_bank,
    usual_view,
)
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source
from pipeline.storage import Store

CATALOG = Catalog.model_validate(
    {
        "name": "two",
        "classes": [
            {"id": 1, "name": "road", "layer": "ground", "color": (1, 1, 1)},
            {"id": 2, "name": "wall", "layer": "structure", "color": (2, 2, 2)},
            {"id": 3, "name": "car", "layer": "object", "thing": True, "height_m": 1.5, "support": ["road"],
             "color": (3, 3, 3)},
        ],
    }
)  # fmt: skip


class Cars(Source):
    """Five cars a scene, on a line that meets the horizon at row 40 of 100, 1.2 pixels a row below it."""

    format, split, catalog = "cars", "train", CATALOG
    reads = 0

    def keys(self) -> Sequence[str]:
        return [f"s{k}" for k in range(4)]

    def attributes(self, key: str) -> Mapping[str, str]:
        return {"time_of_day": "day"}

    def read_scene(self, key: str, resolution: Resolution | None = None) -> Scene:
        self.reads += 1
        labels = np.full((100, 300), 2, np.uint8)
        labels[42:] = 1
        instances = labels.astype(np.int32)
        for k in range(5):
            foot, tall = 50 + 10 * k, 12 + 12 * k
            window = np.s_[foot - tall : foot, 10 + 55 * k : 40 + 55 * k]
            labels[window], instances[window] = 3, 3000 + k
        return Scene(labels, instances, CATALOG, key, self.attributes(key))

    def read_image(self, key: str, resolution: Resolution | None = None) -> Image | None:
        return None

    def fingerprint(self) -> str:
        return "cars-1"


def entries_of(bank: InstanceBank) -> list[BankEntry]:
    return [entry for name in bank.class_names for entry in bank.entries(name)]


def test_a_bank_holds_every_whole_object_of_every_scene() -> None:
    bank = build_bank(Cars())
    assert bank.class_names == ("car",)
    assert [entry.source_key for entry in bank.entries("car")] == [f"s{k}" for k in range(4) for _ in range(5)]
    assert sorted({entry.height for entry in bank.entries("car")}) == [12, 24, 36, 48, 60]


def test_a_bank_knows_the_usual_view_of_its_source() -> None:
    view = build_bank(Cars()).perspective
    assert view is not None
    assert view.horizon == pytest.approx(0.40, abs=0.002)
    assert view.scale * 1.5 == pytest.approx(1.2, rel=0.01)
    assert usual_view([]) is None


def test_a_bank_reads_back_as_it_was_and_pickles() -> None:
    bank = build_bank(Cars())
    back = bank_from_parquet(bank_to_parquet(bank))
    assert entries_of(back) == entries_of(bank)
    assert back.perspective == bank.perspective
    assert entries_of(pickle.loads(pickle.dumps(back))) == entries_of(bank)


def test_an_empty_bank_reads_back_empty() -> None:
    assert bank_from_parquet(bank_to_parquet(InstanceBank({}))).class_names == ()


def test_a_cached_bank_is_built_once(tmp_path: Path) -> None:
    source, store = Cars(), Store(str(tmp_path))
    first = cached_bank(source, store)
    assert source.reads == 4
    assert entries_of(cached_bank(source, store)) == entries_of(first)
    assert source.reads == 4


def test_a_file_that_is_no_bank_is_named(tmp_path: Path) -> None:
    (tmp_path / "bank.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputError, match=r"bank\.parquet: not a parquet file"):
        read_bank(Store(str(tmp_path)), "bank.parquet")


def test_edits_get_what_they_need_and_no_more(tmp_path: Path) -> None:
    source = Cars()
    nothing = edit_context([Mirror()], source, Store(str(tmp_path)))
    assert (nothing.bank, nothing.scenes, source.reads) == (None, (), 0)
    add = AddInstances.model_validate({"class": "car"})
    nested = edit_context([Repeat(edit=add, times=2), ReplaceRegion(classes=("wall",))], source, None)
    assert nested.bank is not None
    assert nested.perspective == nested.bank.perspective
    assert [scene.key for scene in nested.scenes] == ["s0", "s1", "s2", "s3"]
