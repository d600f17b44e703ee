import json

import pytest

from pipeline.errors import StorageError
from pipeline.evaluation.results import place_for, write_results
from pipeline.report.page import Page


@pytest.fixture
def write(tmp_path):
    def write(command, said, pictures=None):
        page = Page(said, "", [], [], {"command": command})
        return write_results(str(tmp_path), "model", {"said": said}, page, pictures)

    return write


def said_in(folder):
    return json.loads((folder / "result.json").read_text())["said"]


def test_a_result_of_another_command_is_kept_beside_the_new_one(write, tmp_path):
    write("evaluate --seed 0", "first", {"shown/a.png": b"first"})
    text = write("evaluate --seed 1", "second", {"shown/a.png": b"second"})
    write("evaluate --seed 2", "third")
    assert text.splitlines()[-1] == f"earlier  {tmp_path}/earlier/1, of another command"
    assert [said_in(tmp_path / place) for place in (".", "earlier/1", "earlier/2")] == ["third", "first", "second"]
    assert "first" in (tmp_path / "earlier/1/index.html").read_text()
    assert (tmp_path / "earlier/1/shown/a.png").read_bytes() == b"first"


def test_the_same_command_again_takes_the_place_of_its_own_result(write, tmp_path):
    write("evaluate", "first")
    assert "earlier" not in write("evaluate", "second")
    assert said_in(tmp_path) == "second"
    assert not (tmp_path / "earlier").exists()


def test_a_file_of_that_name_that_is_no_result_is_kept_too(write, tmp_path):
    (tmp_path / "result.json").write_text("mine")
    write("evaluate", "first")
    assert (tmp_path / "earlier/1/result.json").read_text() == "mine"


def test_pictures_of_a_result_from_before_they_were_named_are_kept_too(write, tmp_path):
    shown = [{"key": "a", "real": "pictures/0-real.png", "rendered": "pictures/0-rendered.png"}]
    (tmp_path / "pictures").mkdir()
    for picture in ("pictures/0-real.png", "pictures/0-rendered.png", "sheet.jpg"):
        (tmp_path / picture).write_bytes(b"old")
    (tmp_path / "result.json").write_text(json.dumps({"shown": shown, "provenance": {"command": "old"}}))
    write("evaluate", "new", {"pictures/0-real.png": b"new"})
    for picture in ("pictures/0-real.png", "pictures/0-rendered.png", "sheet.jpg"):
        assert (tmp_path / "earlier/1" / picture).read_bytes() == b"old"


@pytest.mark.parametrize("pictures", [["../../x.png"], ["/etc/hostname"], [5], "all", {"a": 1}])
def test_what_another_file_says_of_pictures_does_no_harm(write, tmp_path, pictures):
    said = json.dumps({"pictures": pictures, "provenance": {"command": "old"}})
    (tmp_path / "result.json").write_text(said)
    text = write("evaluate", "new")
    assert text.splitlines()[-1] == f"earlier  {tmp_path}/earlier/1, of another command"
    assert [path.name for path in (tmp_path / "earlier/1").iterdir()] == ["result.json"]
    assert said_in(tmp_path) == "new"


def test_how_a_command_speaks_makes_it_no_other_one(write, tmp_path):
    write("evaluate model m --limit 3", "first")
    for more in (" --json", " -q", " --progress off", " --progress=json --quiet"):
        assert "earlier" not in write(f"evaluate model m{more} --limit 3", more)
    assert "earlier" in write("evaluate model m --limit 4", "other")


def test_a_run_that_came_no_further_than_keeping_keeps_nothing_twice(write, tmp_path):
    write("evaluate", "first")
    before = (tmp_path / "result.json").read_bytes()
    write("evaluate --seed 1", "second")
    (tmp_path / "result.json").write_bytes(before)
    write("evaluate --seed 1", "second")
    assert sorted(path.name for path in (tmp_path / "earlier").iterdir()) == ["1"]


def test_a_page_without_numbers_is_kept(write, tmp_path):
    (tmp_path / "index.html").write_text("mine")
    write("evaluate", "first")
    assert (tmp_path / "earlier/1/index.html").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=rf"^{tmp_path}/file/out: cannot write: "):
        place_for(f"{tmp_path}/file/out", "model", "a")
    assert place_for(str(tmp_path / "out"), "model", "a") == str(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
