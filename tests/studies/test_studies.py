"""Studies in a tiny form: from data to kept numbers, by the command a reader would type."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
CAMVID = ROOT.parent / "shared" / "data" / "camvid"


def study(name: str, *arguments: str) -> None:
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1", "USER": "tester"}
    environment.pop("RAY_ADDRESS", None)
    done = subprocess.run(
        [sys.executable, str(ROOT / "studies" / f"{name}.py"), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def frames_of(data, training, validation):
    for split, stems in (("train", training), ("val", validation)):
        for folder, ending in ((split, ".jpg"), (f"{split}annot", ".png")):
            (data / folder).mkdir(parents=True)
            for stem in stems:
                (data / folder / f"{stem}{ending}").write_bytes(b"")
    return data


def stems_in(folder):
    return sorted(path.stem for path in folder.iterdir())


def test_choices_are_made_on_training_frames_alone(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import camvid_dusk

    training = [f"{sequence}_{n:03d}" for sequence in ("0001TP", "0006R0") for n in range(62)]
    data = frames_of(tmp_path / "data", [*training, "Seq05VD_000"], ["0016E5_000"])
    camvid_dusk.split_frames(data, tmp_path / "frames", choose=True)
    left, held = (stems_in(tmp_path / "frames" / split) for split in ("train", "val"))
    # Neither the last 20 of dusk nor the official day validation; the last 14 of what is left of each sequence.
    assert held == [*(f"0001TP_{n:03d}" for n in range(28, 42)), *(f"0006R0_{n:03d}" for n in range(48, 62))]
    assert left == [*(f"0001TP_{n:03d}" for n in range(28)), *(f"0006R0_{n:03d}" for n in range(48)), "Seq05VD_000"]


def test_dusk_frames_are_held_out_of_training(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import camvid_dusk

    data = frames_of(tmp_path / "data", [f"0001TP_{n:03d}" for n in range(30)] + ["0006R0_000"], ["0016E5_000"])
    camvid_dusk.split_frames(data, tmp_path / "frames")
    left, held = (stems_in(tmp_path / "frames" / split) for split in ("train", "val"))
    assert left == [f"0001TP_{n:03d}" for n in range(15)] + ["0006R0_000"]
    assert held == [f"0001TP_{n:03d}" for n in range(15, 30)] + ["0016E5_000"]
    assert len(list((tmp_path / "frames" / "valannot").iterdir())) == 16


def test_a_variation_says_how_it_was_made_and_never_takes_the_place_of_the_study(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import camvid_dusk as dusk
    import steps
    import streetscapes_riders as riders

    def asked(*words):
        parser = argparse.ArgumentParser()
        parser.add_argument("--budget", default="small")
        parser.add_argument("--arm", action="append")
        parser.add_argument("--choose", action="store_true")
        parser.add_argument("--recipe", type=Path)
        steps.add_variations(parser)
        monkeypatch.setattr(sys, "argv", ["study", *words])
        return steps.parsed(parser)

    longer = asked("--set", "segmenter_steps=500", "--set", "share=0.5", "--called", "tried_longer")
    budget = steps.varied(riders.BUDGETS["small"], longer.set)
    assert budget == riders.BUDGETS["small"]._replace(segmenter_steps=500, share=0.5)
    assert steps.varied(budget._replace(share=None), ["share=0.5"]) == budget
    assert steps.said_of(longer) == "--budget small --set segmenter_steps=500 --set share=0.5 --called tried_longer"
    assert steps.name_of("riders", longer) == "riders_small_tried_longer"
    assert steps.name_of("riders", asked()) == "riders_small"
    for words in (["--set", "share=0.5"], ["--called", "it"], ["--arm", "real"], ["--choose"]):
        with pytest.raises(SystemExit):
            asked(*words)
    assert "a variation is --set, --arm, --recipe or --choose, and --called NAME" in capsys.readouterr().err
    for name in ("../it", "It", "a b"):
        with pytest.raises(SystemExit):
            asked("--choose", "--called", name)
        assert f"--called {name}: small letters, digits and _ only" in capsys.readouterr().err
    chosen = asked("--choose", "--recipe", str(ROOT / "studies" / "camvid_dusk.yaml"), "--called", "it")
    assert steps.said_of(chosen) == "--budget small --choose --recipe studies/camvid_dusk.yaml --called it"
    elsewhere = asked("--recipe", "/elsewhere/mine.yaml", "--called", "it")
    assert steps.said_of(elsewhere) == "--budget small --recipe /elsewhere/mine.yaml --called it"
    out = Path("out")
    assert steps.place_of(out, "") == out
    assert steps.place_of(out, "generator") not in (out, out / "generator")
    assert steps.folder_of("generator", 1, 2) == steps.folder_of("generator", 1, 2)
    assert len({steps.folder_of("generator", *made_with) for made_with in ((1, 2), (12,), (2, 1))}) == 3
    for wrong in ("steps=5", "share=much", "share", "count=3"):
        with pytest.raises(SystemExit, match=f"error: --set {wrong}: expected NAME=VALUE, with one of resolution, "):
            steps.varied(riders.BUDGETS["small"], [wrong])
    for wrong in ("share=1.5", "decay=-1"):
        with pytest.raises(SystemExit, match=f"^error: --set {wrong}: expected a part, from 0 to 1$"):
            steps.varied(dusk.BUDGETS["small"], [wrong])


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("SYNTHGEN_STUDIES"), reason="a minute each: set SYNTHGEN_STUDIES=1 to run them")
def test_families_are_put_side_by_side(tmp_path):
    where = ("--out", str(tmp_path / "out"), "--results", str(tmp_path / "results"))
    study("bake_off", "--budget", "tiny", "--families", "pix2pix", "spade", *where)
    kept = json.loads((tmp_path / "results" / "bake_off_streetscapes_tiny.json").read_text())
    assert list(kept["compared"]) == ["pix2pix", "spade"]
    assert kept["compared"]["spade"]["parameters"] > 1000
    assert (tmp_path / "results" / kept["settings"]["sheet"]).is_file()


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("SYNTHGEN_STUDIES"), reason="a minute each: set SYNTHGEN_STUDIES=1 to run them")
@pytest.mark.parametrize("name", ["streetscapes_riders", "camvid_dusk"])
def test_a_study_goes_from_data_to_kept_numbers(name, tmp_path):
    arguments = ["--budget", "tiny", "--out", str(tmp_path / "out"), "--results", str(tmp_path / "results")]
    if name == "camvid_dusk":
        if not CAMVID.is_dir():
            pytest.skip("../shared/data/camvid is not there")
        arguments += ["--data", str(CAMVID)]
    study(name, *arguments)
    kept = json.loads((tmp_path / "results" / f"{name}_tiny_downstream.json").read_text())
    assert kept["settings"]["command"].startswith(f"python studies/{name}.py")
    assert str(tmp_path) not in kept["provenance"]["command"]
    assert len(kept["arms"]) == (5 if name == "camvid_dusk" else 4)


def test_columns_of_families_that_are_not_made_again_are_cut_from_the_sheet_that_is_there(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import families

    from pipeline.report.contact_sheet import contact_sheet, encode_jpeg

    pictures = [[np.full((8, 16, 3), 40 * (1 + column), np.uint8) for column in range(4)] for _ in range(2)]
    sheet = contact_sheet(pictures, headings=["labels", "image", "spade", "crn"], cell_width=families._CELL)
    columns = families._columns(sheet)
    np.testing.assert_array_equal(np.hstack([*columns, columns[0][:, : families._GAP]]), sheet)
    (tmp_path / "families.jpg").write_bytes(encode_jpeg(sheet, 95))
    numbers = tmp_path / "families.json"
    numbers.write_text('{"cpu_seconds_a_family": 5, "families": [{"family": "spade"}, {"family": "crn"}]}')
    kept = families._earlier(numbers, tmp_path / "families.jpg", 5, sheet.shape[0])
    assert [one["family"] for one, _ in kept] == ["spade", "crn"]
    assert [round(column[60, 80].mean() / 10) for _, column in kept] == [12, 16]
    assert families._earlier(numbers, tmp_path / "families.jpg", 6, sheet.shape[0]) == []


@pytest.mark.soak
def test_two_families_are_trained_measured_and_shown_side_by_side(tmp_path):
    kept = ["--out", str(tmp_path / "runs"), "--results", str(tmp_path), "--sheet", str(tmp_path / "families.jpg")]
    little = ["--seconds", "2", "--measured", "2", "--judge-steps", "2", "--margin", "-1"]
    study("families", "--families", "pix2pix", "oasis", *little, *kept)
    numbers = json.loads((tmp_path / "families.json").read_text())
    assert [one["family"] for one in numbers["families"]] == ["pix2pix", "oasis"]
    assert all(one["steps"] >= 20 for one in numbers["families"])
    assert (tmp_path / "families.jpg").read_bytes().startswith(b"\xff\xd8")


@pytest.mark.soak
def test_every_family_beats_its_own_start(tmp_path):
    """Five points of mean IoU of a segmenter, after two minutes of one core: the study ends with an error otherwise."""
    study("families", "--out", str(tmp_path), "--results", str(tmp_path), "--sheet", str(tmp_path / "families.jpg"))
