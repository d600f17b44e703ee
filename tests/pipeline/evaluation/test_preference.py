"""The preference study: what is asked, and how answers add up."""

import json
import re

import pytest
from scipy.stats import binomtest

from pipeline.cli import main
from pipeline.errors import InputError
from pipeline.evaluation.preference import draw_trials, study_page, tally_answers, wilson
from pipeline.resolution import Resolution

SIZE = Resolution(48, 32)


@pytest.mark.parametrize(("hits", "total"), [(0, 5), (3, 10), (50, 100), (99, 100)])
def test_intervals_are_those_of_scipy(hits, total):
    interval = binomtest(hits, total).proportion_ci(method="wilson")
    assert wilson(hits, total) == pytest.approx((interval.low, interval.high), abs=1e-4)


def test_pairs_are_of_the_same_scene_where_both_have_it(make_world):
    trials = draw_trials(make_world(4), make_world(6), 10, SIZE, 0, with_labels=True)
    assert sorted(trial.key for trial in trials) == ["flat00", "flat01", "flat02", "flat03"]
    assert trials[0].labels.shape == (32, 48, 3)


def test_other_scenes_are_paired_by_chance_but_not_under_one_label_map(make_world):
    one, other = make_world(4), make_world(5, name="else")
    trials = draw_trials(one, other, 3, SIZE, 1, with_labels=False)
    assert all(re.fullmatch(r"flat\d\d / else\d\d", trial.key) for trial in trials)
    with pytest.raises(InputError, match=r"^the two share no scene, so there is no label map to show above both"):
        draw_trials(one, other, 3, SIZE, 1, with_labels=True)


def test_the_page_holds_every_pair_and_no_name_can_end_its_script(make_world):
    trials = draw_trials(make_world(3), make_world(3), 3, SIZE, 0, with_labels=True)
    html = study_page(("</script><b>", "real"), trials, 7, 0.5, "Which <one>?")
    assert "<h1>Which &lt;one&gt;?</h1>" in html
    data = re.search(r'<script id="data" type="application/json">(.*?)</script>', html, re.S)[1]
    told = json.loads(data)
    assert told["names"] == ["</script><b>", "real"]
    assert [len(trial["images"]) for trial in told["trials"]] == [2, 2, 2]
    assert "http" not in html


def answers(*preferred: int) -> dict:
    return {"names": ["ours", "theirs"], "answers": [{"key": "k", "preferred": p} for p in preferred]}


def test_answers_of_several_people_add_up():
    found = tally_answers([answers(*[0] * 30, 1), answers(*[0] * 8, 1)])
    assert found["preferred"]["ours"] == pytest.approx(38 / 40)
    assert (found["people"], found["answers"], found["verdict"]) == (2, 40, "ours is preferred")
    assert tally_answers([answers(0, 1, 1)])["verdict"] == "no preference shown"


def test_answers_of_two_studies_do_not_add_up():
    with pytest.raises(InputError, match=r"^the answers belong to different studies; tally those of one study at a"):
        tally_answers([answers(0), answers(0) | {"names": ["a", "b"]}])
    with pytest.raises(InputError, match=r"^no answers in these files$"):
        tally_answers([answers()])


@pytest.mark.parametrize(
    "found",
    [
        [1],
        {"names": ["x", "x"], "answers": []},
        {"names": ["x"], "answers": []},
        {"names": "xy", "answers": []},
        {"names": ["x", 1], "answers": []},
        {"names": ["x", "y"], "answers": [{"k": 1}]},
        {"names": ["x", "y"], "answers": [{"preferred": 2}]},
        {"names": ["x", "y"], "answers": {"preferred": 1}},
    ],
)
def test_a_file_that_holds_no_answers_is_named(found, tmp_path, capsys):
    (tmp_path / "answers.json").write_text(json.dumps(found))
    with pytest.raises(SystemExit) as left:
        main(["evaluate", "tally", str(tmp_path / "answers.json")])
    assert left.value.code == 2
    said = f"error: {tmp_path}/answers.json: not the answers of a preference study, as its page saves them\n"
    assert capsys.readouterr().err == said


def test_names_must_differ_and_few_pairs_are_told(tmp_path, capsys):
    sources = ["{format: streetscapes, scenes: 2}"] * 2
    arguments = ["evaluate", "study", *sources, "--resolution", "64x32", "--out", str(tmp_path / "study.html")]
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--names", "x, x"])
    assert left.value.code == 2
    assert capsys.readouterr().err == "error: --names: both are called 'x'; results could not tell them apart\n"
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--number", "5"])
    assert left.value.code in (0, None)
    assert "5 pairs were asked for; the two have 2\n" in capsys.readouterr().err
