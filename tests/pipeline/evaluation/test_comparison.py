"""Results side by side, and what is refused to stand there."""

import json

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.evaluation.comparison import compare_page, compare_text, read_results
from pipeline.evaluation.comparison_sheet import comparison_sheet, shared_scenes
from pipeline.shards.pixels import encode_image


def a_result(scenes: int = 40, **changes) -> dict:
    rendered = {"mean_iou": 0.5, "pixel_accuracy": 0.8, "class_iou": {"road": 0.9, "car": 0.1}}
    return {
        "kind": "model",
        "scenes": scenes,
        "share_of_real": 0.7,
        "rendered": rendered,
        "fid_segmenter": 4.0,
    } | changes


@pytest.fixture
def folders(tmp_path):
    def write(*results: dict) -> list[str]:
        places = []
        for number, result in enumerate(results):
            folder = tmp_path / f"model-{number}"
            folder.mkdir(exist_ok=True)
            (folder / "result.json").write_text(json.dumps(result))
            places.append(str(folder))
        return places

    return write


def test_the_best_of_each_column_is_marked_and_smaller_fid_is_better(folders):
    compared = read_results(folders(a_result(), a_result(fid_segmenter=9.0, share_of_real=0.9)))
    assert compared.best("FID (segmenter) -") == [0]
    assert compared.best("of real") == [1]
    assert compared.best("mean IoU") == []
    html = compare_page(compared, {}).to_html()
    assert '<td class="n">4.00 *</td>' in html
    assert '<td class="n">90.0% *</td>' in html
    assert '<td class="name">FID (segmenter) ↓</td>' in html


def test_models_stand_side_by_side_on_the_scenes_that_all_of_them_show(folders, tmp_path):
    def picture(value: int) -> bytes:
        return encode_image(np.full((10, 20, 3), value, np.uint8), "png", 100)

    scene = {"key": "a", "labels": "pictures/l.png", "rendered": "pictures/r.png", "real": "pictures/p.png"}
    colors = {"road": "rgb(10 10 10)", "nowhere to be seen": "rgb(60 60 60)"}
    places = folders(a_result(shown=[scene, {**scene, "key": "b"}]), a_result(shown=[scene], map_colors=colors))
    for number, place in enumerate(places):
        (tmp_path / f"model-{number}" / "pictures").mkdir()
        for name, value in (("l", 10), ("p", 60), ("r", 100 + 100 * number)):
            (tmp_path / f"model-{number}" / "pictures" / f"{name}.png").write_bytes(picture(value))
        assert place.endswith(str(number))
    compared = read_results(places)
    scenes = shared_scenes(compared.results, compared.stores)
    assert [(scene.key, list(scene.rendered)) for scene in scenes] == [("a", ["model-0", "model-1"])]
    sheet = comparison_sheet(scenes)
    cells = [sheet[80, 8 + column * 248 + 120, 0] for column in range(4)]
    assert cells == [10, 60, 100, 200]
    html = compare_page(compared, {}, scenes).to_html()
    assert 'style="background:rgb(10 10 10)"></i>road</span>' in html
    assert "nowhere to be seen" not in html


def test_one_result_alone_does_not_compare(folders):
    [place] = folders(a_result())
    with pytest.raises(InputError, match=r"model-0: one result alone; give the folders of two or more to compare$"):
        read_results([place])


def test_models_that_show_no_scene_in_common_have_no_sheet(folders):
    compared = read_results(folders(a_result(shown=[]), a_result()))
    assert comparison_sheet(shared_scenes(compared.results, compared.stores)) is None
    assert "The same label maps" not in compare_page(compared, {}).to_html()


def test_what_none_was_measured_on_has_no_column(folders):
    compared = read_results(folders(a_result(), a_result()))
    assert "FID (Inception) -" not in compared.columns()
    head, first, *_, legend = compare_text(compared).splitlines()
    assert head.split() == ["measure", "model-0", "model-1"]
    assert first.split() == ["mean", "IoU", "of", "the", "judge", "50.0%", "50.0%"]
    assert legend == "↓: less is better. Small differences may be luck."


def test_what_does_not_compare_is_not_called_best(folders):
    better = {**a_result()["rendered"], "mean_iou": 0.6}
    nearer = a_result(rendered=better, fid_segmenter=0.5)
    *_, legend = compare_text(read_results(folders(a_result(), nearer))).splitlines()
    assert legend.startswith("* is the best of its row; ")
    fewer = read_results(folders(a_result(), nearer | {"scenes": 20}))
    assert fewer.best("mean IoU") == [1]
    assert fewer.best("FID (segmenter) -") == []
    unlike = read_results(folders(a_result(judge="a"), nearer | {"judge": "b"}))
    assert not any(map(unlike.best, unlike.columns()))


def test_a_measure_that_one_lacks_is_a_dash(folders):
    without = a_result()
    del without["fid_segmenter"]
    compared = read_results(folders(a_result(), without))
    assert compared.as_data()["model-1"]["FID (segmenter)"] is None
    assert compared.best("FID (segmenter) -") == []


def test_different_protocols_are_said(folders):
    html = compare_page(read_results(folders(a_result(), a_result(scenes=60))), {}).to_html()
    assert "Measured on different numbers of scenes (model-0 40, model-1 60): FID and KID do not compare." in html


def test_the_headline_says_who_comes_first(folders):
    better = {**a_result()["rendered"], "mean_iou": 0.6}
    page = compare_page(read_results(folders(a_result(), a_result(rendered=better))), {})
    assert page.answer == "model-1 comes first in mean IoU of the judge: 60%, before model-0 50%."


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (
            {"resolution": "128x64"},
            "Measured at different sizes (model-0 64x32, model-1 128x64): the scores do not compare.",
        ),
        (
            {"judge": "b"},
            "Measured by different judges: the scores do not compare. Measure all of them with the same real pairs "
            "and a --seed that taught none of the generators.",
        ),
    ],
)
def test_scores_that_do_not_compare_are_said_first(folders, second, said):
    alike = {"resolution": "64x32", "judge": "a"}
    page = compare_page(read_results(folders(a_result(**alike), a_result(**alike | second))), {})
    assert page.answer == said
    assert page.to_html().count(said) == 1
    assert compare_text(read_results(folders(a_result(**alike), a_result(**alike | second)))).endswith(
        f"\nwarning: {said}"
    )


def test_a_result_may_be_named_by_its_file_and_a_damaged_one_is_refused(folders, tmp_path):
    places = folders(a_result(), a_result())
    named = read_results([f"{places[0]}/result.json", places[1]])
    assert list(named.results) == list(read_results(places).results)
    with pytest.raises(InputError, match=r"model-0/result\.json: damaged: no rendered\.class_iou$"):
        read_results(folders({"kind": "model"}))


def test_a_model_and_a_data_set_do_not_compare(folders):
    with pytest.raises(InputError) as refused:
        read_results(folders(a_result(), {"kind": "dataset"}))
    assert str(refused.value) == (
        "results of kind dataset and model; compare several of kind model, or several of dataset"
    )


def test_a_folder_without_a_result_is_named(tmp_path):
    with pytest.raises(InputError) as refused:
        read_results([str(tmp_path)])
    assert str(refused.value) == (
        f"{tmp_path}: no result.json; give folders that evaluate model or evaluate dataset wrote (their --out)"
    )
