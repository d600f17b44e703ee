"""Renderer: bytes in, bytes out, each sample on its own."""

import numpy as np
import pytest
import torch

from generators.family import LabelSpace
from generators.inference import Renderer
from generators.pix2pixhd import Pix2PixHDConfig, Pix2PixHDGenerator
from generators.style import Style

TINY = Pix2PixHDConfig(base_channels=8, num_downsamplings=2, num_blocks=2, num_enhancers=1)


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return Pix2PixHDGenerator(TINY, LabelSpace(7))


@pytest.fixture
def scenes():
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 7, (5, 6, 9)).repeat(8, 1).repeat(8, 2).astype(np.uint8)
    instances = labels.astype(np.int32) * 1000
    ids = np.unique(instances).astype(np.int32)
    styles = [Style(ids, rng.normal(size=(len(ids), 3)).astype(np.float32)) for _ in labels]
    return labels, instances, styles


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_image_of_a_sample_does_not_depend_on_its_batch(precision, generator, scenes):
    labels, instances, styles = scenes
    renderer = Renderer(generator, "cpu", precision, max_batch=2)
    together = renderer.render(labels, instances, styles)
    assert together.shape == (5, 48, 72, 3)
    assert together.dtype == np.uint8
    for index in (4, 1):
        alone = renderer.render(labels[[index]], instances[[index]], [styles[index]])
        np.testing.assert_array_equal(alone[0], together[index])


def test_sides_that_are_no_multiple_of_the_stride_are_padded_and_cropped(generator, scenes):
    labels, instances, styles = (part[:1] for part in scenes)
    whole = Renderer(generator, "cpu", "float32").render(labels, instances, styles)
    padded = np.pad(labels[:, :45, :67], ((0, 0), (0, 3), (0, 5)), mode="edge")
    odd = Renderer(generator, "cpu", "float32").render(labels[:, :45, :67], instances[:, :45, :67], styles)
    expected = Renderer(generator, "cpu", "float32").render(padded, padded.astype(np.int32) * 1000, styles)
    assert whole.shape == (1, 48, 72, 3)
    np.testing.assert_array_equal(odd, expected[:, :45, :67])


def test_out_of_memory_halves_the_batch_and_goes_on(generator, scenes, monkeypatch):
    labels, instances, styles = scenes
    renderer = Renderer(generator, "cpu", "float32", max_batch=4)
    whole, sizes = renderer._render_pass, []

    def crowded(labels, instances, styles):
        sizes.append(renderer.max_batch)
        if renderer.max_batch > 2:
            raise torch.OutOfMemoryError("no room")
        return whole(labels, instances, styles)

    monkeypatch.setattr(renderer, "_render_pass", crowded)
    images = renderer.render(labels, instances, styles)
    assert sizes == [4, 2, 2, 2]
    np.testing.assert_array_equal(images, Renderer(generator, "cpu", "float32", 2).render(labels, instances, styles))


def test_unlisted_instances_get_the_zero_style(generator, scenes):
    labels, instances, _ = (part[:1] for part in scenes)
    nothing = Style(np.array([999_999], np.int32), np.ones((1, 3), np.float32))
    renderer = Renderer(generator, "cpu", "float32")
    np.testing.assert_array_equal(
        renderer.render(labels, instances, [nothing]), renderer.render(labels, instances, [None])
    )


def test_renderer_refuses_what_does_not_fit(generator, scenes):
    labels, instances, styles = scenes
    renderer = Renderer(generator, "cpu")
    with pytest.raises(ValueError, match=r"^4 styles for 5 label maps$"):
        renderer.render(labels, instances, styles[:4])
    with pytest.raises(
        ValueError, match=r"^labels are int64 of shape \(5, 48, 72\); expected uint8 or uint16, B x H x W$"
    ):
        renderer.render(labels.astype(np.int64), instances, styles)
    with pytest.raises(
        ValueError, match=r"^label channel 7 is outside 0..6; labels must be catalog channels, not class ids$"
    ):
        renderer.render(labels + 1, instances, styles)
    wide = Style(None, np.zeros((1, 5), np.float32))
    with pytest.raises(ValueError, match=r"^a style vector has 5 numbers; this generator takes 3$"):
        renderer.render(labels[:1], instances[:1], [wide])
