"""The small segmenter learns, ignores void, and handles any size."""

import numpy as np
import pytest
import torch

from generators.metrics import confusion_matrix, mean_iou
from generators.segmenter import Segmenter, SegmenterTraining, predict, predict_with_surprise, to_network


def coloured_scenes(num: int, rng: np.random.Generator):
    """Three classes, each a noisy colour of its own; class 3 is never shown."""
    labels = rng.integers(0, 3, (num, 2, 3)).repeat(16, 1).repeat(16, 2)
    colours = np.array([[200, 30, 30], [30, 200, 30], [30, 30, 200]])
    images = np.clip(colours[labels] + rng.normal(0, 25, (*labels.shape, 3)), 0, 255).astype(np.uint8)
    return images, labels


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_segmenter_learns_colours_in_seconds(dtype):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    segmenter = Segmenter(4, width=8)
    training = SegmenterTraining(segmenter, num_steps=60, void_channels=(3,), dtype=dtype)
    first, *_, last = [
        training.step(to_network(images), torch.from_numpy(labels))
        for images, labels in (coloured_scenes(4, rng) for _ in range(60))
    ]
    images, labels = coloured_scenes(8, rng)
    predicted = predict(segmenter, images)
    agreement = mean_iou(confusion_matrix(torch.from_numpy(predicted.astype(np.int64)), torch.from_numpy(labels), 4))
    assert last < first / 2
    assert agreement > 0.8
    assert {weights.dtype for weights in segmenter.parameters()} == {torch.float32}


def test_prediction_has_the_size_of_the_image():
    images = np.zeros((3, 45, 70, 3), np.uint8)
    predicted = predict(Segmenter(5, width=8), images, batch_size=2)
    assert predicted.shape == (3, 45, 70)
    assert predicted.dtype == np.uint16


def test_images_of_another_kind_are_refused():
    with pytest.raises(
        ValueError, match=r"^images are float64 of shape \(1, 8, 8, 3\); expected uint8, B x H x W x 3$"
    ):
        predict(Segmenter(5, width=8), np.zeros((1, 8, 8, 3)))


def test_classes_weigh_by_the_inverse_root_of_their_share_of_all_pixels_so_far():
    training = SegmenterTraining(Segmenter(4, width=8), num_steps=2)
    first = torch.tensor([[[0, 0, 0, 1], [-100, -100, 0, 0]]])
    second = torch.full((1, 2, 4), 2)
    training._class_weights(first)
    weights = training._class_weights(second)
    counts = np.array([5, 1, 8, 0])
    assert weights.numpy() == pytest.approx(np.clip(counts / counts.sum(), 1e-4, None) ** -0.5, rel=1e-5)


def test_void_pixels_do_not_teach():
    torch.manual_seed(0)
    segmenter = Segmenter(4, width=8)
    training = SegmenterTraining(segmenter, num_steps=2, void_channels=(3,))
    image = torch.zeros(1, 3, 32, 32)
    some_void = torch.zeros(1, 32, 32, dtype=torch.int64)
    some_void[:, :16] = 3
    target = training._target(some_void)
    assert (target[:, :16] == -100).all()
    assert (target[:, 16:] == 0).all()
    assert np.isfinite(training.step(image, some_void))


@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda",
            marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")],
        ),
    ],
)
def test_surprise_is_minus_the_logarithm_of_what_the_label_was_given_on_any_device(device):
    torch.manual_seed(0)
    segmenter = Segmenter(4, width=8).eval()
    images, labels = coloured_scenes(3, np.random.default_rng(0))
    images, labels = images[:, :27, :43], labels[:, :27, :43]  # no multiples of the stride
    with torch.no_grad():
        padded = segmenter(to_network(images)).numpy()[:, :, :27, :43].astype(np.float64)
    given = np.exp(padded) / np.exp(padded).sum(1, keepdims=True)
    wanted = -np.log(np.take_along_axis(given, labels[:, None], 1)[:, 0])
    found, surprise = predict_with_surprise(segmenter.to(device), images, labels.astype(np.uint16))
    np.testing.assert_allclose(surprise, wanted, atol=2e-3)
    differs = found != padded.argmax(1)
    assert differs.mean() < 0.001
    np.testing.assert_array_equal(found, predict(segmenter, images))
