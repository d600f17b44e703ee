"""`synthgen sources` as a user calls it."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.cli import main
from pipeline.configs import configs_folder
from pipeline.sources import SOURCES


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A folder of two label maps, road over sky with one car."""
    (tmp_path / "labels/train").mkdir(parents=True)
    for name in ("a", "b"):
        labels = np.full((10, 20), 7, np.uint8)
        labels[:4], labels[5:7, 3:8] = 23, 26
        cv2.imwrite(str(tmp_path / f"labels/train/{name}.png"), labels)
    return tmp_path


@pytest.fixture
def run(capsys):
    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["sources", *arguments])
        code = left.value.code
        said = capsys.readouterr()
        return (code if isinstance(code, int) else 0), said.out, said.err

    return call


def folder(team: Path, *more: str) -> tuple[str, ...]:
    return ("check", "--format", "folder", "--root", str(team), "--set", "source.catalog=cityscapes", "--quiet", *more)


def test_a_sound_source_is_reported_and_exits_0(run, team):
    code, out, err = run(*folder(team))
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[:7] == [
        "folder, split train: 2 scenes read, no images",
        "  size 20x10: 2",
        "",
        "  class   pixels   scenes  instances",
        "  road  55.000%        2",
        "  sky   40.000%        2",
        "  car    5.000%        2",
    ]
    assert lines[-2:] == ["", "nothing is wrong"]


def test_what_is_wrong_is_named_and_exits_1(run, team):
    broken, strange = team / "labels/train/a.png", team / "labels/train/b.png"
    broken.write_bytes(broken.read_bytes()[:40])
    cv2.imwrite(str(strange), np.full((10, 20), 99, np.uint8))
    code, out, _ = run(*folder(team))
    assert code == 1
    assert out.splitlines() == [
        "folder, split train: 2 scenes read, no images",
        "",
        "broken: 2",
        f"  {broken}: a truncated PNG: it ends after 40 bytes",
        f"  {strange}: holds id 99 (200 pixels), no class of catalog cityscapes",
        "",
        "unknown ids: 1",
        "  id 99: 200 pixels",
    ]


def test_json_holds_the_same(run, team):
    (team / "labels/train/a.png").write_bytes(b"")
    code, out, _ = run(*folder(team, "--json"))
    report = json.loads(out)
    assert code == 1
    assert (report["sound"], report["read"], report["classes"]["car"]["pixels"]) == (False, 2, 10)
    assert report["broken"] == [{"key": "a", "problem": f"{team}/labels/train/a.png: the file is empty"}]


def test_a_limit_is_kept(run, team):
    code, out, _ = run(*folder(team, "--limit", "1"))
    assert (code, out.splitlines()[0]) == (0, "folder, split train: 1 of 2 scenes read, no images")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "citscapes"), "error: --format: unknown format 'citscapes'; did you mean 'cityscapes'?"),
        (("--format", "camvid"), "error: --format: source.root: missing key 'root'"),
        (("--set", "split=val"), "error: --set split=val: only the source is read here; as in --set source.split=val"),
        (
            ("--config", "night_cars", "--format", "camvid"),
            "error: --config says the format of the source; leave out --format",
        ),
        (("--set", "source.scens=3"), "error: --set source.scens: unknown key 'scens'; did you mean 'scenes'?"),
    ],
)
def test_a_wrong_option_is_named_as_it_was_typed_and_exits_2(run, arguments, message):
    code, out, err = run("check", *arguments)
    assert (code, out, err.splitlines()) == (2, "", [message])


def test_the_source_of_a_config_is_checked(run, team, tmp_path):
    config = tmp_path / "night.yaml"
    config.write_text(f"name: night\nsource: {{format: folder, root: {team}, catalog: cityscapes}}\nsamples: 5\n")
    code, out, _ = run("check", "--config", str(config), "--quiet")
    assert (code, out.splitlines()[0]) == (0, "folder, split train: 2 scenes read, no images")
    code, _, err = run("check", "--config", str(config), "--split", "val", "--quiet")
    assert (code, err) == (2, f"error: {team}: no label map matches labels/val/**/*.png\n")


def test_a_mistake_in_a_config_has_its_place(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("night.yaml").write_text("name: night\nsource: {format: cityscapes, rot: /data}\n")
    code, _, err = run("check", "--config", "night.yaml")
    assert code == 2
    assert "error: night.yaml:2:30: source.rot: unknown key 'rot'; did you mean 'root'?" in err.splitlines()


def test_every_format_is_listed_with_its_options(run):
    code, out, _ = run("list", "--json")
    formats = json.loads(out)
    assert code == 0
    assert list(formats) == list(SOURCES)
    assert formats["folder"]["options"]["root"]["default"] == "required"
    for told in formats.values():
        assert told["what"]
    code, out, _ = run("list")
    assert "camvid: CamVid's 11 classes. Attributes: sequence, time_of_day." in out.splitlines()


@pytest.mark.parametrize("command", ["list", "check"])
def test_help_has_an_example(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert f"Example: synthgen sources {command}" in " ".join(out.split())


def test_a_source_can_be_named_as_everywhere_else(team, run, tmp_path):
    block = f"{{format: folder, root: {team}, catalog: cityscapes, labels: 'labels/train/*.png'}}"
    (tmp_path / "mine.yaml").write_text(f"source: {block}\n")
    told = [run("check", named, "--json", "-q") for named in (block, str(tmp_path / "mine.yaml"))]
    assert [json.loads(out)["scenes"] for _, out, _ in told] == [2, 2]
    code, _, error = run("check", block, "--root", "elsewhere")
    assert code == 2
    assert "SOURCE says all of the source; leave out --config, --format, --root, --split and --set" in error


def test_a_list_of_faulty_classes_is_told_class_by_class_with_what_may_stand_there(team, run):
    classes = team / "classes.yaml"
    classes.write_text("name: mine\nclasses:\n  - {id: 7, name: road, color: [1, 2, 3]}\n")
    _, _, error = run("check", f"{{format: folder, root: {team}, catalog: {classes}, labels: 'labels/train/*.png'}}")
    layers = "ground, structure, sky, object, fixed, void"
    assert error.strip() == f"error: {classes}:3:5: classes[0].layer: missing key 'layer': one of {layers}"


@pytest.mark.parametrize("kind", ["train", "recipes"])
def test_the_source_of_a_training_config_or_a_recipe_is_checked_by_its_path(run, tmp_path, kind):
    name = {"train": "streetscapes", "recipes": "night_cars"}[kind]
    path = tmp_path / f"{name}.yml"
    path.write_text((configs_folder() / kind / f"{name}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    for given in (str(path), f"{name}.yml"):
        code, out, err = run("check", "--config", given, "--limit", "1", "--quiet")
        assert (code, err) == (0, "")
        assert re.match(r"streetscapes, split train: 1 of \d+ scenes read", out)
