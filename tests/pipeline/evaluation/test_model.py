"""`evaluate model`: what is measured, what is not, and what a user gets."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from orchestration.cluster import connect, shutdown
from pipeline.cli import main
from pipeline.console import Console, ProgressMode
from pipeline.errors import SourceError
from pipeline.evaluation.dataset import evaluate_dataset
from pipeline.evaluation.judge import JudgeSettings, train_judge
from pipeline.evaluation.model import evaluate_model
from pipeline.evaluation.model_page import model_page
from pipeline.evaluation.scene_measures import Protocol
from pipeline.evaluation.tables import model_table
from pipeline.evaluation.training_source import source_of
from pipeline.model_directory import open_model


@pytest.fixture(scope="module")
def result(flat_model, judge, make_world):
    return evaluate_model(flat_model, make_world(5), judge, Protocol(), Console(quiet=True, mode=ProgressMode.OFF))


def test_the_judge_finds_real_images_and_not_those_of_an_untrained_model(result):
    assert result.faithfulness.real.mean_iou > 0.9
    assert result.faithfulness.share < 0.6
    assert result.boundary_agreement[1] > 0.95
    assert result.distances.fid > result.distances.fid_of_real_halves


def with_scores(result, rendered: dict[str, float], real: dict[str, float]):
    """The result with other IoUs by class."""
    sides = {
        side: replace(
            getattr(result.faithfulness, side),
            class_iou=ious,
            class_accuracy=ious,
            mean_iou=sum(ious.values()) / len(ious),
        )
        for side, ious in (("rendered", rendered), ("real", real))
    }
    return replace(result, faithfulness=replace(result.faithfulness, **sides))


def test_the_headline_says_the_share_what_is_kept_what_is_lost_and_what_the_judge_does_not_know(result, judge):
    real = dict.fromkeys(("a", "b", "c", "d", "e", "f"), 0.5) | {"never": 0.0}
    rendered = {"a": 0.4, "b": 0.5, "c": 0.45, "d": 0.0, "e": 0.1, "f": 0.2, "never": 0.0}
    page = model_page("toy", with_scores(result, rendered, real), judge.catalog, {})
    assert page.answer == (
        "In the rendered images a network trained on real images reaches 55% of the mean IoU that it has on the real "
        "images of the same scenes (24% against 43%). Best kept: b, c, a; most lost: d, e, f. Of 1 of the 7 classes "
        "nothing can be said: the judge does not find it in real images either."
    )
    assert "Not drawn, under 1% in both: never." in page.to_html()
    alike = model_page("toy", with_scores(result, real, real), judge.catalog, {})
    assert "Best kept: a, b, c; most lost: none." in alike.answer


def test_the_result_is_json_and_names_what_was_not_measured(result):
    data = json.loads(json.dumps(result.as_data(), allow_nan=False))
    assert set(data["agreement"]) == {f"flat{i:02d}" for i in range(5)}
    assert data["not_measured"] == [
        "fid_inception and kid_inception: no Inception weights given (--inception)",
        "diversity_lpips_alex: no AlexNet weights given (--alexnet)",
    ]
    assert "fid_segmenter" in data
    assert "fid_inception" not in data
    assert np.array(data["confusion"]).sum() == 5 * 48 * 30


def test_the_scenes_measured_lie_all_over_the_source_and_those_shown_all_over_them(
    flat_model, judge, make_world, quiet
):
    found = evaluate_model(flat_model, make_world(13), judge, Protocol(styles=1, limit=11), quiet)
    assert list(found.as_data()["agreement"]) == [f"flat{i:02d}" for i in (0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12)]
    assert [shown.key for shown in found.shown] == [f"flat{i:02d}" for i in (0, 2, 4, 7, 9, 12)]


def test_three_scenes_without_instances_in_one_style_leave_things_unmeasured(flat_model, judge, make_world, quiet):
    class Bare(make_world):
        def read_scene(self, key, resolution=None):
            return replace(super().read_scene(key, resolution), instances=None)

    found = evaluate_model(flat_model, Bare(3), judge, Protocol(styles=1), quiet)
    assert found.not_measured() == [
        "fid_segmenter and kid_segmenter: fewer than 4 scenes",
        "diversity_segmenter: one style a scene",
        "boundary_agreement: the scenes have no instances",
        "fid_inception and kid_inception: no Inception weights given (--inception)",
        "diversity_lpips_alex: no AlexNet weights given (--alexnet)",
    ]
    assert "not measured" not in model_page("toy", found, judge.catalog, {}).to_html()


def test_scenes_without_images_are_refused(flat_model, judge, make_world, quiet):
    with pytest.raises(SourceError, match=r"^flat00 has no image to compare with; choose a split with images$"):
        evaluate_model(flat_model, make_world(images=False), judge, Protocol(), quiet)


def test_the_training_source_is_opened_again_from_the_card(street_model):
    opened = open_model(street_model)
    assert len(source_of(opened).keys()) == 6
    assert source_of(opened, "val").split == "val"


@pytest.mark.ray
def test_the_workers_of_a_cluster_measure_the_same_models_and_data_sets(street_model, quiet):
    opened = open_model(street_model)
    training, scenes = source_of(opened), source_of(opened, "val")
    judge = train_judge(training, opened.resolution, JudgeSettings(steps=2, width=4), quiet)

    def measured(cluster):
        of_model = evaluate_model(opened, scenes, judge, Protocol(limit=5), quiet, cluster)
        of_data = evaluate_dataset(scenes, training, judge, 5, quiet, by="time_of_day", cluster=cluster)
        return of_model, [of_model.as_data(), of_data.as_data()]

    # As many threads as workers have: where bfloat16 is computed with, sums in another order round to other pixels.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        here, here_as_data = measured(None)
        there, there_as_data = measured(connect("local", num_cpus=2))
    finally:
        torch.set_num_threads(threads)
        shutdown()
    assert list(there.agreements) == list(here.agreements)
    assert [shown.key for shown in there.shown] == list(here.agreements)
    np.testing.assert_array_equal(there.shown[0].labels, here.shown[0].labels)
    for data in (here_as_data[0], there_as_data[0]):
        cost = data.pop("cost")
        assert cost["parameters"] > 0
        assert cost["peak_memory_mb"] > 0
    assert numbers_of(there_as_data) == pytest.approx(numbers_of(here_as_data), rel=1e-3, abs=1e-3)


def numbers_of(data):
    """Every number in nested data under the way to it."""
    if isinstance(data, int | float):
        return {"": data}
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return {f"{name}/{way}": number for name, value in items for way, number in numbers_of(value).items()}


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
    assert page.count("<img") == 4 * 5
    assert len(written["shown"]) == 4
    assert (tmp_path / "out" / written["shown"][3]["rendered"]).is_file()
    assert written["cost"]["parameters"] > 1000
    assert written["map_colors"]["road"] == "rgb(128 64 128)"


@pytest.fixture
def other_streets(tmp_path):
    """Two frames in the classes of CamVid: sky over road."""
    import cv2

    labels = np.repeat([0, 3], 16).astype(np.uint8)[:, None].repeat(64, axis=1)
    for folder in ("val", "valannot"):
        (tmp_path / "camvid" / folder).mkdir(parents=True)
    for number in range(2):
        cv2.imwrite(str(tmp_path / "camvid" / "val" / f"0001TP_{number}.png"), labels[:, :, None].repeat(3, 2) * 60)
        cv2.imwrite(str(tmp_path / "camvid" / "valannot" / f"0001TP_{number}.png"), labels)
    return f"{{format: camvid, root: '{tmp_path / 'camvid'}', split: val}}"


def test_scenes_of_another_label_space_need_a_mapping(street_model, other_streets, tmp_path, capsys):
    arguments = ["evaluate", "model", street_model, "--source", other_streets, "--judge-steps", "1", "-q", "--json"]
    arguments += ["--judge-width", "4", "--judges", str(tmp_path / "judges"), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert capsys.readouterr().err == (
        "error: the source has catalog camvid, measured is in catalog cityscapes; classes without counterpart: "
        "bicyclist, pavement, pedestrian, sign, tree, void; give a mapping file with --classes, such as "
        "`classes: {rider: bicyclist}`\n"
    )
    mapping = tmp_path / "classes.yaml"
    mapping.write_text(
        "classes: {bicyclist: rider, pavement: sidewalk, pedestrian: person, sign: traffic sign, tree: vegetation, "
        "void: unlabeled}\n"
    )
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--classes", str(mapping)])
    assert left.value.code in (0, None)
    found = json.loads(capsys.readouterr().out)
    assert found["scenes"] == 2
    assert set(found["real"]["class_iou"]) == {"sky", "road"}


def test_a_split_that_the_source_lacks_is_named_with_those_it_has(street_model, capsys):
    with pytest.raises(SystemExit) as left:
        main(["evaluate", "model", street_model, "--split", "tets"])
    assert left.value.code == 2
    assert capsys.readouterr().err == "error: --split 'tets': Input should be 'train' or 'val'\n"


def test_a_judge_that_finds_nothing_in_real_images_gives_no_share_of_them(flat_model, judge, make_world, quiet):
    class Inverted(make_world):
        def read_scene(self, key, resolution=None):
            scene = super().read_scene(key, resolution)
            return replace(scene, labels=np.full_like(scene.labels, 3), instances=None)

    found = evaluate_model(flat_model, Inverted(2), judge, Protocol(styles=1), quiet)
    found = replace(
        found, faithfulness=replace(found.faithfulness, real=replace(found.faithfulness.real, mean_iou=0.0))
    )
    assert "share_of_real" not in json.loads(json.dumps(found.as_data(), allow_nan=False))
    assert "share_of_real: the judge finds nothing in the real images either" in found.not_measured()
    page = model_page("toy", found, judge.catalog, {})
    assert page.answer == "Nothing can be said of this model: the judge finds no class in the real images either."
    assert "nan" not in page.to_html()
    assert "nan" not in model_table(found)


def test_label_maps_without_an_image_are_left_out_and_counted(flat_model, judge, make_world, capsys):
    class Partly(make_world):
        def has_image(self, key):
            return key != "flat00"

        def read_image(self, key, resolution=None):
            return super().read_image(key, resolution) if self.has_image(key) else None

    heard = Console(mode=ProgressMode.OFF)
    found = evaluate_model(flat_model, Partly(4), judge, Protocol(styles=1, limit=2), heard)
    assert list(found.as_data()["agreement"]) == ["flat01", "flat03"]
    said = "left out of the source, for want of its other half: flat00 (no image)"
    assert f"{said}\n" in capsys.readouterr().err
    assert found.as_data()["notes"] == [said]
