"""Renderer: bytes in, bytes out, each sample on its own."""

import numpy as np
import pytest
import torch

from generators import minimal_filtering
from generators.family import LabelSpace
from generators.inference import DeviceFailed, FastPath, Renderer
from generators.inference.maps import same_maps
from generators.minimal_filtering import MinimalConv
from generators.pix2pixhd import Pix2PixHDConfig, Pix2PixHDGenerator
from generators.spade import SpadeConfig, SpadeGenerator
from generators.spade.folded import FoldedSpade
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


def filters(precision, path, generator):
    modules = Renderer(generator, "cpu", precision, path=path)._network.generator.modules()
    return any(isinstance(module, MinimalConv) for module in modules)


def test_convolutions_are_filtered_minimally_in_float32_on_a_processor(generator, scenes, monkeypatch):
    monkeypatch.setattr(minimal_filtering, "_LEAST_CHANNELS", 8)
    labels, instances, styles = scenes
    assert filters("float32", FastPath(), generator)
    assert not filters("bfloat16", FastPath(), generator)
    assert not filters("float32", FastPath(rewrites="none"), generator)
    fast, plain = (
        Renderer(generator, "cpu", "float32", max_batch=2, path=FastPath(rewrites=r)) for r in ("auto", "none")
    )
    images = fast.render(labels, instances, styles)
    assert np.abs(images.astype(int) - plain.render(labels, instances, styles)).max() <= 1
    alone = [fast.render(labels[k : k + 1], instances[k : k + 1], styles[k : k + 1])[0] for k in range(len(labels))]
    np.testing.assert_array_equal(images, alone)


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


class Crowded(Pix2PixHDGenerator):
    """Runs out of memory above a batch size, as a device would."""

    most, said = 2, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nsee the docs")

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(TINY, LabelSpace(7))
        self.sizes = []

    def for_inference(self, device):
        return self

    def forward(self, condition, style):
        self.sizes.append(len(condition))
        if len(condition) > self.most:
            raise self.said
        return super().forward(condition, style)

    def to(self, *args, **kwargs):
        return self


@pytest.mark.parametrize(
    "said",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: 1e12 bytes"),
    ],
)
def test_out_of_memory_halves_the_batch_and_goes_on(said, scenes):
    generator = Crowded()
    generator.said = said
    renderer = Renderer(generator, "cpu", "float32", max_batch=4)
    images = renderer.render(*scenes)
    assert generator.sizes == [4, 2, 2, 2]
    assert renderer.max_batch == 2
    np.testing.assert_array_equal(images, Renderer(Crowded(), "cpu", "float32", 2).render(*scenes))


def test_a_device_without_room_for_one_image_is_a_fault_of_the_device(scenes):
    generator = Crowded()
    generator.most = 0
    with pytest.raises(
        DeviceFailed,
        match=r"^cpu has not enough memory for one image of 72x48 \(CUDA out of memory. Tried to allocate 2.00 GiB.\); "
        "render smaller images, end what else runs on the device, or take one with more memory$",
    ):
        Renderer(generator, "cpu", "float32", max_batch=4).render(*scenes)
    assert generator.sizes == [4, 2, 1]


def test_a_device_that_breaks_is_told_apart_from_a_scene_that_fails(scenes):
    generator = Crowded()
    generator.most, generator.said = 0, RuntimeError("CUDA error: an illegal memory access was encountered\nCUDA ker")
    with pytest.raises(DeviceFailed, match=r"^cpu failed \(CUDA error: an illegal memory access was encountered\)"):
        Renderer(generator, "cpu", "float32").render(*scenes)
    generator.said = RuntimeError("no kernel for this")
    with pytest.raises(RuntimeError, match=r"^no kernel for this$"):
        Renderer(generator, "cpu", "float32").render(*scenes)


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


VAE = SpadeConfig(base_channels=2, hidden_channels=4, upsampling="normal", use_vae=True, start_grid=(2, 4), style_dim=3)


@pytest.fixture
def styled():
    """A generator of styled images whose label work is apart, a scene in five styles, another between them."""
    torch.manual_seed(0)
    generator = SpadeGenerator(VAE, LabelSpace(7)).eval()
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 7, (2, 6, 9)).repeat(8, 1).repeat(8, 2).astype(np.uint8)[[0, 0, 1, 0, 0, 0]]
    styles = [Style(None, rng.normal(size=(1, 3)).astype(np.float32)) for _ in labels]
    return generator, labels, labels.astype(np.int32) * 1000, styles


def alone(renderer, labels, instances, styles):
    return np.concatenate([renderer.render(labels[[i]], instances[[i]], [styles[i]]) for i in range(len(labels))])


def test_scenes_that_come_in_several_styles_share_their_layout_and_keep_their_images(styled):
    generator, *scenes = styled
    renderer = Renderer(generator, "cpu", "float32")
    calls = []
    renderer._network.generator.register_forward_pre_hook(lambda *_: calls.append("whole network"))
    for layer in renderer._network.generator.modules():
        if isinstance(layer, FoldedSpade):
            layer.register_forward_hook(lambda *_: calls.append(1))
    together = renderer.render(*scenes)
    shared = len(calls)
    np.testing.assert_array_equal(together, alone(renderer, *scenes))
    assert shared * 3 == len(calls) - shared, "two layouts together, six alone"


@pytest.mark.parametrize("pixels", [1, 3 * 64 * 96])
def test_how_many_styles_go_together_changes_no_image(pixels, styled):
    generator, *scenes = styled
    renderer = Renderer(generator, "cpu", "float32")
    renderer._pixels_together = pixels
    np.testing.assert_array_equal(renderer.render(*scenes), alone(renderer, *scenes))


def test_a_layout_is_rendered_in_styles_that_come_later(styled):
    generator, labels, instances, styles = styled
    renderer = Renderer(generator, "cpu", "float32")
    layout = renderer.layout(labels[0], instances[0])
    later = np.concatenate([renderer.in_styles(layout, styles[:1]), renderer.in_styles(layout, styles[3:])])
    np.testing.assert_array_equal(later, renderer.render(labels, instances, styles)[[0, 3, 4, 5]])
    assert layout.layout.num_kept > 0


def test_what_a_layout_keeps_is_bounded(styled):
    generator, labels, instances, styles = styled
    renderer = Renderer(generator, "cpu", "float32", layout_bytes=0)
    layout = renderer.layout(labels[0], instances[0])
    np.testing.assert_array_equal(
        renderer.in_styles(layout, styles[:1]), renderer.render(labels[:1], instances[:1], styles[:1])
    )
    assert layout.layout.num_kept == 0


def test_styles_that_do_not_fit_together_go_in_smaller_passes(styled, monkeypatch):
    generator, labels, instances, styles = styled
    renderer = Renderer(generator, "cpu", "float32")
    network, sizes = renderer._network.generator, []
    whole = network.in_styles

    def crowded(layout, styles):
        sizes.append(len(styles))
        if len(styles) > 1:
            raise torch.OutOfMemoryError("no room")
        return whole(layout, styles)

    monkeypatch.setattr(network, "in_styles", crowded)
    renderer._pixels_together = 5 * 64 * 96
    images = renderer.render(labels, instances, styles)
    assert sizes[:4] == [5, 2, 1, 1]
    np.testing.assert_array_equal(images, Renderer(generator, "cpu", "float32").render(labels, instances, styles))


def test_scenes_are_the_same_only_with_the_same_labels_and_instances():
    labels = np.zeros((5, 20, 20), np.uint8)
    instances = np.zeros((5, 20, 20), np.int32)
    labels[1, 3, 3] = 1  # between the pixels that are looked at first
    instances[3, 3, 3] = 1
    assert same_maps(labels, instances) == [[0, 2, 4], [1], [3]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_labels_of_either_width_give_the_same_image(dtype, generator, scenes):
    labels, instances, styles = scenes
    renderer = Renderer(generator, "cpu", "float32")
    np.testing.assert_array_equal(
        renderer.render(labels.astype(dtype), instances, styles), renderer.render(labels, instances, styles)
    )


@pytest.mark.parametrize("rewrites", ["none", "device", "dense", "lookup"])
@pytest.mark.parametrize("laid_out", [True, False])
def test_every_step_of_the_fast_path_gives_the_same_image(rewrites, laid_out, generator, scenes):
    path = FastPath(channels_last=laid_out, rewrites=rewrites)
    plain = Renderer(generator, "cpu", "float32", path=FastPath(channels_last=False, rewrites="none"))
    found, wanted = Renderer(generator, "cpu", "float32", path=path).render(*scenes), plain.render(*scenes)
    assert np.abs(found.astype(int) - wanted).max() <= 1, "a rounding to a byte may fall the other way"


def test_graphs_are_refused_where_the_device_records_none(generator):
    with pytest.raises(ValueError, match=r"^graphs are asked for, but cpu records none; only CUDA devices do$"):
        Renderer(generator, "cpu", path=FastPath(graphs=True))


@pytest.mark.soak
def test_images_of_4096x2048_and_sides_that_fit_no_stride_are_rendered():
    torch.manual_seed(0)
    config = TINY.model_copy(update={"base_channels": 4, "num_blocks": 1, "num_enhancers": 2, "num_enhancer_blocks": 1})
    renderer = Renderer(Pix2PixHDGenerator(config, LabelSpace(7)), "cpu", "float32")
    y, x = np.mgrid[:2047, :4090]
    labels = ((y // 100 + x // 150) % 7).astype(np.uint8)[None]
    image = renderer.render(labels, None, [None])
    assert image.shape == (1, 2047, 4090, 3)
    padded = np.pad(labels, ((0, 0), (0, 1), (0, 6)), mode="edge")
    np.testing.assert_array_equal(renderer.render(padded, None, [None])[:, :2047, :4090], image)


def test_a_layout_is_not_changed_by_what_is_written_into_its_maps_later(generator, scenes):
    labels, instances, styles = scenes
    renderer = Renderer(generator, "cpu", "float32")
    labels, instances = labels[0].copy(), instances[0].copy()
    layout = renderer.layout(labels, instances)
    before = renderer.in_styles(layout, styles[:1])
    labels[:], instances[:] = 0, 0
    np.testing.assert_array_equal(renderer.in_styles(layout, styles[:1]), before)


def test_read_only_maps_are_rendered_without_a_warning(generator, scenes, recwarn):
    labels, instances, styles = (part[:1] for part in scenes)
    for array in (labels, instances):
        array.flags.writeable = False
    Renderer(generator, "cpu", "float32").render(labels, instances, styles)
    assert not recwarn.list
