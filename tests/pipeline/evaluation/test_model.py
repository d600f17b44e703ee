"""`evaluate model`: what is measured, what is not, and what a user gets."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.cli import main
from pipeline.errors import SourceError
from pipeline.evaluation.model import Protocol, evaluate_model
from pipeline.evaluation.model_page import model_page
from pipeline.evaluation.training_source import source_of


@pytest.fixture(scope="module")
def result(flat_model, judge, make_world):
    from pipeline.console import Console, ProgressMode

    return evaluate_model(flat_model, make_world(5), judge, Protocol(), Console(quiet=True, mode=ProgressMode.OFF))


def test_the_judge_finds_real_images_and_not_those_of_an_untrained_model(result):
    assert result.faithfulness.real.mean_iou > 0.9
    assert result.faithfulness.share < 0.6
    assert result.boundary_agreement[1] > 0.95
    assert result.distances.fid > result.distances.fid_of_real_halves


def test_the_result_is_json_and_names_what_was_not_measured(result):
    data = json.loads(json.dumps(result.as_data(), allow_nan=False))
    assert set(data["agreement"]) == {f"flat{i:02d}" for i in range(5)}
    assert data["not_measured"] == ["fid_inception: no Inception weights given (--inception)"]
    assert "fid_segmenter" in data
    assert "fid_inception" not in data
    assert np.array(data["confusion"]).sum() == 5 * 48 * 30


def test_three_scenes_without_instances_in_one_style_leave_things_unmeasured(flat_model, judge, make_world, quiet):
    class Bare(make_world):
        def read_scene(self, key, resolution=None):
            return replace(super().read_scene(key, resolution), instances=None)

    found = evaluate_model(flat_model, Bare(3), judge, Protocol(styles=1), quiet)
    assert found.not_measured() == [
        "fid_segmenter and kid_segmenter: fewer than 4 scenes",
        "diversity_segmenter: one style a scene",
        "boundary_agreement: the scenes have no instances",
        "fid_inception: no Inception weights given (--inception)",
    ]
    assert "not measured" not in model_page("toy", found, judge.catalog, {}).to_html()


def test_scenes_without_images_are_refused(flat_model, judge, make_world, quiet):
    with pytest.raises(SourceError, match=r"^flat00 has no image to compare with; choose a split with images$"):
        evaluate_model(flat_model, make_world(images=False), judge, Protocol(), quiet)


def test_the_training_source_is_opened_again_from_the_card(street_model):
    from pipeline.model_directory import open_model

    opened = open_model(street_model)
    assert len(source_of(opened).keys()) == 6
    assert source_of(opened, "val").split == "val"


def test_the_command_writes_numbers_and_page(street_model, tmp_path, capsys):
    arguments = ["evaluate", "model", street_model, "--limit", "4", "--judge-steps", "2", "-q"]
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--judges", str(tmp_path / "judges"), "--out", str(tmp_path / "out"), "--json"])
    assert left.value.code in (0, None)
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((tmp_path / "out" / "result.json").read_text())
    assert written["kind"] == "model"
    assert printed["rendered"]["mean_iou"] == written["rendered"]["mean_iou"]
    assert set(written["provenance"]) == {"command", "commit", "date", "device", "versions"}
    page = (tmp_path / "out" / "index.html").read_text()
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<img") == 1
