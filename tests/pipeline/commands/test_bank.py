"""`synthgen bank` as a user calls it."""

import json
from pathlib import Path

import cv2
import pytest

from pipeline.cli import main
from pipeline.instance_banks import bank_path
from pipeline.recipe import load_recipe
from pipeline.resolution import Resolution

SMALL = ("--set", "source.scenes=6", "--set", "source.where={}", "--set", "resolution=256x128", "--cpus", "1")


@pytest.fixture
def run(capsys):
    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["bank", *arguments])
        code = left.value.code
        said = capsys.readouterr()
        return (code if isinstance(code, int) else 0), said.out, said.err

    return call


def test_a_bank_is_built_listed_and_drawn_class_by_class(run, tmp_path):
    bank, sheets = str(tmp_path / "bank.parquet"), tmp_path / "sheets"
    code, out, _ = run("build", "--recipe", "night_cars", *SMALL, "--out", bank, "--json")
    built = json.loads(out)
    assert (code, built["bank"], built["scenes"]) == (0, bank, 6)
    code, out, _ = run("show", bank, "--out", str(sheets), "--json")
    assert (code, json.loads(out)["classes"]) == (0, built["classes"])
    assert sorted(path.stem for path in sheets.iterdir()) == sorted(row["class"] for row in built["classes"])
    assert "car" in {row["class"] for row in built["classes"]}
    for row in built["classes"]:
        sheet = cv2.imread(str(sheets / f"{row['class']}.png"))
        drawn = (sheet == (170, 84, 38)).all(axis=2)  # blue, green, red of an object's pixels
        assert drawn.any()


def test_without_a_place_the_bank_goes_where_augment_looks_for_it(run, tmp_path):
    code, _, _ = run("build", "--recipe", "night_cars", *SMALL, "--set", f"output.root={tmp_path}/run", "--quiet")
    recipe = load_recipe("night_cars", ["source.scenes=6", "source.where={}"]).value
    path = bank_path(recipe.source.open(), Resolution(256, 128))
    assert code == 0
    assert [p.relative_to(tmp_path) for p in tmp_path.rglob("*.parquet")] == [Path(f"run/.synthgen/{path}")]


def test_a_file_that_is_no_bank_is_named(run, tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"nothing")
    code, out, err = run("show", f"{tmp_path}/x.parquet")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {tmp_path}/x.parquet: not a parquet file: ")
    missing = f"{tmp_path}/y.parquet"
    code, _, err = run("show", missing)
    assert code == 2
    assert err == f"error: {missing}: no such bank; `synthgen bank build --recipe NAME --out {missing}` makes one\n"
