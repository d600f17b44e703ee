import json

import pytest

from pipeline.evaluation.results import write_results
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
    assert text.splitlines()[-1] == f"earlier  {tmp_path}/earlier/1/index.html, of another command"
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
