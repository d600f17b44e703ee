"""The comparison of arms: complete, resumable, grouped, and refused where it would mislead."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import InputError, RunError, SourceError
from pipeline.evaluation.arms import (
    ARMS,
    COPY_PASTE,
    MIXED,
    MIXED_COPY_PASTE,
    PHOTOMETRIC,
    REAL,
    SYNTHETIC,
    Chance,
    Materials,
    arm_batches,
    arm_named,
)
from pipeline.evaluation.downstream import (
    Budget,
    DownstreamResult,
    Trainer,
    Trial,
    gpu_share,
    on_workers,
    run_downstream,
)
from pipeline.evaluation.downstream_page import downstream_data, downstream_page, downstream_text
from pipeline.evaluation.verdict import signed
from pipeline.resolution import Resolution
from pipeline.storage import Store
from pipeline.training.data import PairReader, Views

SIZE = Resolution(48, 32)
QUICK = Budget(steps=3, batch_size=2, width=4, seeds=2)


@pytest.fixture
def trial(make_world):
    return Trial(make_world(5), make_world(4, name="synth"), make_world(4, name="held", first=20), SIZE, "time_of_day")


def test_every_arm_has_every_seed_and_every_group(trial, tmp_path, quiet):
    found = run_downstream(trial, QUICK, Store(str(tmp_path)), quiet)
    assert list(found.runs) == list(ARMS)
    assert found.num_seeds == 2
    assert found.scenes == {"all": 4, "dusk": 2, "day": 2}
    for arm in ARMS:
        assert len(found.values(arm, "dusk")) == 2
        assert len(found.values(arm, class_name="car")) == 2
    assert found.notes == ("fewer than 3 seeds: take no difference for more than a hint",)


def test_each_class_has_a_verdict_and_one_that_never_occurs_is_named(trial, make_world, tmp_path, quiet):
    class NoCars(make_world):
        def read_scene(self, key, resolution=None):
            scene = super().read_scene(key, resolution)
            labels = np.where(scene.labels == 3, np.uint8(1), scene.labels)
            return replace(scene, labels=labels, instances=None)

    some = replace(trial, holdout=NoCars(4, name="held"), arms=(REAL, MIXED), by=None)
    found = run_downstream(some, QUICK, Store(str(tmp_path)), quiet)
    data = downstream_data(found)
    assert data["absent"] == {"all": ["car"]}
    assert set(data["class_verdicts"]["all"]) == {"road", "sky"}
    road = [run["all"]["class_iou"]["road"] for run in found.runs[MIXED]]
    less = [run["all"]["class_iou"]["road"] for run in found.runs[REAL]]
    assert data["class_iou"]["all"]["road"][MIXED] == pytest.approx(sum(road) / 2)
    assert data["class_verdicts"]["all"]["road"]["points"] == pytest.approx(50 * (sum(road) - sum(less)))
    assert downstream_text(found).splitlines()[-2] == "all: never occur, left out of the mean: car"
    page = downstream_page("toy", found, {}).to_html()
    assert "Never occur, and are left out: car." in page
    assert '<th class="n"><span>real + synthetic to real</span></th>' in page


def result_of(real: list[float], mixed: list[float], **groups: tuple[list[float], list[float]]) -> DownstreamResult:
    """A result with these mean IoUs, a seed each, over all scenes and by group."""
    values = {"all": (real, mixed), **groups}
    runs = {
        arm: [
            {name: {"mean_iou": both[place][seed], "class_iou": {}, "absent": []} for name, both in values.items()}
            for seed in range(len(real))
        ]
        for place, arm in enumerate((REAL, MIXED))
    }
    return DownstreamResult(runs, QUICK, dict.fromkeys(values, 4), SIZE)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (
            result_of([0.5, 0.5, 0.5], [0.52, 0.53, 0.54]),
            "Yes: with synthetic pairs beside the real ones the network is better. "
            "Against real pairs alone, in points of mean IoU: +3.0 ± 2.5 (better).",
        ),
        (
            result_of([0.5, 0.5, 0.5], [0.48, 0.47, 0.46]),
            "No: with synthetic pairs beside the real ones the network is worse. "
            "Against real pairs alone, in points of mean IoU: -3.0 ± 2.5 (worse).",
        ),
        (
            result_of([0.5, 0.5, 0.5], [0.4, 0.5, 0.6], night=([0.1, 0.1, 0.1], [0.3, 0.3, 0.3])),
            "Not shown: what synthetic pairs beside the real ones change is within the noise. Against real pairs "
            "alone, in points of mean IoU: +0.0 ± 24.8 (within the noise) over all scenes; night +20.0 ± 0.0 (better).",
        ),
        (
            result_of([0.5], [0.6]),
            "One seed says nothing. Against real pairs alone, in points of mean IoU: +10.0.",
        ),
    ],
)
def test_the_headline_answers_whether_it_helps(result, said):
    page = downstream_page("downstream", result, {})
    assert (page.title, page.answer) == ("Does synthetic data help?", said)


def test_the_headline_names_pasting_beside_synthetic_pairs_and_alone():
    found = result_of([0.5, 0.5], [0.5, 0.5], night=([0.1, 0.1], [0.3, 0.3]))
    with_both = result_of([0.5, 0.5], [0.6, 0.6], night=([0.1, 0.1], [0.5, 0.5]))
    pasted = result_of([0.5, 0.5], [0.4, 0.6], night=([0.1, 0.1], [0.4, 0.4]))
    runs = {**found.runs, MIXED_COPY_PASTE: with_both.runs[MIXED], COPY_PASTE: pasted.runs[MIXED]}
    assert downstream_page("toy", replace(found, runs=runs), {}).answer.endswith(
        "+0.0 ± 0.0 (within the noise) over all scenes; night +20.0 ± 0.0 (better). "
        "With objects pasted in as well: +10.0 ± 0.0 (better) over all scenes; night +40.0 ± 0.0 (better). "
        "What is to beat, objects pasted into real pairs alone: +0.0 ± 127.1 (within the noise) over all scenes; night "
        "+30.0 ± 0.0 (better)."
    )


def test_a_tile_a_group_says_the_difference_and_colours_only_what_is_no_noise():
    found = result_of([0.5, 0.5, 0.5], [0.4, 0.5, 0.6], night=([0.1, 0.1, 0.1], [0.3, 0.3, 0.3]))
    assert downstream_page("toy", found, {}).tiles == [
        (
            "points of mean IoU, all scenes (4)",
            "+0.0 ± 24.8",
            "within the noise: 50.0 ± 10.0 instead of 50.0 ± 0.0",
            "",
        ),
        ("points of mean IoU, night (4)", "+20.0 ± 0.0", "better: 30.0 ± 0.0 instead of 10.0 ± 0.0", "good"),
    ]


def test_real_pairs_alone_are_a_page_without_verdicts(trial, tmp_path, quiet):
    found = run_downstream(replace(trial, arms=(REAL,), by=None), QUICK, Store(str(tmp_path)), quiet)
    page = downstream_page("toy", found, {})
    assert page.answer == ""
    assert "Only real was trained: there is nothing to compare it with." in page.to_html()


def test_a_run_again_trains_nothing_and_says_the_same(trial, tmp_path, quiet, monkeypatch):
    first = run_downstream(trial, QUICK, Store(str(tmp_path)), quiet)
    monkeypatch.setattr("pipeline.evaluation.downstream.teach", lambda *_: pytest.fail("trained again"))
    assert run_downstream(trial, QUICK, Store(str(tmp_path)), quiet) == first


def test_one_more_seed_trains_only_that_one(trial, tmp_path, quiet):
    run_downstream(replace(trial, arms=(REAL,)), QUICK, Store(str(tmp_path)), quiet)
    assert len(list(tmp_path.glob("runs/*.json"))) == 2
    run_downstream(replace(trial, arms=(REAL,)), replace(QUICK, seeds=3), Store(str(tmp_path)), quiet)
    assert len(list(tmp_path.glob("runs/*.json"))) == 3


def test_more_seeds_than_minutes_says_how_many_were_done(trial, tmp_path, quiet):
    found = run_downstream(replace(trial, arms=(REAL,)), replace(QUICK, minutes=0.0), Store(str(tmp_path)), quiet)
    assert found.num_seeds == 1
    assert found.notes[0] == "1 of 2 seeds: the 0 minutes were used up; run again to go on"


def some_chance():
    return Chance(np.random.default_rng(0), np.random.default_rng(1))


@pytest.mark.parametrize("arm", [MIXED, COPY_PASTE, PHOTOMETRIC, MIXED_COPY_PASTE])
def test_an_arm_meets_the_real_pairs_that_real_alone_meets_but_for_those_it_changes(trial, arm):
    readers = [PairReader(source, Views(SIZE), 10**7) for source in (trial.real, trial.synthetic)]
    for share in (0.0, 0.4):
        materials = Materials(*readers, trial.real.catalog, share)
        plain, others = (list(arm_batches(each, materials, 60, 1, 3)) for each in (REAL, arm))
        same = [np.array_equal(one[0], other[0]) for one, other in zip(plain, others, strict=True)]
        # Two chances to be changed where synthetic pairs get objects, and scenes that have nothing to paste elsewhere.
        kept = (1 - share) ** (2 if arm == MIXED_COPY_PASTE else 1)
        assert np.mean(same) == pytest.approx(kept, abs=0.2 if share else 0)


def test_an_arm_that_has_nothing_to_paste_says_so(trial, make_world, tmp_path, quiet):
    class Bare(make_world):
        def read_scene(self, key, resolution=None):
            return replace(super().read_scene(key, resolution), instances=None)

    bare = replace(trial, real=Bare(5), arms=(REAL, COPY_PASTE))
    found = run_downstream(bare, replace(QUICK, seeds=1), Store(str(tmp_path)), quiet)
    said = (
        "real + copy-paste: nothing is pasted, for none of 5 real pairs has an object; give a source with instance "
        "maps, or with instances: components where it takes that"
    )
    assert said in found.notes
    whole = run_downstream(replace(bare, real=trial.real), replace(QUICK, seeds=1), Store(str(tmp_path)), quiet)
    assert not any("pasted" in note for note in whole.notes)


def test_arms_draw_what_they_say(trial):
    readers = [PairReader(source, Views(SIZE), 10**7) for source in (trial.real, trial.synthetic)]
    materials = Materials(*readers, trial.real.catalog, share=0.5)
    rng = some_chance()
    trial.real.reads.clear()
    arm_named(SYNTHETIC, materials)(rng)
    assert trial.real.reads == []
    for _ in range(20):
        arm_named(MIXED, materials)(rng)
    assert trial.real.reads
    assert trial.synthetic.reads
    objects = [(arm_named(COPY_PASTE, materials)(rng).labels == 2).sum() for _ in range(30)]
    alone = [(arm_named(REAL, materials)(rng).labels == 2).sum() for _ in range(30)]
    assert np.mean(objects) > 1.2 * np.mean(alone)


@pytest.mark.parametrize(
    ("first", "last", "counts"), [(1.0, 0.0, (75, 25)), (0.0, 1.0, (25, 75)), (1.0, None, (100, 100))]
)
def test_a_share_changes_evenly_over_a_training(trial, first, last, counts):
    readers = [PairReader(source, Views(SIZE), 0) for source in (trial.real, trial.synthetic)]
    materials = Materials(*readers, trial.real.catalog, first, last)
    batches = arm_batches(MIXED, materials, 200, 1, 0)
    drawn = []
    for half in range(2):
        trial.synthetic.reads.clear()
        for _ in range(100):
            next(batches)
        # Every pair is read for its labels and for its image.
        drawn.append(len(trial.synthetic.reads) / 2)
        assert drawn[half] == pytest.approx(counts[half], abs=0 if last is None else 12)


def test_the_share_of_a_moment_lies_between_first_and_last(trial):
    materials = Materials(None, None, trial.real.catalog, 0.8, 0.2)
    assert [materials.at(progress).share for progress in (0, 0.25, 0.5, 1)] == pytest.approx([0.8, 0.65, 0.5, 0.2])
    assert replace(materials, last_share=None).at(0.7).share == 0.8


def test_runs_that_were_kept_before_shares_could_change_are_found(trial, tmp_path, quiet):
    """As they were named when there was no such option. Arms that mix drew other real pairs then, and are made anew."""
    budget = {"segmenter": "small", "steps": 3, "batch_size": 2, "width": 4}
    said = [trial.real.fingerprint(), "", trial.holdout.fingerprint(), "48x32", trial.by]
    name = hashlib.sha256(json.dumps([*said, budget]).encode()).hexdigest()[:12]
    run_downstream(replace(trial, arms=(REAL, MIXED)), replace(QUICK, seeds=1), Store(str(tmp_path)), quiet)
    assert (tmp_path / "runs" / f"real-{name}-0.json").is_file()


def test_held_out_images_that_do_not_show_their_labels_are_refused(trial, tmp_path, quiet):
    trial.holdout.paired = False
    with pytest.raises(SourceError, match=r"^the held-out source: its images do not show its label maps; give pairs$"):
        run_downstream(trial, QUICK, Store(str(tmp_path)), quiet)
    trial.real.paired = False
    with pytest.raises(SourceError, match=r"^the real source: its images do not show its label maps; give pairs$"):
        run_downstream(trial, QUICK, Store(str(tmp_path)), quiet)


def test_synthetic_pairs_of_held_out_scenes_are_noted(trial, make_world, tmp_path, quiet):
    held = trial.holdout.keys()[0]

    class MadeOf(make_world):
        def attributes(self, key):
            return {"source_key": held if key.endswith("00") else "another"}

    trial = replace(trial, arms=(REAL,), by=None)
    clean = run_downstream(trial, replace(QUICK, seeds=1), Store(str(tmp_path)), quiet)
    assert not any("held-out ones" in note for note in clean.notes)
    leaky = replace(trial, synthetic=MadeOf(4, name="made"))
    found = run_downstream(leaky, replace(QUICK, seeds=1), Store(str(tmp_path)), quiet)
    assert any(note.startswith("1 of 4 synthetic pairs were made of scenes that have the") for note in found.notes)


def test_held_out_images_that_are_learned_from_under_other_names_are_noted(trial, make_world, tmp_path, quiet, capsys):
    copied = replace(trial, holdout=make_world(8, name="held", first=3), arms=(REAL,), by=None)
    found = run_downstream(copied, replace(QUICK, seeds=1), Store(str(tmp_path)), quiet)
    said = (
        "2 of 8 held-out images show what images that are learned from show, perhaps mirrored or exposed anew "
        "(held03 like flat03, held04 like "
        "flat04): what is measured on them says little"
    )
    assert said in found.notes
    assert f"warning: {said}\n" in capsys.readouterr().err
    copied.real.reads.clear()
    again = run_downstream(copied, replace(QUICK, seeds=1), Store(str(tmp_path)), quiet)
    assert again.notes == found.notes
    assert copied.real.reads.count("flat04") == 0  # nothing is trained, and nothing looked at again


def test_runs_with_a_changing_share_are_others(trial, tmp_path, quiet):
    asked = replace(trial, arms=(REAL, MIXED))
    for budget in (QUICK, replace(QUICK, last_share=0.0), replace(QUICK, last_share=0.0)):
        run_downstream(asked, replace(budget, seeds=1), Store(str(tmp_path)), quiet)
    made = [path.name.rpartition("-")[0].rpartition("-")[0] for path in (tmp_path / "runs").iterdir()]
    assert sorted(made) == ["real", "real-synthetic", "real-synthetic"]


def test_objects_are_pasted_into_real_and_synthetic_pairs_alike(trial):
    readers = [PairReader(source, Views(SIZE), 10**7) for source in (trial.real, trial.synthetic)]
    draw = arm_named(MIXED_COPY_PASTE, Materials(*readers, trial.real.catalog, share=1.0))
    rng = some_chance()
    pasted = np.mean([(draw(rng).labels == 2).sum() for _ in range(30)])
    assert trial.synthetic.reads, "targets"
    assert trial.real.reads, "objects"
    alone = np.mean(
        [(arm_named(SYNTHETIC, Materials(*readers, trial.real.catalog, 1.0))(rng).labels == 2).sum() for _ in range(30)]
    )
    assert pasted > 1.2 * alone


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"synthetic": None}, "the arm 'synthetic' needs a synthetic data set; give --synthetic"),
        ({"arms": ("real", "sintetic")}, "unknown arm 'sintetic'; did you mean 'synthetic'?"),
        ({"arms": ("synthetic",)}, "the arm 'real' is what the others are compared with; leave it in"),
        ({"by": "time"}, "--by: unknown attribute 'time'; did you mean 'time_of_day'?"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_trained(trial, tmp_path, quiet, change, said):
    with pytest.raises(InputError) as refused:
        run_downstream(replace(trial, **change), QUICK, Store(str(tmp_path)), quiet)
    assert str(refused.value) == said
    assert not list(tmp_path.iterdir())


def test_a_group_without_labels_is_refused_before_anything_is_trained(trial, make_world, tmp_path, quiet):
    class NoLabelsAtDusk(make_world):
        def read_scene(self, key, resolution=None):
            scene = super().read_scene(key, resolution)
            if self.attributes(key)["time_of_day"] != "dusk":
                return scene
            return replace(scene, labels=np.full_like(scene.labels, 9), instances=None)

    with pytest.raises(SourceError) as refused:
        run_downstream(replace(trial, holdout=NoLabelsAtDusk(4, name="held")), QUICK, Store(str(tmp_path)), quiet)
    assert str(refused.value) == (
        "the held-out source: nothing is labelled in any of its 2 scenes with time_of_day dusk; leave them out with "
        "select or where, or label them"
    )
    assert not list(tmp_path.glob("runs/*"))


def test_held_out_labels_without_image_are_named_and_groups_count_without_them(trial, make_world, tmp_path, quiet):
    class Partly(make_world):
        def has_image(self, key):
            return key != self.keys()[0]

        def read_image(self, key, resolution=None):
            return super().read_image(key, resolution) if self.has_image(key) else None

    partly = Partly(5, name="held", first=20)
    whole = make_world(5, name="held", first=20)
    few = replace(trial, arms=(REAL,))
    found = run_downstream(replace(few, holdout=partly), QUICK, Store(str(tmp_path)), quiet)
    assert f"left out of the held-out source, for want of its other half: {partly.keys()[0]} (no image)" in found.notes
    of_day = [whole.attributes(key)["time_of_day"] for key in whole.keys()[1:]]
    assert found.scenes == {"all": 4, **{name: of_day.count(name) for name in dict.fromkeys(of_day)}}


def test_runs_say_by_what_they_were_trained_and_older_ones_are_read_without(trial, tmp_path, quiet):
    few = replace(trial, arms=(REAL,), by=None)
    found = run_downstream(few, QUICK, Store(str(tmp_path)), quiet)
    [origin] = found.trained
    assert set(origin) == {"commit", "device", "date"}
    assert downstream_data(found)["trained"] == [origin]
    one, other = sorted(tmp_path.glob("runs/*.json"))
    made = json.loads(one.read_text())
    one.write_text(json.dumps(made["scores"]))
    other.write_text(json.dumps(made | {"origin": origin | {"commit": "abc"}}))
    again = run_downstream(few, QUICK, Store(str(tmp_path)), quiet)
    assert again.values(REAL)[0] == found.values(REAL)[0]
    assert again.trained == ({}, origin | {"commit": "abc"})


def test_held_out_scenes_must_not_be_trained_on(trial, tmp_path, quiet):
    with pytest.raises(InputError, match=r"^the held-out source shares scenes with the real one; give another split"):
        run_downstream(replace(trial, holdout=trial.real), QUICK, Store(str(tmp_path)), quiet)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("real", "the real source: flat00: the source has no image for this label map; training needs both"),
        (
            "synthetic",
            "the synthetic data set: flat00: the source has no image for this label map; training needs both",
        ),
        ("holdout", "the held-out source: held00: the source has no image for this label map; training needs both"),
    ],
)
def test_labels_without_images_are_found_before_anything_is_trained(
    trial, make_world, tmp_path, quiet, monkeypatch, part, said
):
    monkeypatch.setattr("pipeline.evaluation.downstream.teach", lambda *_: pytest.fail("trained first"))
    bare = make_world(4, images=False, name="held" if part == "holdout" else "flat")
    with pytest.raises(SourceError) as refused:
        run_downstream(replace(trial, **{part: bare}), QUICK, Store(str(tmp_path)), quiet)
    assert str(refused.value) == said


def test_a_real_source_of_one_pair_is_refused(trial, make_world, tmp_path, quiet):
    with pytest.raises(SourceError, match=r"^the real source has 1 pair; training needs at least 2$"):
        run_downstream(replace(trial, real=make_world(1)), QUICK, Store(str(tmp_path)), quiet)


def run_command(*arguments: str) -> int:
    from pipeline.cli import main

    with pytest.raises(SystemExit) as left:
        main(["evaluate", "downstream", *arguments])
    return int(left.value.code or 0)


def test_the_command_writes_one_table_and_one_page(tmp_path, capsys):
    code = run_command(
        *("--real", "{format: streetscapes, scenes: 3}"),
        *("--holdout", "{format: streetscapes, split: val, scenes: 3}"),
        *("--synthetic", "{format: streetscapes, scenes: 3, seed: 9}"),
        *("--resolution", "32x16", "--steps", "1", "--batch-size", "2", "--width", "4", "--seeds", "3"),
        *("--share", "0.6", "--last-share", "0.1"),
        *("--by", "time_of_day", "--out", str(tmp_path), "-q", "--json"),
    )
    assert code == 0
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((tmp_path / "result.json").read_text())
    assert written["kind"] == "downstream"
    assert list(written["arms"]) == list(ARMS)
    assert printed["verdicts"] == written["verdicts"]
    assert (written["budget"]["share"], written["budget"]["last_share"]) == (0.6, 0.1)
    page = (tmp_path / "index.html").read_text()
    assert "re-exposed pairs where an arm mixes: 60%, changing evenly to 10%." in page
    assert "Does synthetic data help? downstream" not in page
    assert page.count("<svg") == 1
    assert all(f'<td class="name">{arm}</td>' in page for arm in ARMS)
    said = written["verdicts"]["all"]["real + synthetic"]
    assert f"Against real pairs alone, in points of mean IoU: {signed(said['points'])} ± " in page


def test_a_resolution_that_is_none_is_refused(capsys):
    source = "{format: streetscapes, scenes: 3}"
    assert run_command("--real", source, "--holdout", source, "--resolution", "wide") == 2
    assert capsys.readouterr().err == "error: --resolution: expected WIDTHxHEIGHT such as 2048x1024, found 'wide'\n"


def test_a_mistake_is_told_without_waiting_for_ray(monkeypatch, capsys):
    monkeypatch.setattr("orchestration.cluster.connect", lambda *_: pytest.fail("waited for Ray"))
    real, held_out = "{format: streetscapes, scenes: 3}", "{format: streetscapes, split: val, scenes: 3}"
    on_ray = ("--address", "ray.example:6379", "--workers", "2")
    assert run_command("--real", real, "--holdout", held_out, *on_ray, "--arm", "real", "--arm", "reall") == 2
    assert capsys.readouterr().err == "error: unknown arm 'reall'; did you mean 'real'?\n"


def test_what_was_trained_needs_no_ray(trial, tmp_path, quiet, monkeypatch):
    first = run_downstream(trial, QUICK, Store(str(tmp_path)), quiet)
    monkeypatch.setattr("orchestration.cluster.connect", lambda *_: pytest.fail("asked for Ray"))
    assert run_downstream(trial, QUICK, Store(str(tmp_path)), quiet, on_workers(2, None, quiet)) == first


def test_scores_are_kept_here_as_each_arrives(trial, tmp_path, quiet):
    trial = replace(trial, arms=(REAL, COPY_PASTE))

    def spread(trainer, runs):
        sent_function, sent = trainer.__reduce__()
        assert sent_function is Trainer
        assert not any(isinstance(part, Store) for part in sent)
        for done, run in enumerate(reversed(runs)):
            assert len(list(tmp_path.glob("runs/*.json"))) == done
            if done == 3:
                raise RunError("a worker was lost")
            yield trainer.make(run, quiet)

    with pytest.raises(RunError):
        run_downstream(trial, QUICK, Store(str(tmp_path)), quiet, spread)
    assert len(list(tmp_path.glob("runs/*.json"))) == 3

    def rest(trainer, runs):
        assert list(runs) == [(REAL, 0)]
        return (trainer.make(run, quiet) for run in runs)

    there = run_downstream(trial, QUICK, Store(str(tmp_path)), quiet, rest)
    assert there == run_downstream(trial, QUICK, Store(str(tmp_path / "here")), quiet)


@pytest.mark.parametrize(
    ("workers", "gpus", "share"), [(4, 0, 0.0), (1, 1, 1.0), (2, 4, 1.0), (4, 4, 1.0), (3, 2, 0.5), (8, 3, 1 / 3)]
)
def test_all_workers_find_a_place_on_the_gpus(workers, gpus, share):
    assert gpu_share(workers, gpus) == share


def test_the_command_leaves_ray_whatever_happens(monkeypatch, capsys):
    left = []
    monkeypatch.setattr("orchestration.cluster.shutdown", lambda: left.append(True))
    source = "{format: streetscapes, scenes: 3}"
    assert run_command("--real", source, "--holdout", source, "--workers", "2") == 2
    assert left == [True]


@pytest.mark.ray
@pytest.mark.slow
def test_trainings_on_workers_score_what_they_score_here(tmp_path, quiet):
    from orchestration.cluster import shutdown
    from pipeline.sources.streetscapes.source import StreetscapesConfig

    sources = (StreetscapesConfig(split=split, scenes=3).open() for split in ("train", "val"))
    real, held_out = sources
    trial = Trial(real, None, held_out, SIZE, arms=(REAL, COPY_PASTE))
    here = run_downstream(trial, QUICK, Store(str(tmp_path / "here")), quiet)
    try:
        spread = on_workers(2, None, quiet)
        there = run_downstream(trial, QUICK, Store(str(tmp_path / "there")), quiet, spread)
    finally:
        shutdown()
    for arm in trial.arms:
        np.testing.assert_allclose(there.values(arm), here.values(arm), atol=1e-6)
