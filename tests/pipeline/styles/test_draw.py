import json
from dataclasses import replace

import numpy as np
import pytest

from generators.style import StyleKind
from label_editing.scene import Scene
from pipeline.styles.bank import StyleBank
from pipeline.styles.draw import check_picks, draw_style, replay_style
from pipeline.styles.picks import StylePick

NIGHT = {"attribute": {"time_of_day": "night"}}


def drawn(bank: StyleBank, scene: Scene, seed: int, *picks: dict) -> list[dict]:
    return draw_style(bank, [StylePick.model_validate(p) for p in picks], scene, np.random.default_rng(seed))[1]


@pytest.mark.parametrize("seed", range(20))
def test_a_coherent_night_never_meets_a_day_look(bank: StyleBank, scene: Scene, seed: int) -> None:
    records = drawn(bank, scene, seed, {"pick": NIGHT, "coherent": True})
    assert {r["id"] for r in records} == {1, 2, 3000, 3001}
    assert all(r["vector"][0] == -1 for r in records)
    assert len({r["image"] for r in records if r["class"] != "car"}) == 1


@pytest.mark.parametrize("seed", range(20))
def test_without_a_line_a_scene_still_looks_like_one_hour(bank: StyleBank, scene: Scene, seed: int) -> None:
    assert len({r["vector"][0] for r in drawn(bank, scene, seed)}) == 1


def test_independent_draws_do_mix(bank: StyleBank, scene: Scene) -> None:
    hours = [{r["vector"][0] for r in drawn(bank, scene, s, {"pick": "random"})} for s in range(20)]
    assert {-1.0, 1.0} in hours


def test_an_attribute_pick_takes_the_looks_of_such_images(bank: StyleBank, scene: Scene) -> None:
    for seed in range(20):
        assert all(r["vector"][0] == -1 and r["image"] for r in drawn(bank, scene, seed, {"pick": NIGHT}))


def test_a_class_the_lending_image_lacks_is_filled_from_the_image_most_like_it(bank: StyleBank, scene: Scene) -> None:
    records = drawn(bank, scene, 0, {"pick": {"like": "image1"}})
    assert {r["image"] for r in records if r["class"] != "car"} == {"image1"}
    assert {r["image"] for r in records if r["class"] == "car"} == {"image3"}


def test_a_later_line_overrides_an_earlier_one_for_its_classes_only(bank: StyleBank, scene: Scene) -> None:
    records = drawn(bank, scene, 1, {"pick": NIGHT, "coherent": True}, {"classes": ["car"], "pick": {"cluster": 1}})
    assert {(r["class"], r["vector"][0]) for r in records} == {("road", -1), ("sky", -1), ("car", 1)}


def test_source_takes_the_scenes_own_image_and_else_one_of_its_hour(bank: StyleBank, scene: Scene) -> None:
    own = drawn(bank, replace(scene, key="image4"), 0, {"pick": "source"})
    assert {r["image"] for r in own} == {"image4"}
    foreign = drawn(bank, scene, 0, {"pick": "source"})
    assert all(r["vector"][0] == -1 for r in foreign)


def test_random_draws_clusters_by_size_and_uniform_does_not(bank: StyleBank, scene: Scene) -> None:
    heavy = replace(bank, clusters=tuple(replace(c, size=99 if c.number else 1) for c in bank.clusters))
    share = {
        pick: np.mean([r["cluster"] for s in range(200) for r in drawn(heavy, scene, s, {"pick": pick})])
        for pick in ("random", "uniform")
    }
    assert share["random"] > 0.95
    assert 0.4 < share["uniform"] < 0.6


def test_a_tag_leads_to_the_clusters_that_carry_it(bank: StyleBank, scene: Scene) -> None:
    tagged = bank.tagged(3, 0, ["lit"])
    for seed in range(10):
        records = drawn(tagged, scene, seed, {"classes": ["car"], "pick": {"tag": "lit"}})
        assert {r["cluster"] for r in records if r["class"] == "car"} == {0}


def test_a_class_without_any_look_keeps_zeros(bank: StyleBank, scene: Scene) -> None:
    members = bank.members
    keep = members.class_id != 2
    without_sky = replace(
        bank,
        clusters=tuple(c for c in bank.clusters if c.class_id != 2),
        members=type(members)(
            *(getattr(members, f)[keep] for f in ("image", "class_id", "cluster", "size", "vectors"))
        ),
    )
    sky = next(r for r in drawn(without_sky, scene, 0) if r["class"] == "sky")
    assert sky == {"id": 2, "class": "sky", "cluster": -1, "image": "", "vector": [0.0, 0.0]}


def test_records_replay_the_style_to_the_bit_through_json(bank: StyleBank, scene: Scene) -> None:
    style, records = draw_style(bank, [], scene, np.random.default_rng(3))
    again = replay_style(json.loads(json.dumps(records)))
    assert style.ids.tolist() == again.ids.tolist()
    assert style.vectors.tobytes() == again.vectors.tobytes()


def test_the_same_seed_draws_the_same(bank: StyleBank, scene: Scene) -> None:
    assert drawn(bank, scene, 5, {"pick": "random"}) == drawn(bank, scene, 5, {"pick": "random"})


def test_noise_is_one_vector_for_the_image_and_its_own_for_named_classes(scene: Scene) -> None:
    bank = StyleBank(StyleKind.NOISE, 8)
    style, _ = draw_style(bank, [], scene, np.random.default_rng(0))
    assert style.ids is None
    assert style.vectors.shape == (1, 8)
    records = drawn(bank, scene, 0, {"classes": ["car"], "pick": "random"})
    assert len({tuple(r["vector"]) for r in records}) == 3


def test_a_global_style_is_the_code_of_one_image(bank: StyleBank, scene: Scene) -> None:
    road = bank.members.class_id == 1
    whole = replace(
        bank,
        kind=StyleKind.GLOBAL,
        clusters=tuple(replace(c, class_id=-1) for c in bank.clusters if c.class_id == 1),
        members=type(bank.members)(
            bank.members.image[road],
            np.full(6, -1, np.int32),
            bank.members.cluster[road],
            bank.members.size[road],
            bank.members.vectors[road],
        ),
    )
    style, records = draw_style(whole, [StylePick(pick=NIGHT)], scene, np.random.default_rng(0))
    assert style.ids is None
    assert style.vectors[0, 0] == -1
    assert replay_style(records).vectors.tobytes() == style.vectors.tobytes()


def test_a_family_without_styles_gives_none(scene: Scene) -> None:
    assert draw_style(StyleBank(StyleKind.NONE, 0), [], scene, np.random.default_rng(0)) == (None, [])


@pytest.mark.parametrize(
    ("pick", "problem"),
    [
        ({"tag": "lti"}, "styles[0].pick.tag: unknown tag 'lti'; did you mean 'lit'?"),
        ({"like": "imag1"}, "styles[0].pick.like: unknown training image 'imag1'; did you mean 'image1'?"),
        (
            {"attribute": {"time_of_day": "nigth"}},
            "styles[0].pick.attribute.time_of_day: unknown value 'nigth'; did you mean 'night'?",
        ),
        (
            {"attribute": {"time_of_dya": "night"}},
            "styles[0].pick.attribute: unknown attribute 'time_of_dya'; did you mean 'time_of_day'?",
        ),
    ],
)
def test_check_names_what_the_bank_does_not_have(bank: StyleBank, pick: dict, problem: str) -> None:
    assert check_picks(bank.tagged(3, 0, ["lit"]), [StylePick(pick=pick)]) == [problem]


def test_a_cluster_number_cannot_be_coherent() -> None:
    with pytest.raises(ValueError, match="a cluster number belongs to one class; it cannot be coherent over classes"):
        StylePick(pick={"cluster": 1}, coherent=True)


@pytest.mark.parametrize("pick", ["source", {"tag": "night"}])
def test_a_model_without_a_bank_says_how_to_get_one(pick) -> None:
    (problem,) = check_picks(StyleBank(StyleKind.NOISE, 8), [StylePick(pick=pick)])
    said = pick if isinstance(pick, str) else str(pick)
    assert problem == (
        f"styles[0].pick: this model has no style bank, so it cannot give {said}; "
        "fit one with `synthgen styles fit`, or use 'random'"
    )
