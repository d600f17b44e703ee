"""What a run refuses and what it bears, without Ray."""

import json
import re
from collections import Counter

import pytest

from pipeline.augment.failures import FailureLimit
from pipeline.augment.gate import judging_for
from pipeline.augment.prepare import prepare
from pipeline.augment.run import check_output
from pipeline.augment.watch import Tally
from pipeline.console import Console, ProgressMode
from pipeline.errors import ConfigError, RunError
from pipeline.recipe import OnError, load_recipe
from pipeline.storage import Store


def test_an_output_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("ten years of work")
    message = f"{tmp_path}: holds files that are no data set of synthgen (thesis.tex); give another output.root"
    with pytest.raises(RunError, match=f"^{re.escape(message)}$"):
        check_output(Store(str(tmp_path)))
    assert (tmp_path / "thesis.tex").read_text() == "ten years of work"


@pytest.mark.parametrize(
    ("said", "samples", "most"),
    [
        ({}, 10_000, 100),
        ({}, 10, 1),  # a run that bears any failure bears one
        ({"max_fraction": 0.0}, 10_000, 0),
        ({"policy": "fail"}, 10_000, 0),
        ({"max_fraction": 0.5}, 10, 5),
    ],
)
def test_a_run_bears_a_share_of_failures(said, samples, most):
    limit = FailureLimit.of(OnError(**said), samples)
    assert not limit.exceeded(most)
    assert limit.exceeded(most + 1)


def test_too_many_failures_name_the_first_of_them():
    examples = [{"source_key": "a", "stage": "edit", "reason": "SourceError: a.png: truncated"}]
    assert FailureLimit.of(OnError(), 100).message(3, examples) == (
        "3 samples failed, more than the 1 that on_error.max_fraction 0.01 bears; repair or leave out these scenes of "
        "the source:\n  a: edit: SourceError: a.png: truncated"
    )


def test_the_note_beside_the_progress_counts_what_was_lost():
    assert Tally(shards=3).note == "3 shards"
    assert Tally(shards=3, outcomes=Counter(failed=2, rejected=1)).note == "3 shards, 2 failed, 1 rejected"


def test_no_gate_trains_no_judge(recipe_file):
    job, _ = prepare(load_recipe(recipe_file))
    assert judging_for(job, Console(quiet=True, mode=ProgressMode.OFF)) is None


def test_a_look_that_the_model_never_saw_is_refused_with_those_it_has(recipe_file):
    text = recipe_file.read_text().replace("time_of_day: night}}", "time_of_day: nigth}}")
    recipe_file.write_text(text)
    place = r"^.*night_cars\.yaml:12:52: styles\[0\]\.pick\.attribute\.time_of_day: "
    with pytest.raises(ConfigError, match=place + r"unknown value 'nigth'; did you mean 'night'\?"):
        prepare(load_recipe(recipe_file))


def test_a_class_that_the_catalog_lacks_is_refused_at_its_place(recipe_file):
    recipe_file.write_text(recipe_file.read_text().replace("class: car", "class: cra"))
    with pytest.raises(
        ConfigError, match=r"^.*night_cars\.yaml:10:32: edits\[2\]\.class: unknown class 'cra'; did you"
    ):
        prepare(load_recipe(recipe_file))


def problems_of(recipe_file, *replacements: tuple[str, str]) -> list[str]:
    text = recipe_file.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    recipe_file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        prepare(load_recipe(recipe_file))
    return [problem.rpartition("night_cars.yaml:")[2] for problem in caught.value.problems]


def test_names_that_source_and_model_lack_are_told_in_one_go(recipe_file):
    told = problems_of(recipe_file, ("class: car", "class: cra"), ("time_of_day: night", "time_of_day: nigth"))
    assert [line.partition(" (")[0] for line in told] == [
        "10:32: edits[2].class: unknown class 'cra'; did you mean 'car'?",
        "12:52: styles[0].pick.attribute.time_of_day: unknown value 'nigth'; did you mean 'night'?",
    ]


def test_mistakes_of_the_file_and_names_that_source_and_model_lack_are_told_in_one_go(recipe_file):
    told = problems_of(
        recipe_file,
        ("samples: 10", "samples: ten"),
        ("class: car", "class: cra"),
        ("op: remove_instances", "op: remove_instancs"),
        ("time_of_day: night", "time_of_day: nigth"),
    )
    assert [line.partition(" (")[0] for line in told] == [
        "5:10: samples: expected a whole number, found 'ten'",
        "9:10: edits[1].op: unknown op 'remove_instancs'; did you mean 'remove_instances'?",
        "10:32: edits[2].class: unknown class 'cra'; did you mean 'car'?",
        "12:52: styles[0].pick.attribute.time_of_day: unknown value 'nigth'; did you mean 'night'?",
    ]


def test_a_missing_model_is_told_with_the_classes_that_the_catalog_lacks(recipe_file):
    model = load_recipe(recipe_file).value.model
    told = problems_of(recipe_file, (f"model: {model}", "model: nowhere"), ("class: car", "class: cra"))
    assert told == [
        "3:8: model: nowhere: not a model directory (no model.json); make it with: synthgen train --output nowhere",
        "10:32: edits[2].class: unknown class 'cra'; did you mean 'car'? (catalog cityscapes)",
    ]


def test_a_faulty_recipe_whose_source_is_not_there_says_both(recipe_file):
    told = problems_of(
        recipe_file,
        ("format: streetscapes, scenes: 12, seed: 3", "format: cityscapes, root: nowhere"),
        ("seed: 7", "seed: x"),
    )
    assert [line.partition(": ")[0] for line in told] == ["2:9", "6:7"]
    assert "nowhere" in told[0]


def test_a_source_of_which_nothing_is_left_hides_no_other_mistake(recipe_file):
    told = problems_of(
        recipe_file,
        ("scenes: 12, seed: 3", "scenes: 12, seed: 3, where: {time_of_dai: night}"),
        ("class: car", "class: cra"),
        ("time_of_day: night}", "time_of_day: nigth}"),
    )
    assert [line.partition(" (")[0] for line in told] == [
        "2:61: source.where.time_of_dai: unknown attribute 'time_of_dai'; did you mean 'time_of_day'?",
        "10:32: edits[2].class: unknown class 'cra'; did you mean 'car'?",
        "12:52: styles[0].pick.attribute.time_of_day: unknown value 'nigth'; did you mean 'night'?",
    ]


def test_balance_changes_which_scenes_are_drawn(recipe_file):
    plain, _ = prepare(load_recipe(recipe_file))
    balanced, record = prepare(load_recipe(recipe_file, ["balance={by: pixels, target: {car: 0.2}}", "samples=40"]))
    assert record.recipe["balance"] == {"by": "pixels", "target": {"car": 0.2}}
    counts = Counter(balanced.plan.sample(slot).source_key for slot in range(40))
    assert max(counts.values()) > min(counts[key] for key in plain.source.keys())
    assert json.loads(record.to_json())["samples"] == 40
