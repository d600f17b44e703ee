"""`evaluate dataset`: a set beside real pairs, with what is wrong in it known beforehand."""

import json
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pipeline.errors import InputError, SourceError
from pipeline.evaluation.dataset import count_rejects, evaluate_dataset
from pipeline.evaluation.dataset_page import dataset_page, dataset_text
from pipeline.evaluation.duplicates import copies_between, thumbnail, twins_between, twins_within
from pipeline.storage import Store


@pytest.fixture
def spoilt(make_world):
    """Six scenes of which number 3 shows another scene, and number 5 the image of number 4."""

    class Spoilt(make_world):
        def read_image(self, key, resolution=None):
            wrong = {"made03": "made10", "made05": "made04"}.get(key, key)
            image = super().read_image(wrong, resolution)
            return image[::-1].copy() if key == "made03" else image

    return Spoilt(6, name="made")


def test_the_spoilt_sample_is_the_worst_and_the_copy_is_found(spoilt, make_world, judge, quiet):
    found = evaluate_dataset(spoilt, make_world(5, name="real"), judge, 100, quiet)
    assert found.worst[0] == "made03"
    assert [(twin.one, twin.other) for twin in found.twins] == [(5, 4)]
    assert found.twin_keys() == [("made05", "made04")]
    # The same numbers draw the same scenes: all but the two spoilt ones are copies of real images.
    assert {twin.one for twin in found.copies} >= {0, 1, 2, 4}
    assert found.made.pixels["sky"] == pytest.approx(found.real.pixels["sky"], abs=0.05)
    assert found.made.instances == {"car": 1.0}
    assert not any("instance maps" in note for note in found.notes)
    assert json.loads(json.dumps(found.as_data(), allow_nan=False))["near_duplicates"] == 1


def test_a_limit_takes_scenes_evenly_and_says_so(make_world, judge, quiet):
    found = evaluate_dataset(make_world(9, name="made"), make_world(4), judge, 4, quiet)
    assert found.made.keys == ("made00", "made02", "made05", "made08")
    assert found.notes == ("4 of the 9 images of the data set were looked at",)


def test_the_page_shows_worst_and_best(spoilt, make_world, judge, quiet):
    found = evaluate_dataset(spoilt, make_world(5, name="real"), judge, 100, quiet)
    page = dataset_page("spoilt", found, spoilt, judge, {"command": "synthgen <evaluate>"}).to_html()
    assert page.count("<img") == 16
    assert "Near repeats of another of them: 1; of a real image: 5." in page
    assert re.search(r'<span class="rgb">(\d+ \d+ \d+)</span><i class="chip" style="background:rgb\(\1\)"', page)
    assert "synthgen &lt;evaluate&gt;" in page
    assert "http://" not in page


@pytest.fixture
def dim(make_world):
    """A world whose images at dusk (scenes of even number) have half the light; of one hour where asked."""

    class Dim(make_world):
        def __init__(self, pairs, name, always=False):
            super().__init__(pairs, name=name)
            self._always = always

        def read_image(self, key, resolution=None):
            image = super().read_image(key, resolution)
            return image // 2 if self._always or self.attributes(key)["time_of_day"] == "dusk" else image

    return Dim


def test_images_at_dusk_are_like_the_real_ones_at_dusk_and_not_like_those_by_day(dim, judge, quiet):
    found = evaluate_dataset(dim(8, "made", always=True), dim(12, "real"), judge, 100, quiet, by="time_of_day")
    dusk, day, every = (found.likeness[group] for group in ("dusk", "day", "all"))
    assert (dusk.images, day.images, every.images) == (6, 6, 12)
    assert dusk.color_distance < 2
    # Half of the light gone: half of the length of each colour, weighted by pixels.
    lengths = {name: np.linalg.norm(look.color) / 2 for name, look in day.looks.items()}
    pixels = {name: look.pixels for name, look in found.made.looks.items()}
    mean = sum(lengths[name] * count for name, count in pixels.items()) / sum(pixels.values())
    assert day.color_distance == pytest.approx(mean, rel=0.05)
    assert dusk.sharpness_of_real == pytest.approx(1, abs=0.1)
    assert day.sharpness_of_real == pytest.approx(0.5, abs=0.1)
    assert dusk.distances.fid < day.distances.fid
    page = dataset_page("dim", found, dim(8, "made", always=True), judge, {})
    said = "They are nearest to the real images of dusk in their colours and in what the judge sees."
    assert said in page.answer
    likeness = found.likeness | {"day": replace(day, color_distance=0.0)}
    answer = dataset_page("dim", replace(found, likeness=likeness), dim(8, "made", always=True), judge, {}).answer
    assert "nearest to the real images of day in their colours, to those of dusk in what the judge sees." in answer
    likeness = found.likeness | {"day": replace(day, distances=None)}
    answer = dataset_page("dim", replace(found, likeness=likeness), dim(8, "made", always=True), judge, {}).answer
    assert "nearest to the real images of dusk in their colours. " in answer
    page = page.to_html()
    assert '<th class="n"><span>real, dusk</span></th>' in page
    assert "to real dusk: fid_segmenter" in dataset_text(found)


def test_an_attribute_that_the_real_images_lack_is_named(make_world, judge, quiet):
    with pytest.raises(InputError, match=r"^--by: unknown attribute 'weather'"):
        evaluate_dataset(make_world(4, name="made"), make_world(4), judge, 10, quiet, by="weather")


def test_a_data_set_without_images_is_refused(make_world, judge, quiet):
    with pytest.raises(SourceError, match=r"^flat00 has no image; a data set is measured by its images$"):
        evaluate_dataset(make_world(images=False), make_world(), judge, 10, quiet)


def test_a_data_set_of_one_image_is_measured_but_for_distances(make_world, judge, quiet):
    found = evaluate_dataset(make_world(1, name="made"), make_world(4), judge, 10, quiet)
    assert found.distances is None
    assert found.notes == ("no FID and no KID: fewer than 4 images of the data set",)
    data = json.loads(json.dumps(found.as_data(), allow_nan=False))
    assert not any("fid" in name for name in [*data, *data["likeness"]["all"]])
    assert "no FID and no KID" in dataset_page("one", found, make_world(1, name="made"), judge, {}).to_html()


def test_rejects_are_counted_by_stage_and_reason(tmp_path):
    lines = [{"stage": "render", "outcome": "rejected", "reason": f"agreement below 0.6: 0.{n}"} for n in (41, 52)] + [
        {"stage": "edit", "outcome": "failed", "reason": "SourceError: a.png: truncated"}
    ]
    store = Store(str(tmp_path))
    assert count_rejects(store) == {}
    store.write_atomic(".synthgen/rejects.jsonl", "\n".join(map(json.dumps, lines)).encode())
    assert count_rejects(store) == {"render: rejected: agreement below 0.6": 2, "edit: failed: SourceError": 1}


def a_photograph(seed, contrast=50.0, brightness=110.0):
    """Soft blobs, as photographs are when they are small."""
    noise = np.random.default_rng(seed).normal(size=(64, 128, 3)).astype(np.float32)
    blobs = cv2.GaussianBlur(noise, None, 12)
    return np.clip(blobs / blobs.std() * contrast + brightness, 0, 255).astype(np.uint8)


def test_twins_are_images_whose_thumbnails_hardly_differ():
    image, other = a_photograph(0), a_photograph(1)
    small = [thumbnail(each) for each in (image, other, np.clip(image.astype(int) + 2, 0, 255).astype(np.uint8))]
    [twin] = twins_within(small)
    assert (twin.one, twin.other) == (2, 0)
    assert twin.difference == pytest.approx(2 / small[0].std(), rel=0.05)
    assert [t.one for t in twins_between(small[1:], small[:1])] == [1]


def test_dark_images_are_not_twins_for_being_dark():
    night, another = (a_photograph(seed, contrast=2, brightness=8) for seed in (0, 1))
    assert np.abs(thumbnail(night) - thumbnail(another)).mean() < 3
    assert twins_within([thumbnail(night), thumbnail(another)]) == []
    flat = [np.full((64, 128, 3), level, np.uint8) for level in (4, 4, 5)]
    assert [(twin.one, twin.other) for twin in twins_within([thumbnail(each) for each in flat])] == [(1, 0)]


def test_copies_are_found_brighter_of_another_contrast_compressed_or_mirrored():
    images = [a_photograph(seed) for seed in range(4)]
    known = [thumbnail(image) for image in images]
    jpeg = cv2.imdecode(cv2.imencode(".jpg", images[2], [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
    held = [cv2.convertScaleAbs(images[3], alpha=0.5, beta=20), images[0][:, ::-1], jpeg, a_photograph(9)]
    found = copies_between([thumbnail(image) for image in held], known)
    assert [(copy.one, copy.other) for copy in found] == [(0, 3), (1, 0), (2, 2)]
    grey, other_grey = (thumbnail(np.full((64, 128, 3), level, np.uint8)) for level in (4, 200))
    assert copies_between([other_grey], [grey]) == []
    assert [copy.other for copy in copies_between([grey], [other_grey, grey])] == [1]


def test_a_folder_that_is_no_data_set_is_refused(tmp_path, capsys):
    from pipeline.cli import main

    with pytest.raises(SystemExit) as left:
        main(["evaluate", "dataset", str(tmp_path), "--real", "{format: streetscapes, scenes: 2}"])
    assert left.value.code == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path}: no finished data set (no dataset.json); finish it with the same synthgen augment\n"
    )


def test_label_maps_without_an_image_are_left_out_and_counted(make_world, judge, quiet):
    class Partly(make_world):
        def has_image(self, key):
            return key != "made00"

        def read_image(self, key, resolution=None):
            return super().read_image(key, resolution) if self.has_image(key) else None

    found = evaluate_dataset(Partly(6, name="made"), make_world(5, name="real"), judge, 5, quiet)
    assert found.made.keys == ("made01", "made02", "made03", "made04", "made05")
    assert found.notes == ("left out of the data set, for want of its other half: made00 (no image)",)


def test_objects_are_not_compared_with_those_of_a_source_that_does_not_tell_them_apart(judge, make_world, quiet):
    class Bare(make_world):
        def read_scene(self, key, resolution=None):
            return replace(super().read_scene(key, resolution), instances=None)

    found = evaluate_dataset(make_world(5, name="made"), Bare(4), judge, 10, quiet)
    assert found.real.instances is None
    assert found.real.as_data()["instances_an_image"] is None
    assert "objects are not compared: the real source has no instance maps; sources that find them" in " ".join(
        found.notes
    )
    assert "Objects an image" not in dataset_page("made", found, make_world(5, name="made"), judge, {}).to_html()
    bare = evaluate_dataset(Bare(5, name="made"), Bare(4), judge, 10, quiet)
    assert not any("instance maps" in note for note in bare.notes)
