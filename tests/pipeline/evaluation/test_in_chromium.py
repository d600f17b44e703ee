"""Every page of results in a real browser: at the width of a phone and of a desk, by day, by night, and on paper."""

import pytest

from pipeline.console import Console, ProgressMode
from pipeline.evaluation.comparison import compare_page, read_results
from pipeline.evaluation.comparison_sheet import shared_scenes
from pipeline.evaluation.dataset import evaluate_dataset
from pipeline.evaluation.dataset_page import dataset_page
from pipeline.evaluation.downstream import Budget, Trial, run_downstream
from pipeline.evaluation.downstream_page import downstream_page
from pipeline.evaluation.judge import JudgeSettings
from pipeline.evaluation.judge_page import judge_page
from pipeline.evaluation.judge_result import measure_judge
from pipeline.evaluation.model import evaluate_model
from pipeline.evaluation.model_page import model_page
from pipeline.evaluation.preference import draw_trials, study_page
from pipeline.evaluation.results import write_results
from pipeline.evaluation.scene_measures import Protocol
from pipeline.resolution import Resolution
from pipeline.storage import Store
from tests.pipeline.chromium import DARK, LOOK, chromium, needs_chromium, opened

pytestmark = [pytest.mark.slow, needs_chromium]

ANSWER = """<script>addEventListener("load", () => {
  document.getElementById("begin").click();
  const press = key => document.dispatchEvent(new KeyboardEvent("keydown", { key }));
  ["ArrowLeft", "ArrowRight", "ArrowLeft"].forEach(press);
  const tiles = document.getElementById("tiles").children.length;
  parent.postMessage({ answers: answers.length, tiles }, "*");
});</script>"""


@pytest.fixture(scope="module")
def quietly() -> Console:
    return Console(quiet=True, mode=ProgressMode.OFF)


@pytest.fixture(scope="module")
def pages(flat_model, judge, make_world, quietly, tmp_path_factory) -> dict[str, str]:
    """Each page that evaluate writes, of small worlds, and how many images it shows."""
    folder = tmp_path_factory.mktemp("pages")
    origin = {"command": "synthgen evaluate " + "x" * 300, "versions": {"torch": "2"}}
    of_model = evaluate_model(flat_model, make_world(5), judge, Protocol(), quietly)
    made = make_world(6, name="made")
    of_set = evaluate_dataset(made, make_world(6, name="real"), judge, 10, quietly, by="time_of_day")
    trial = Trial(make_world(4), made, make_world(4, name="held", first=20), Resolution(48, 32), "time_of_day")
    budget = Budget(steps=2, batch_size=2, width=4, seeds=3)
    of_arms = run_downstream(trial, budget, Store(str(folder / "arms")), quietly)
    held_out = make_world(9, name="held")
    measured = measure_judge(judge, held_out, quietly)
    page = model_page("a-name-that-is-rather-long-for-a-phone", of_model, judge.catalog, origin)
    for name in ("one", "other"):
        write_results(str(folder / name), "model", {"name": name, **of_model.as_data()}, page, of_model.pictures())
    compared = read_results([str(folder / "one"), str(folder / "other")])
    scenes = shared_scenes(compared.results, compared.stores)
    return {
        "model": page.to_html(),
        "dataset": dataset_page("made", of_set, made, judge, origin).to_html(),
        "downstream": downstream_page("toy", of_arms, origin).to_html(),
        "judge": judge_page("flat", measured, judge, JudgeSettings(), made, held_out, origin).to_html(),
        "compare": compare_page(compared, origin, scenes).to_html(),
    }


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("model", {"images": 25, "tables": 4, "plots": 2}),
        ("dataset", {"images": 16, "tables": 5, "plots": 3}),
        ("downstream", {"images": 0, "tables": 6, "plots": 1}),
        ("judge", {"images": 24, "tables": 3, "plots": 2}),
        ("compare", {"images": 20, "tables": 1, "plots": 1}),
    ],
)
@pytest.mark.parametrize("width", [390, 1200])
def test_a_page_is_whole_and_fits(pages, name, shown, width, tmp_path):
    seen, console = opened(pages[name], LOOK, tmp_path, width)
    assert console == ""
    whole = {
        "broken": 0,
        "uneven": 0,
        "odd": 0,
        "cut": 0,
        "small": 0,
        "scrolled": 0,
        "width": width,
        "fits": True,
        "dark": False,
    }
    assert seen == shown | whole


def test_a_page_is_dark_where_the_reader_likes_it_dark_and_white_on_paper(pages, tmp_path):
    seen, console = opened(pages["downstream"], LOOK, tmp_path, 1200, DARK)
    assert (seen["dark"], seen["fits"], console) == (True, True, "")
    paper = tmp_path / "page.pdf"
    chromium(tmp_path, DARK, "--no-pdf-header-footer", f"--print-to-pdf={paper}", f"file://{tmp_path / 'page.html'}")
    assert paper.read_bytes().startswith(b"%PDF")


def test_a_study_is_answered_by_keyboard(make_world, tmp_path):
    trials = draw_trials(make_world(3), make_world(3), 3, Resolution(48, 32), 0, with_labels=True)
    html = study_page(("rendered", "real"), trials, 0, 1.0, "Which looks more real?")
    assert opened(html, ANSWER, tmp_path, 390) == ({"answers": 3, "tiles": 2}, "")
