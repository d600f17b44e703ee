"""Copy-paste moves pixels and labels together; photometric changes colours and nothing else."""

import numpy as np
import pytest

from pipeline.evaluation.baselines import copy_paste, photometric
from pipeline.resolution import Resolution
from pipeline.training.data import PairReader, TrainingPair, Views


@pytest.fixture
def pairs(make_world):
    reader = PairReader(make_world(2), Views(Resolution(48, 32), flip=False), 0)
    return reader.pair(0), reader.pair(1)


def test_pasted_pixels_carry_the_label_and_the_colour_of_their_object(pairs, flat_catalog):
    target, donor = pairs
    pasted = copy_paste(target, donor, flat_catalog, np.random.default_rng(3))
    changed = (pasted.image != target.image).any(2)
    assert changed.sum() > 50
    assert (pasted.labels[changed] == flat_catalog.channel_of[3]).all()
    assert (pasted.instances[changed] // 1000 == 3).all()
    colours = pasted.image[changed].astype(int)
    assert np.abs(colours.mean(0) - (40, 200, 40)).max() < 15


def test_pasted_objects_keep_their_height_in_the_picture(pairs, flat_catalog):
    target, donor = pairs
    rows = np.nonzero(copy_paste(target, donor, flat_catalog, np.random.default_rng(0)).labels != target.labels)[0]
    donor_rows = np.nonzero(donor.labels == flat_catalog.channel_of[3])[0]
    assert set(rows) <= set(donor_rows)


def test_inputs_are_not_written_and_the_same_seed_gives_the_same_pair(pairs, flat_catalog):
    target, donor = pairs
    before = [part.copy() for part in target]
    once, again = (copy_paste(target, donor, flat_catalog, np.random.default_rng(5)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(target, before, strict=True))
    assert all((a == b).all() for a, b in zip(once, again, strict=True))


def test_a_donor_without_objects_gives_nothing(pairs, flat_catalog):
    target, donor = pairs
    bare = TrainingPair(donor.labels, donor.labels.astype(np.int32), donor.image)
    assert copy_paste(target, bare, flat_catalog, np.random.default_rng(0)) is target


def test_photometric_changes_the_exposure_and_keeps_the_shapes():
    image = np.zeros((32, 48, 3), np.uint8)
    image[:, 24:] = 200
    seen = [photometric(image, np.random.default_rng(seed)) for seed in range(12)]
    assert all(each.shape == image.shape and each.dtype == np.uint8 for each in seen)
    assert np.std([each[:, 30:].mean() for each in seen]) > 10
    assert all(each[:, 28:].mean() > each[:, :20].mean() for each in seen)
    assert (photometric(image, np.random.default_rng(7)) == photometric(image, np.random.default_rng(7))).all()
