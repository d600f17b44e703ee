import json
import re

import pytest

from pipeline.errors import RunError, StorageError
from pipeline.plan import draw_plan
from pipeline.plan_record import PlanRecord, differences, read_plan_record, settle_plan
from pipeline.recipe import Recipe
from pipeline.storage import Store

RECIPE = {
    "name": "night",
    "source": {"format": "streetscapes", "scenes": 10},
    "output": {"root": "out"},
    "samples": 20,
    "edits": [{"op": "swap_class", "from": "vegetation", "to": "building"}],
}


def record_of(model: str = "m" * 64, **changes) -> PlanRecord:
    recipe = Recipe.model_validate_json(json.dumps({**RECIPE, **changes}), strict=True)
    plan = draw_plan(recipe.name, [f"s{i}" for i in range(10)], recipe.samples, recipe.seed, 8)
    return PlanRecord.of(recipe, plan, model, "f" * 16, "64x32")


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(str(tmp_path))


def test_where_a_data_set_goes_and_what_failures_it_bears_is_no_part_of_its_identity():
    elsewhere = record_of(output={"root": "s3://bucket/set"}, on_error={"max_fraction": 0.5}, model="m" * 64)
    assert elsewhere.fingerprint() == record_of().fingerprint()


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"samples": 21}, {"edits": []}, {"source": {"format": "streetscapes", "scenes": 11}}]
)
def test_everything_else_is(change):
    assert record_of(**change).fingerprint() != record_of().fingerprint()


def test_a_plan_comes_back_from_its_file_and_is_agreed_with(store):
    settle_plan(store, record_of())
    before = store.read(".synthgen/plan.json")
    settle_plan(store, record_of())
    assert read_plan_record(store) == record_of()
    assert store.read(".synthgen/plan.json") == before


def test_other_inputs_are_refused_with_every_difference(store):
    settle_plan(store, record_of())
    message = (
        f"{store.url}: holds a data set made from other inputs; give another output.root, or undo:\n"
        "  recipe.samples: was 20, now 30\n"
        "  recipe.edits[0].probability: was 1.0, now 0.5\n"
        '  model: was "mmmmmmmmmmmm…, now "nnnnnnnnnnnn…'
    )
    edits = [{**RECIPE["edits"][0], "probability": 0.5}]
    with pytest.raises(RunError, match=f"^{re.escape(message)}$"):
        settle_plan(store, record_of(model="n" * 64, samples=30, edits=edits))


def test_what_is_gone_is_said_to_be_gone():
    assert '  recipe.edits[0].op: was "swap_class", now not there' in differences(record_of(), record_of(edits=[]))


def test_a_plan_changed_by_hand_is_refused(store):
    store.write_atomic(".synthgen/plan.json", record_of().to_json().replace(b'"samples": 20', b'"samples": 25'))
    message = f"{store.url}/.synthgen/plan.json: changed by hand: its fingerprint does not fit its content"
    with pytest.raises(StorageError, match=f"^{re.escape(message)}$"):
        read_plan_record(store)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"fingerprint": 1, "recipe": 2}'])
def test_what_is_no_plan_is_refused(store, data):
    store.write_atomic(".synthgen/plan.json", data)
    message = f"{store.url}/.synthgen/plan.json: not a plan; was it written by something else?"
    with pytest.raises(StorageError, match=f"^{re.escape(message)}$"):
        read_plan_record(store)
