"""The gate end to end: a judge is trained once, images are judged in the render stage, rejects are counted."""

import json
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

from generators.inference import Renderer
from pipeline.augment.editing import Editor
from pipeline.augment.finalise import finalise
from pipeline.augment.gate import Gate, judge_of, judging_for, keep_real_agreement
from pipeline.augment.prepare import prepare
from pipeline.augment.rendering import RenderWorker
from pipeline.augment.rows import Judged
from pipeline.augment.run import run_augment
from pipeline.augment.workers import Wish
from pipeline.console import Console, ProgressMode
from pipeline.errors import InputError, RunError
from pipeline.evaluation.dataset import teachers_of
from pipeline.evaluation.judge import Judge, JudgeSettings
from pipeline.evaluation.training_source import source_of
from pipeline.plan_record import settle_plan
from pipeline.recipe import load_recipe
from pipeline.storage import Store

QUIET = Console(quiet=True, mode=ProgressMode.OFF)


@pytest.fixture
def gated(recipe_file, monkeypatch):
    """The recipe with a gate, and judges that train for two steps only."""
    monkeypatch.setattr(JudgeSettings.__init__, "__defaults__", ("small", 2, 2, 8, 0))
    return load_recipe(recipe_file, ["quality.min_agreement=0.5", "quality.max_retries=1", "samples=4"])


class OnlyBright:
    """A judge that likes images by their mean brightness, so that what passes is known."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, images, labels):
        self.sizes.append(len(images))
        return [Judged(float(image.mean() > 127)) for image in images]


def test_the_judge_is_trained_on_the_models_own_pairs_and_kept(gated, tmp_path):
    job, _ = prepare(gated)
    judges = str(tmp_path / "judges")
    gate = judging_for(job, QUIET, judges)
    assert isinstance(gate, Gate)
    kept = [path.name for path in (tmp_path / "judges").iterdir()]
    assert len(kept) == 1
    judging_for(job, QUIET, judges)
    assert [path.name for path in (tmp_path / "judges").iterdir()] == kept


def test_a_gate_travels_and_judges_each_image_alike_in_any_company(gated, tmp_path):
    job, _ = prepare(gated)
    gate = judging_for(job, QUIET, str(tmp_path / "judges"))
    there = pickle.loads(pickle.dumps(gate))
    images = np.random.default_rng(0).integers(0, 255, (3, 32, 64, 3), dtype=np.uint8)
    labels = [np.full((32, 64), 7, np.uint8)] * 3
    together = there(images, labels)
    assert together == gate(images, labels)
    assert together == [gate(images[k : k + 1], labels[:1])[0] for k in range(3)]


def test_what_is_rendered_together_is_judged_together(gated):
    job, _ = prepare(gated)
    judge = OnlyBright()
    RenderWorker(job, Renderer(job.model.load_generator(), max_batch=4), judge)(Editor(job)([0, 1, 2, 3]))
    assert judge.sizes[0] == 4


def test_rejects_are_counted_by_reason_and_shown(gated, make_here):
    store = make_here(gated, lambda images, labels: [Judged(_by_scene(each)) for each in labels])
    rejects = store.read(".synthgen/rejects.jsonl").decode().splitlines()
    page = store.read("report.html").decode()
    assert rejects
    assert all("agreement below 0.5: 0." in line for line in rejects)
    assert f'<td>rejected: agreement below 0.5</td><td class="n">{len(rejects)}</td>' in page
    assert "Histogram of agreement" in page


def _by_scene(labels: np.ndarray) -> float:
    """About half of all samples pass, by their own label map alone, which is the same on every machine."""
    return 0.9 if int(labels.sum()) % 2 else 0.25


def test_the_judge_itself_says_what_the_gate_says(gated, tmp_path):
    job, _ = prepare(gated)
    gate = judging_for(job, QUIET, str(tmp_path / "judges"))
    judge: Judge = gate.judge
    image = np.random.default_rng(1).integers(0, 255, (1, 32, 64, 3), dtype=np.uint8)
    labels = np.full((32, 64), 7, np.uint8)
    assert gate(image, [labels]) == [(judge.agreement(image[0], labels), None)]


def test_no_judge_is_trained_for_an_output_that_is_refused(gated, tmp_path):
    job, record = prepare(gated)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.tex").write_text("ten years of work")

    def train_a_judge():
        raise AssertionError("trained for nothing")

    with pytest.raises(RunError, match="holds files that are no data set of synthgen"), QUIET.progress("") as shown:
        run_augment(job, record, Store(str(tmp_path / "taken")), None, shown, "", train_a_judge, Wish())


def test_another_judge_is_another_plan(gated, tmp_path, monkeypatch):
    store = Store(str(tmp_path / "out"))
    settle_plan(store, prepare(gated)[1])
    settle_plan(store, prepare(gated)[1])
    monkeypatch.setattr(JudgeSettings.__init__, "__defaults__", ("small", 3, 2, 8, 0))
    with pytest.raises(RunError, match=re.escape("\n  judge: was ")):
        settle_plan(store, prepare(gated)[1])


def test_a_plan_without_a_gate_says_nothing_of_a_judge(recipe_file):
    record = prepare(load_recipe(recipe_file))[1]
    assert (record.judge, b'"judge":' in record.to_json()) == ("", False)


def test_a_judge_that_taught_the_generator_does_not_judge_it_and_the_data_set_says_so(
    gated, tmp_path, make_here, capsys
):
    job, record = prepare(gated)
    training = job.model.card.training.model_copy(update={"teachers": {"a": 0, "b": 1}})
    model = replace(job.model, card=job.model.card.model_copy(update={"training": training}))
    plain = judging_for(job, QUIET, str(tmp_path / "judges"))
    gate = judging_for(replace(job, model=model), Console(mode=ProgressMode.OFF), str(tmp_path / "judges"))
    assert gate.judge.fingerprint != plain.judge.fingerprint
    cards = [json.loads(path.read_text()) for path in (tmp_path / "judges").glob("*/judge.json")]
    assert sorted(card["settings"]["seed"] for card in cards) == [0, 2]
    assert "a judge of seed 0 taught this generator: one of seed 2 judges\n" in capsys.readouterr().err
    assert judge_of(job.recipe, model, job.resolution) == gate.judge.fingerprint != record.judge
    store = make_here(gated)
    assert "teachers" not in json.loads(store.read("dataset.json"))["model"]
    finalise(replace(job, model=model), store, {}, 1.0, "")
    assert teachers_of(store) == {"a": 0, "b": 1}


def test_what_a_data_set_says_of_teachers_is_read_or_called_damaged(tmp_path):
    dataset, store = tmp_path / "dataset.json", Store(str(tmp_path))
    for said, teachers in (
        ("{}", {}),
        ('{"model": {"family": "spade"}}', {}),
        ('{"model": {"teachers": {"a": 3}}}', {"a": 3}),
    ):
        dataset.write_text(said)
        assert teachers_of(store) == teachers
    for teachers in ('["a"]', '{"a": 3.7}', '{"a": true}', '{"a": -1}', '{"a": 1e999}', "null"):
        dataset.write_text(f'{{"model": {{"teachers": {teachers}}}}}')
        with pytest.raises(InputError, match=r"dataset\.json: damaged: model\.teachers"):
            teachers_of(store)
    for damaged in ("[]", "{", "[" * 200_000):
        dataset.write_text(damaged)
        with pytest.raises(InputError, match=r"dataset\.json: damaged: not JSON: "):
            teachers_of(store)


@pytest.mark.parametrize(("real", "warned"), [(0.9, True), (0.84, True), (0.82, False), (None, False)])
def test_a_run_whose_images_show_little_of_their_labels_says_so(gated, tmp_path, make_here, real, warned):
    store = make_here(gated, lambda images, labels: [Judged(0.5)] * len(images))
    job, _ = prepare(gated)
    gate = judging_for(job, QUIET, str(tmp_path / "judges"))
    keep_real_agreement(Gate(gate.judge, real_agreement=real), job, store)
    said: list[str] = []
    finalise(job, store, {}, 1.0, "", said.append)
    page = store.read("report.html").decode()
    assert ("agreement of real pairs" in page) == (real is not None)
    assert len(said) == warned
    if warned:
        assert said[0].startswith(f"a segmenter finds 50% of these label maps again, and {real:.0%} in real images")
    # What another plan kept says nothing of this one.
    finalise(replace(job, plan_fingerprint="another"), store, {}, 1.0, "", said.append)
    assert len(said) == warned


def test_what_a_judge_says_of_its_own_pairs_is_found_once_and_kept(gated, tmp_path, monkeypatch):
    job, _ = prepare(gated)
    judges = str(tmp_path / "judges")
    gate = judging_for(job, QUIET, judges)
    pairs = source_of(job.model)
    keys = pairs.keys()
    read = [pairs.read(keys[place * (len(keys) - 1) // 31], job.resolution) for place in range(32)]
    means = [gate.judge.agreement(pair.image, pair.scene.labels) for pair in read]
    assert gate.real_agreement == pytest.approx(np.mean(means))
    monkeypatch.setattr(Judge, "agreement", lambda *_: pytest.fail("looked again"))
    assert judging_for(job, QUIET, judges).real_agreement == gate.real_agreement
    assert pickle.loads(pickle.dumps(gate)).real_agreement == gate.real_agreement
