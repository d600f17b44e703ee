"""The judge finds labels again, is kept, reads lazily, and refuses what it cannot learn from."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from generators.checkpoint import save_weights
from pipeline.cli import main
from pipeline.errors import InputError, SourceError
from pipeline.evaluation.held_out import check_apart, check_pairs
from pipeline.evaluation.judge import Judge, JudgeSettings, judge_for, train_judge
from pipeline.evaluation.judge_page import judge_page
from pipeline.evaluation.judge_result import measure_judge
from pipeline.evaluation.mapped import MappedSource
from pipeline.judge_card import read_judge_card
from pipeline.resolution import Resolution
from pipeline.sources.streetscapes import StreetscapesConfig
from pipeline.storage import Store

SIZE = Resolution(48, 32)
QUICK = JudgeSettings(steps=2, batch_size=2, width=8)


def test_judge_finds_the_labels_of_a_true_image_and_not_those_of_a_false_one(judge, make_world):
    key = "flat09"
    scene, image = make_world(10).read(key, SIZE)
    assert judge.agreement(image, scene.labels) > 0.95
    assert judge.agreement(image[:, ::-1], scene.labels[::-1]) < 0.5


def test_agreements_of_a_batch_are_those_of_its_images(judge, make_world):
    pairs = [make_world(9).read(key, SIZE) for key in ("flat06", "flat07", "flat08")]
    images = np.stack([pair.image for pair in pairs])
    labels = [pair.scene.labels for pair in pairs]
    each = [judge.agreement(image, ids) for image, ids in zip(images, labels, strict=True)]
    assert judge.agreements(images, labels) == pytest.approx(each)


def test_scores_on_held_out_pairs_are_counted_over_all_their_pixels(judge, make_world, quiet):
    held_out = make_world(9)
    right = all_pixels = 0
    for key in held_out.keys():
        scene, image = held_out.read(key, SIZE)
        counted = scene.labels != 9  # void
        found = np.array([spec.id for spec in judge.catalog.classes])[judge.predict(image[None])[0]]
        right, all_pixels = right + (found == scene.labels)[counted].sum(), all_pixels + counted.sum()
    assert measure_judge(judge, held_out, quiet).scores.pixel_accuracy == pytest.approx(right / all_pixels)


def test_void_pixels_do_not_count_and_a_void_map_agrees(judge, make_world):
    scene, image = make_world().read("flat00", SIZE)
    spoilt = image.copy()
    spoilt[scene.labels == 9] = 255 - spoilt[scene.labels == 9]
    assert judge.agreement(image, np.full_like(scene.labels, 9)) == 1.0
    assert judge.agreement(spoilt, scene.labels) > 0.9


def test_a_trained_judge_is_kept_and_opened_again_with_the_same_opinions(tmp_path, world, quiet):
    cache = Store(str(tmp_path))
    first = judge_for(world, SIZE, QUICK, cache, quiet)
    world.reads.clear()
    second = judge_for(world, SIZE, QUICK, cache, quiet)
    assert world.reads == []
    image = world.read_image("flat00", SIZE)
    assert (first.predict(image[None]) == second.predict(image[None])).all()
    assert (tmp_path / first.fingerprint / "judge.json").exists()


def test_a_judge_that_is_kept_says_what_it_learned_from(tmp_path, world, quiet):
    judge = judge_for(world, SIZE, QUICK, Store(str(tmp_path)), quiet)
    said = json.loads((tmp_path / judge.fingerprint / "judge.json").read_text())
    source = {"format": world.format, "split": world.split, "pairs": 6, "fingerprint": world.fingerprint()}
    assert (said["source"], said["settings"]["steps"], said["resolution"]) == (source, 2, "48x32")


def test_worst_scenes_come_first_and_no_scene_is_shown_twice(judge, make_world, quiet):
    class Spoilt(make_world):
        """Its first scene shows the colours of no class."""

        def read_image(self, key, resolution=None):
            image = super().read_image(key, resolution)
            return 255 - image if key == "flat00" else image

    found = measure_judge(judge, Spoilt(6), quiet)
    worst, best = found.extremes()
    assert (worst[0], len(worst), len(best)) == ("flat00", 4, 2)
    assert sorted((*worst, *best)) == sorted(found.agreements)


def test_a_scene_in_which_nothing_counts_is_left_out_and_noted(judge, make_world, quiet):
    class Void(make_world):
        def read_scene(self, key, resolution=None):
            scene = super().read_scene(key, resolution)
            return replace(scene, labels=np.full_like(scene.labels, 9), instances=None) if key == "flat00" else scene

    found = measure_judge(judge, Void(3), quiet)
    assert list(found.agreements) == ["flat01", "flat02"]
    assert found.notes == ("1 of 3 label maps have no pixel that counts, and are left out",)


def test_a_published_judge_is_not_said_to_have_learned_here(judge, make_world, quiet):
    found, held_out = measure_judge(judge, make_world(3), quiet), make_world(3)
    page = judge_page("flat", found, judge, None, make_world(5), held_out, {}).to_html()
    assert "The judge is a published network. It was shown the photographs of 3 held-out scenes." in page
    assert "learned from" not in page
    assert "one seed" not in page
    few = JudgeSettings(steps=2, batch_size=2)
    trained = judge_page("flat", found, judge, few, make_world(5), held_out, {}).to_html()
    assert "The judge learned from 4 pictures, drawn among 5 real pairs, and was shown the" in trained
    trained = judge_page("flat", found, judge, JudgeSettings(), make_world(5), held_out, {}).to_html()
    assert "The judge learned from 5 real pairs, and was shown the photographs of 3 held-out scenes." in trained
    assert "700 of 8 images" in trained


def test_another_source_size_or_setting_is_another_judge(tmp_path, world, make_world, quiet):
    cache = Store(str(tmp_path))
    kept = {
        judge_for(world, SIZE, QUICK, cache, quiet).fingerprint,
        judge_for(make_world(7), SIZE, QUICK, cache, quiet).fingerprint,
        judge_for(world, Resolution(32, 32), QUICK, cache, quiet).fingerprint,
        judge_for(world, SIZE, JudgeSettings(steps=3, batch_size=2, width=8), cache, quiet).fingerprint,
    }
    assert len(kept) == 4


def test_a_damaged_judge_says_what_to_remove(tmp_path, world, quiet):
    cache = Store(str(tmp_path))
    judge = judge_for(world, SIZE, QUICK, cache, quiet)
    (tmp_path / judge.fingerprint / "segmenter.safetensors").write_bytes(b"x")
    with pytest.raises(InputError, match=r"; remove that folder to train it again$"):
        judge_for(world, SIZE, QUICK, cache, quiet)


def test_training_reads_only_the_pairs_it_draws(make_world, quiet):
    large = make_world(99)
    train_judge(large, SIZE, QUICK, quiet)
    assert len(set(large.reads)) <= QUICK.steps * QUICK.batch_size


def test_a_source_of_one_pair_is_refused(make_world, quiet):
    with pytest.raises(SourceError, match=r"^the source has 1 pair; a judge is trained on at least 2$"):
        train_judge(make_world(1), SIZE, QUICK, quiet)


def test_a_source_without_images_is_refused(make_world, quiet):
    with pytest.raises(SourceError, match=r"the source has no image for this label map; training needs both$"):
        train_judge(make_world(images=False), SIZE, QUICK, quiet)


def test_an_unknown_segmenter_is_told_the_nearest_name(tmp_path, world, quiet):
    with pytest.raises(InputError, match=r"^unknown segmenter 'segfromer'; did you mean 'segformer'\?$"):
        judge_for(world, SIZE, JudgeSettings(segmenter="segfromer"), Store(str(tmp_path)), quiet)


def test_a_checkpoint_that_is_not_there_is_named(tmp_path, world, quiet):
    missing = str(tmp_path / "none")
    with pytest.raises(InputError, match=r"neither small, segformer nor a SegFormer checkpoint: "):
        judge_for(world, SIZE, JudgeSettings(segmenter=missing), Store(str(tmp_path)), quiet)


def tiny_segformer(num_labels: int):
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    config = SegformerConfig(
        num_labels=num_labels, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], decoder_hidden_size=8
    )
    config.num_attention_heads = [1, 1, 1, 1]
    return SegformerForSemanticSegmentation(config)


def test_segformer_is_trained_from_scratch_behind_the_same_interface(tmp_path, world, quiet):
    settings = JudgeSettings(segmenter="segformer", steps=1, batch_size=2)
    judge = judge_for(world, SIZE, settings, Store(str(tmp_path)), quiet)
    found = judge.predict(world.read_image("flat00", Resolution(45, 31))[None])
    assert found.shape == (1, 31, 45)
    assert [level.shape[1] for level in judge.features(np.zeros((1, 64, 64, 3), np.uint8))] == [32, 64, 160, 256]


def test_a_published_checkpoint_is_read_by_path_and_its_train_ids_become_channels(tmp_path, world, quiet):
    tiny_segformer(3).save_pretrained(tmp_path / "tiny")
    settings = JudgeSettings(segmenter=str(tmp_path / "tiny"))
    judge: Judge = judge_for(world, SIZE, settings, Store(str(tmp_path / "cache")), quiet)
    found = judge.predict(world.read_image("flat00", SIZE)[None])
    assert judge.ignored == (3,)
    assert set(np.unique(found)) <= {0, 1, 2}
    assert not (tmp_path / "cache").exists()


def test_a_checkpoint_of_another_label_space_is_refused(tmp_path, world, quiet):
    tiny_segformer(5).save_pretrained(tmp_path / "tiny")
    with pytest.raises(InputError, match=r"has 5 classes, catalog flat has 3 train ids; give a checkpoint of this"):
        judge_for(world, SIZE, JudgeSettings(segmenter=str(tmp_path / "tiny")), Store(str(tmp_path)), quiet)


WORLD = ("road", "sky", "car", "void")
STREETS = "{format: streetscapes, scenes: 3}"


def run_command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["evaluate", "judge", STREETS, "--steps", "2", "--resolution", "64x32", "--width", "8", "-q", *arguments])
    return int(left.value.code or 0)


def test_the_command_teaches_measures_and_says_where_the_weights_are(tmp_path, capsys):
    out = tmp_path / "result"
    asked = ["--holdout", "{format: streetscapes, split: val, scenes: 2}", "--judges", str(tmp_path)]
    asked += ["--out", str(out)]
    assert run_command(*asked, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["weights"] == f"{tmp_path}/{said['judge']}/segmenter.safetensors"
    assert 0 <= said["scores"]["mean_iou"] <= 1
    kept = json.loads((out / "result.json").read_text())
    assert (kept["kind"], kept["judge"], kept["scores"]) == ("judge", said["judge"], said["scores"])
    page = (out / "index.html").read_text()
    assert "<h1>Judge of cityscapes</h1>" in page
    assert page.count("<img ") == 2 * 3
    assert "The judge learned from 3 real pairs, and was shown" in page
    assert '<i class="chip" style="background:rgb(128 64 128)"></i>road</span>' in page
    trained_at = Path(said["weights"]).stat().st_mtime_ns
    assert run_command(*asked) == 0
    out = capsys.readouterr().out
    assert "2 held-out scenes\n" in out
    assert out.endswith(f"weights  {said['weights']}\n")
    assert Path(said["weights"]).stat().st_mtime_ns == trained_at


def test_the_command_refuses_what_it_cannot_measure_before_it_trains(tmp_path, capsys):
    judges = tmp_path / "judges"
    assert run_command("--judges", str(judges), "--resolution", "64") == 2
    assert capsys.readouterr().err.startswith("error: --resolution: ")
    (tmp_path / "file").write_text("")
    val = "{format: streetscapes, split: val, scenes: 2}"
    assert run_command("--judges", str(judges), "--holdout", val, "--out", str(tmp_path / "file" / "out")) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}/file/out: cannot write: ")
    assert run_command("--judges", str(tmp_path / "file" / "judges"), "--holdout", val) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}/file/judges: cannot write: ")
    other = tmp_path / "camvid"
    for folder in ("val", "valannot"):
        (other / folder).mkdir(parents=True)
    encode = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    (other / "val" / "a.png").write_bytes(encode)
    (other / "valannot" / "a.png").write_bytes(cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes())
    held_out = f"{{format: camvid, root: '{other}', split: val}}"
    assert run_command("--judges", str(judges), "--holdout", held_out) == 2
    assert "error: the held-out source has catalog camvid, measured is in catalog cityscapes" in capsys.readouterr().err
    assert not judges.exists()


def test_the_command_refuses_held_out_scenes_that_it_learns_from_before_it_trains(tmp_path, capsys):
    judges = tmp_path / "judges"
    assert run_command("--judges", str(judges), "--holdout", STREETS) == 2
    said = "error: the held-out source shares scenes with the real one; give another split or selection\n"
    assert capsys.readouterr().err == said
    assert not judges.exists()


def test_the_command_refuses_label_maps_without_images_before_it_looks_at_any(tmp_path, capsys):
    for folder in ("train", "trainannot", "val", "valannot"):
        (tmp_path / folder).mkdir()
    for name in ("a", "b"):
        (tmp_path / "trainannot" / f"{name}.png").write_bytes(
            cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes()
        )
    (tmp_path / "val" / "c.png").write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    (tmp_path / "valannot" / "c.png").write_bytes(cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes())
    source, held_out = (f"{{format: camvid, root: '{tmp_path}', split: {split}}}" for split in ("train", "val"))
    with pytest.raises(SystemExit) as left:
        main(["evaluate", "judge", source, "--holdout", held_out, "--judges", str(tmp_path / "judges")])
    assert left.value.code == 2
    assert capsys.readouterr().err == "error: the source has 0 pairs; a judge is trained on at least 2\n"


def test_a_place_for_what_is_not_measured_is_refused(tmp_path, capsys):
    assert run_command("--judges", str(tmp_path), "--out", str(tmp_path / "out")) == 2
    said = "error: --out is where what was measured goes: give --holdout, the pairs to measure it on\n"
    assert capsys.readouterr().err == said


def test_held_out_images_that_were_learned_from_are_noted_where_the_numbers_are(tmp_path, capsys):
    copied = tmp_path / "copied"
    source = StreetscapesConfig(format="streetscapes", scenes=3).open()
    for folder in ("images", "labels"):
        (copied / folder).mkdir(parents=True)
    for number, key in enumerate(source.keys()):
        scene, image = source.read(key, Resolution(64, 32))
        cv2.imwrite(str(copied / "images" / f"other{number}.png"), image[..., ::-1])
        cv2.imwrite(str(copied / "labels" / f"other{number}.png"), scene.labels)
    held_out = (
        f"{{format: folder, root: '{copied}', images: 'images/*.png', labels: 'labels/*.png', catalog: cityscapes}}"
    )
    asked = ["--holdout", held_out, "--judges", str(tmp_path / "judges"), "--out", str(tmp_path / "out")]
    assert run_command(*asked, "--json") == 0
    out, err = capsys.readouterr()
    said = "3 of 3 held-out images show what images that are learned from show, perhaps mirrored or exposed anew ("
    assert f"warning: {said}" in err
    assert json.loads(out)["notes"][0].startswith(said)
    assert said in (tmp_path / "out" / "index.html").read_text()


def test_held_out_scenes_must_be_pairs(make_world):
    class Bare(make_world):
        def has_image(self, key: str) -> bool:
            return False

    class Unpaired(make_world):
        paired = False

    check_pairs(make_world(3))
    with pytest.raises(SourceError, match=r"^the held-out source: none of its 3 label maps has an image$"):
        check_pairs(Bare(3))
    with pytest.raises(SourceError, match=r"none of its 3 label maps has an image$"):
        check_pairs(MappedSource(Bare(3), make_world.catalog, {name: name for name in WORLD}))
    for source in (Unpaired(3), MappedSource(Unpaired(3), make_world.catalog, {name: name for name in WORLD})):
        with pytest.raises(SourceError, match=r"^the held-out source: its images do not show its label maps; give pai"):
            check_pairs(source)


def test_the_weights_of_a_judge_say_whose_they_are(tmp_path, capsys):
    assert run_command("--judges", str(tmp_path), "--seed", "5", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    card = read_judge_card(said["weights"])
    assert (card.judge, card.seed, card.classes[:2]) == (said["judge"], 5, ("unlabeled", "ego vehicle"))


def test_weights_that_generators_do_not_learn_from_are_not_offered(tmp_path, capsys):
    assert run_command("--judges", str(tmp_path), "--segmenter", "segformer", "--json") == 0
    judge = json.loads(capsys.readouterr().out)
    assert set(judge) == {"judge"}
    assert run_command("--judges", str(tmp_path), "--segmenter", "segformer") == 0
    assert capsys.readouterr().out == f"judge    {tmp_path}/{judge['judge']}\n"


def test_a_judge_from_before_weights_said_whose_they_are_is_told_when_it_is_opened(tmp_path, world, quiet):
    cache = Store(str(tmp_path))
    judge = judge_for(world, SIZE, QUICK, cache, quiet)
    path = tmp_path / judge.fingerprint / "segmenter.safetensors"
    card = read_judge_card(path)
    save_weights(judge.network, path)
    assert read_judge_card(path) is None
    again = judge_for(world, SIZE, QUICK, cache, quiet)
    assert read_judge_card(path) == card
    image = world.read_image("flat00", SIZE)
    assert (again.predict(image[None]) == judge.predict(image[None])).all()


def test_held_out_scenes_are_found_among_those_learned_from_wherever_they_are(make_world):
    class Filed(make_world):
        """Scenes from files; the first lies elsewhere."""

        def __init__(self, folder: str, pairs: int = 3) -> None:
            super().__init__(pairs)
            self._folder = folder

        def files(self, key: str) -> list[str]:
            return [f"{self._folder if key == 'flat00' else 'shared'}/{key}.png"]

    with pytest.raises(InputError, match=r"shares scenes with the real one"):
        check_apart(Filed("a"), Filed("b"), SIZE)
    check_apart(Filed("a", 1), Filed("b", 1), SIZE)
    with pytest.raises(InputError, match=r"shares scenes with the real one"):
        check_apart(Filed("a"), MappedSource(Filed("a"), make_world.catalog, {name: name for name in WORLD}), SIZE)
    with pytest.raises(InputError, match=r"shares scenes with the real one"):
        check_apart(make_world(3), make_world(2), SIZE)
    check_apart(make_world(3), make_world(3, name="held"), SIZE)
