"""The command, through Ray Train, on a world small enough for a test."""

import json
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.model_directory import open_model

SMALL = [
    "--set=source.scenes=6",
    "--set=resolution=64x32",
    "--set=model={family: pix2pixhd, base_channels: 8, num_downsamplings: 2, num_blocks: 1, encoder_channels: 4, "
    "encoder_downsamplings: 2, discriminator_channels: 8}",
    "--set=steps=3",
    "--set=precision=float32",
    "--set=styles.clusters=3",
]


def synthgen(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0)


@pytest.mark.ray
@pytest.mark.soak  # a minute and a half; the short form of the demo trains through Ray as well
def test_train_makes_a_model_whose_styles_can_be_tagged_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    output = str(tmp_path / "model")
    command = ["train", *SMALL, "--output", output, "--cpus", "2", "--json"]
    assert synthgen(*command) == 0
    result = json.loads(capsys.readouterr().out)
    model = open_model(output)
    assert (result["steps"], result["images"], result["fingerprint"]) == (3, 6, model.fingerprint)
    assert all(value == value for value in result["losses"].values())
    bank = model.style_bank()
    assert {"time_of_day", "weather"} <= set(bank.attribute_values())
    assert {model.catalog.named(name).id for name in ("road", "sky", "building")} <= set(bank.by_class)

    assert synthgen("styles", "tag", output, "road", "0", "asphalt") == 0
    assert synthgen("styles", "show", output, "--out", str(tmp_path / "sheet.png"), "--json") == 0
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert next(row["tags"] for row in shown["clusters"] if row["class"] == "road") == ["asphalt"]
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")

    assert synthgen(*command) == 0
    again = capsys.readouterr()
    assert json.loads(again.out)["fingerprint"] == model.fingerprint
    assert (
        "all 3 steps were trained before; weights, looks and tags stay as they are. For more training raise steps; for "
        f"new looks: synthgen styles fit {output}\n"
    ) in again.err
    assert open_model(output).style_bank().by_class.keys() == bank.by_class.keys()


def test_a_training_that_sees_little_of_a_picture_at_a_time_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["train", *SMALL, "--output", str(tmp_path / "m"), "--dry-run", "--set=resolution=64x32"]
    assert synthgen(*asked, "--set=data.load=128x64") == 0
    assert (
        "a step sees 25% of a picture: 64x32 cut at random out of 128x64; to learn whole scenes set data.load nearer "
        "to resolution, or to null\n" in capsys.readouterr().err
    )
    for whole in ("null", "72x36", "native"):
        assert synthgen(*asked, f"--set=data.load={whole}") == 0
        assert "a step sees" not in capsys.readouterr().err


def test_a_dry_run_says_what_would_be_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synthgen("train", *SMALL, "--output", str(tmp_path / "m"), "--dry-run") == 0
    assert capsys.readouterr().out == (
        "would train pix2pixhd at 64x32 on 6 pairs of streetscapes\n"
        "  3 steps, 1 times through the source, on 2 workers\n"
        f"  into {tmp_path / 'm'}\n"
    )
    assert not (tmp_path / "m").exists()


def test_pretrained_weights_that_are_not_there_are_missed_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "vgg19.pth"
    assert synthgen("train", f"--set=model.vgg_weights={where}", "--output", str(tmp_path / "m"), "--dry-run") == 2
    assert capsys.readouterr().err == f"error: model.vgg_weights: {where}: no such file; give a path or a URL\n"


@pytest.mark.parametrize("text", ["not weights\n" * 20, "hello world"])
@pytest.mark.parametrize("name", ["vgg_weights", "segmenter_weights"])
def test_a_file_that_holds_no_such_weights_is_refused_before_anything_starts(
    name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "notes.txt"
    where.write_text(text)
    assert synthgen("train", *SMALL, f"--set=model.{name}={where}", "--output", str(tmp_path / "m"), "--dry-run") == 2
    assert capsys.readouterr().err.startswith(f"error: model: {where}: not a whole ")
