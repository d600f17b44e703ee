"""seen.png: the label map without what the image does not show, from the recipe to trainers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from generators.inference import Renderer
from generators.segmenter import to_network
from pipeline.augment.editing import Editor
from pipeline.augment.gate import Gate, judging_for
from pipeline.augment.prepare import prepare
from pipeline.augment.rendering import render_inputs, to_input
from pipeline.augment.rows import Judged
from pipeline.augment.run import with_context
from pipeline.augment.usual import knowing_the_usual
from pipeline.cli import main
from pipeline.console import Console, ProgressMode
from pipeline.errors import ConfigError, InputError
from pipeline.evaluation.judge import JudgeSettings
from pipeline.recipe import load_recipe
from pipeline.shards.pixels import decode_labels
from pipeline.shards.reader import open_dataset
from pipeline.shards.sample import decode_sample
from pipeline.shards.tar import read_samples
from pipeline.sources.webdataset import WebdatasetConfig
from pipeline.storage import Store

QUIET = Console(quiet=True, mode=ProgressMode.OFF)
ROAD, CAR, VOID = 7, 26, 0


def without_cars(images, labels):
    """A judge that finds everything but cars, and the left half of every image alone."""
    masks = [each != CAR for each in labels]
    for mask in masks:
        mask[:, mask.shape[1] // 2 :] = False
    return [Judged(float(mask.mean()), mask) for mask in masks]


@pytest.fixture
def made(recipe_file, make_here):
    """A data set whose images show no car and nothing on the right."""
    return make_here(load_recipe(recipe_file, ["quality.max_surprise=3", "samples=4"]), without_cars)


def samples(store):
    files = [file.path for file in store.list("shards")]
    return [decode_sample(*each) for path in files for each in read_samples(store.read(path))]


def test_labels_that_the_image_does_not_show_are_void_in_seen_png_alone(made):
    shown = samples(made)
    assert len(shown) == 4
    assert any((sample.labels == CAR).any() for sample in shown)
    for sample in shown:
        expected = np.where(sample.labels == CAR, VOID, sample.labels)
        expected[:, expected.shape[1] // 2 :] = VOID
        np.testing.assert_array_equal(sample.seen, expected)


@pytest.mark.parametrize("command", [["verify"], ["replay"]])
def test_such_a_data_set_verifies_and_replays(made, command):
    key = [samples(made)[0].key] if command == ["replay"] else []
    with pytest.raises(SystemExit) as end:
        main([*command, made.url, *key])
    assert end.value.code == 0


def test_a_seen_label_that_is_another_one_is_found(made, monkeypatch):
    from pipeline.shards import check

    [sample, *_] = samples(made)
    seen = np.where(sample.seen == VOID, np.uint8(ROAD), sample.seen)
    others = int(((seen != sample.labels) & (seen != VOID)).sum())
    index = check.read_index(made)
    monkeypatch.setattr(check, "decode_sample", lambda key, fields: sample.__class__(**{**vars(sample), "seen": seen}))
    shard = next(iter(index.shards))
    said = check.check_shard(made, index, shard).problems
    assert f"seen.png has another label than seg.png, and not void, on {others} pixels" in said[0]


def test_trainers_and_sources_take_the_seen_labels_where_asked(made):
    by_key = {sample.key: sample for sample in samples(made)}
    for sample in open_dataset(made.url, seen=True):
        np.testing.assert_array_equal(sample["labels"], by_key[sample["key"]].seen)
    for sample in open_dataset(made.url):
        np.testing.assert_array_equal(sample["labels"], by_key[sample["key"]].labels)
    source = WebdatasetConfig(root=made.url, labels="seen").open()
    for key in source.keys():
        scene = source.read_scene(key)
        np.testing.assert_array_equal(scene.labels, by_key[key].seen)
        assert set(np.unique(scene.instances)) <= {*np.unique(by_key[key].instances), VOID}
        assert not (scene.instances[scene.labels == VOID] != VOID).any()


def test_the_report_says_how_much_images_show(made):
    labelled = [sample.labels != VOID for sample in samples(made)]
    kept = sum(int((sample.seen != VOID).sum()) for sample in samples(made))
    page = made.read("report.html").decode()
    assert "labels kept in seen.png" in page
    assert f"{kept / sum(int(mask.sum()) for mask in labelled):.0%}" in page


def test_what_has_no_seen_labels_says_what_makes_them(recipe_file, make_here):
    store = make_here(load_recipe(recipe_file, ["samples=4"]))
    assert all(sample.seen is None for sample in samples(store))
    with pytest.raises(InputError, match=r"has no seen\.png; a recipe with quality\.max_surprise makes it"):
        next(iter(open_dataset(store.url, seen=True)))
    with pytest.raises(InputError, match=r"hold no <key>\.seen\.png, which a recipe with quality\.max_surprise makes"):
        WebdatasetConfig(root=store.url, labels="seen").open()


def test_a_label_is_seen_where_it_surprises_no_more_than_so_often_the_usual(recipe_file, monkeypatch, tmp_path):
    monkeypatch.setattr(JudgeSettings.__init__, "__defaults__", ("small", 2, 2, 8, 0))
    job, _ = prepare(load_recipe(recipe_file, ["quality.max_surprise=1.01", "samples=6"]))
    store = Store(str(tmp_path / "out"))
    job = with_context(job, store)
    gate = knowing_the_usual(judging_for(job, QUIET, str(tmp_path / "judges")), job, store)
    judge, renderer = gate.judge, Renderer(job.model.load_generator())

    def surprise(image, labels):
        """From the probabilities, pixel by pixel."""
        with torch.inference_mode():
            shares = judge.network(to_network(image[None]))[0, :, :32, :64].softmax(0).numpy()
        channels = judge.catalog.channel_of[labels].astype(np.int64)
        return -np.log(np.take_along_axis(shares, channels[None], 0)[0])

    edited = [slot.sample for slot in Editor(job)(list(range(6)))]
    labels = [decode_labels(sample.labels_png) for sample in edited]
    images = [render_inputs(renderer, [to_input(sample, job.model.catalog)])[0] for sample in edited]
    surprises = [surprise(*pair) for pair in zip(images, labels, strict=True)]
    of_road = np.concatenate([s[ids == ROAD] for s, ids in zip(surprises, labels, strict=True)])
    [judged, *_] = gate(np.stack(images), labels)
    assert judged.agreement == judge.agreement(images[0], labels[0])
    road = labels[0] == ROAD
    np.testing.assert_array_equal(judged.seen[road], surprises[0][road] <= 1.01 * of_road.mean())
    assert 0 < judged.seen[road].mean() < 1
    void = np.zeros_like(labels[0])
    assert gate(images[0][None], [void])[0].seen.all(), "void is left as it is"
    # Whoever goes on with the run takes what was found, and another plan finds its own.
    monkeypatch.setattr("pipeline.augment.usual.each", lambda *_: pytest.fail("looked again"))
    again = knowing_the_usual(judging_for(job, QUIET, str(tmp_path / "judges")), job, store)
    np.testing.assert_array_equal(again.bearable, gate.bearable)
    with pytest.raises(pytest.fail.Exception, match="looked again"):
        knowing_the_usual(Gate(judge), replace(job, plan_fingerprint="another"), store)


def test_what_the_judge_is_sure_of_stays_and_what_no_sample_had_too(recipe_file, monkeypatch, tmp_path):
    job, _ = prepare(load_recipe(recipe_file, ["quality.max_surprise=1.5", "samples=6"]))
    store = Store(str(tmp_path / "out"))
    usual = np.full(job.model.catalog.num_channels, 1e-6)
    usual[2] = np.inf
    monkeypatch.setattr("pipeline.augment.usual._measured", lambda *_: usual)
    monkeypatch.setattr(JudgeSettings.__init__, "__defaults__", ("small", 2, 2, 8, 0))
    judging = judging_for(job, QUIET, str(tmp_path / "judges"))
    expected = np.where(np.isinf(usual), 0, 0.9)
    expected[list(judging.judge.ignored)] = 0
    for _ in range(2):  # found, then read again
        np.testing.assert_allclose(np.exp(-knowing_the_usual(judging, job, store).bearable), expected)
    path = tmp_path / "out" / ".synthgen" / "usual-surprise.json"
    path.write_bytes(path.read_bytes()[:40])
    assert knowing_the_usual(judging, job, store).bearable[2] == np.inf, "what was cut short is found again"


def test_recipes_that_ask_for_no_seen_labels_keep_their_fingerprint(recipe_file):
    plain = load_recipe(recipe_file).value
    asking = load_recipe(recipe_file, ["quality.max_surprise=3"]).value
    assert "max_surprise" not in plain.fingerprint_text()
    assert "judge_steps" not in plain.fingerprint_text()
    assert plain.fingerprint() != asking.fingerprint()


def test_a_catalog_without_void_is_refused_at_its_place(recipe_file, monkeypatch):
    from label_editing.catalog import Catalog

    monkeypatch.setattr(Catalog, "void_ids", property(lambda _: ()))
    with pytest.raises(ConfigError) as error:
        prepare(load_recipe(recipe_file, ["quality.max_surprise=3"]))
    assert "quality.max_surprise: catalog cityscapes has no void class to write in place of a label" in str(error.value)


def test_a_judge_of_more_steps_is_another_one_and_another_plan(recipe_file):
    records = [
        prepare(load_recipe(recipe_file, ["quality.max_surprise=3", *more]))[1]
        for more in ([], ["quality.judge_steps=9"])
    ]
    assert records[0].judge != records[1].judge
    assert records[0].fingerprint() != records[1].fingerprint()
