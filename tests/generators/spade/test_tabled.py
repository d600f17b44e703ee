"""SPADE, Lab2Pix-V2 and OASIS as they are rewritten for GPUs, in plain PyTorch, against the plain networks."""

import pytest
import torch

from generators.family import LabelSpace
from generators.kernels.support import has_triton, interpreted
from generators.lab2pix_v2 import Lab2pixV2Config, Lab2pixV2Generator
from generators.layout import Layout
from generators.oasis import OasisConfig, OasisGenerator
from generators.oasis.tabled import TabledOasisGenerator
from generators.spade import SpadeConfig, SpadeGenerator, tabled
from generators.spade.distinct import find_distinct
from generators.spade.tabled import TabledSpade
from generators.spade.tabled_generator import TabledGenerator
from generators.style import StyleKind

GPU = torch.device("cuda")  # where it is built for, not where it lies
SPACE = LabelSpace(5)
TINY = {"base_channels": 3, "hidden_channels": 8}
VAE = {"use_vae": True, "start_grid": (2, 4), "style_dim": 6}
NETWORKS = {
    "spade": lambda: SpadeGenerator(SpadeConfig(**TINY, upsampling="more"), SPACE),
    "spade without edges": lambda: SpadeGenerator(SpadeConfig(**TINY, instance_edges=False), SPACE),
    "spade, normal": lambda: SpadeGenerator(SpadeConfig(**TINY, upsampling="normal"), SPACE),
    "spade, vae": lambda: SpadeGenerator(SpadeConfig(**{**TINY, "base_channels": 4}, upsampling="most", **VAE), SPACE),
    "lab2pix_v2": lambda: Lab2pixV2Generator(Lab2pixV2Config(**TINY, global_channels=3), SPACE),
    "lab2pix_v2, vae": lambda: Lab2pixV2Generator(
        Lab2pixV2Config(**TINY, **VAE, global_channels=3, upsampling="normal"), SPACE
    ),
    "lab2pix_v2, sketch": lambda: Lab2pixV2Generator(
        Lab2pixV2Config(**TINY, global_channels=3, condition="sketch"), SPACE
    ),
    "oasis": lambda: OasisGenerator(OasisConfig(**TINY, noise_dim=4), SPACE),
}


def build(name):
    """With statistics and biases as after training, so that folding them in is not a no-op."""
    torch.manual_seed(0)
    plain = NETWORKS[name]().eval()
    for layer in plain.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
        if isinstance(layer, torch.nn.Conv2d) and layer.bias is not None:
            layer.bias.data.normal_(0, 0.3)
    return plain


def scenes(batch=2, height=128, width=256):
    """Flat regions, a busy corner, and instances that split a class."""
    generator = torch.Generator().manual_seed(height)
    labels = torch.randint(0, 5, (batch, height // 32, width // 32), generator=generator)
    labels = labels.repeat_interleave(32, 1).repeat_interleave(32, 2)
    labels[0, :40, :40] = torch.randint(0, 5, (40, 40), generator=generator)
    instances = labels.clone()
    instances[:, 5:12, 7:12] += 1000
    return labels.int(), instances.int()


def styles_of(plain, batch):
    if plain.style_kind is StyleKind.NONE:
        return None
    return torch.randn(batch, plain.style_dim, *([1, 1] if plain.style_kind is StyleKind.NOISE else []))


@pytest.mark.parametrize("way", ["tables", "maps where tables are long", "fixed shapes"])
@pytest.mark.parametrize("name", sorted(NETWORKS))
@torch.inference_mode()
def test_images_are_the_plain_networks(name, way, monkeypatch):
    plain = build(name)
    fast = plain.for_inference(GPU)
    assert isinstance(fast, (TabledGenerator, TabledOasisGenerator))
    if way == "fixed shapes":
        fast.fix_shapes()
    if way == "maps where tables are long":
        monkeypatch.setattr(tabled, "_FEW_ROWS", 0)
        monkeypatch.setattr(tabled, "_DENSE_ABOVE", 0.3)
        monkeypatch.setattr(tabled, "_ROWS_AT_ONCE", 50)
    for height, width in ((128, 256), (256, 128)):
        labels, instances = scenes(2, height, width)
        style = styles_of(plain, 2)
        wanted = plain(plain.condition(labels, instances), style)
        found = fast(fast.condition(labels, instances), style)
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("fixed", [False, True])
@torch.inference_mode()
def test_noise_painted_by_region_is_a_map(fixed):
    plain = build("oasis")
    fast = plain.for_inference(GPU)
    if fixed:
        fast.fix_shapes()
    labels, instances = scenes()
    noise = torch.randn(2, 4, 1, 1).expand(-1, -1, 128, 256).clone()
    noise[1, :, :, 64:] = torch.randn(4, 1, 1)
    wanted = plain(plain.condition(labels, instances), noise)
    torch.testing.assert_close(fast(fast.condition(labels, instances), noise), wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", sorted(NETWORKS))
@torch.inference_mode()
def test_company_changes_no_bit(name):
    plain = build(name)
    fast = plain.for_inference(GPU)
    labels, instances = scenes(3)
    condition, style = fast.condition(labels, instances), styles_of(plain, 3)
    together = fast(condition, style)
    for index in (2, 0):
        one = None if style is None else style[[index]]
        assert torch.equal(fast(condition[[index]], one), together[[index]])
    if style is None:
        return
    images = fast.in_styles(Layout(condition[:1], room_bytes=2**26), torch.split(style, 1))
    for image, code in zip(images, torch.split(style, 1), strict=True):
        assert torch.equal(image, fast(condition[:1], code))


@torch.inference_mode()
def test_another_style_of_the_same_layout_reuses_what_labels_decide():
    fast = build("lab2pix_v2, vae").for_inference(GPU)
    kept = Layout(fast.condition(*scenes(1)), room_bytes=2**26)
    fast.in_styles(kept, [torch.zeros(1, 6)])
    calls = []
    for layer in fast.modules():
        if isinstance(layer, TabledSpade) or layer is fast.global_maps:
            layer.register_forward_hook(lambda *_: calls.append(1))
    fast.in_styles(kept, [torch.ones(1, 6)])
    assert calls == []
    fast(kept.condition, torch.ones(1, 6))
    assert len(calls) > 0, "a layout without room computes anew"


@torch.inference_mode()
def test_without_a_given_noise_one_vector_is_drawn_an_image():
    plain = build("oasis")
    fast = plain.for_inference(GPU)
    labels, instances = scenes(1)
    torch.manual_seed(4)
    wanted = plain(plain.condition(labels, instances), None)
    torch.manual_seed(4)
    torch.testing.assert_close(fast(fast.condition(labels, instances), None), wanted, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_weights_rounded_once_are_all_that_a_reduced_pass_reads():
    from generators.inference.device import round_weights

    plain = build("lab2pix_v2")
    fast = round_weights(plain.for_inference(GPU), torch.bfloat16)
    labels, instances = scenes(1)
    wanted = plain(plain.condition(labels, instances), None)
    # No autocast: a tensor left in float32 between two rounded layers would be an error.
    found = fast(fast.condition(labels, instances), None)
    assert found.dtype == torch.float32
    noise = torch.mean((found - wanted) ** 2)
    assert 10 * torch.log10(4 / noise) > 40


def test_distinct_neighbourhoods_are_those_a_slow_count_finds():
    labels, _ = scenes(2, 64, 128)
    for image, found in zip(labels, find_distinct(labels, [4, 2], 5), strict=True):
        for cell, distinct in zip([4, 2], found, strict=True):
            padded = torch.nn.functional.pad(image[::cell, ::cell], (2, 2, 2, 2), value=5)
            windows = padded.unfold(0, 5, 1).unfold(1, 5, 1).flatten(2).flatten(0, 1)
            seen = [tuple(window.tolist()) for window in windows]
            assert len(distinct.pixel_of_row_N) == len(set(seen))
            for pixel, row in enumerate(distinct.row_of_pixel_P.tolist()):
                assert seen[int(distinct.pixel_of_row_N[row])] == seen[pixel]


@pytest.mark.skipif(not (has_triton() and interpreted()), reason="needs Triton's interpreter")
@torch.inference_mode()
def test_the_kernels_give_the_plain_forms_image(monkeypatch):
    plain = build("lab2pix_v2, vae")
    labels, instances = (part[:, 64:, 64:128] for part in scenes(1))
    fast = plain.for_inference(GPU)
    style = styles_of(plain, 1)
    found = fast(fast.condition(labels, instances), style)
    monkeypatch.delenv("TRITON_INTERPRET")
    torch.testing.assert_close(found, fast(fast.condition(labels, instances), style), atol=1e-5, rtol=0)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["spade, vae", "lab2pix_v2", "oasis"])
@torch.inference_mode()
def test_fixed_shapes_are_traced_whole(name):
    plain = build(name)
    fast = plain.for_inference(GPU)
    fast.fix_shapes()
    labels, instances = scenes(1)
    condition, style = fast.condition(labels, instances), styles_of(plain, 1)
    traced = torch.compile(lambda looks, code: fast(looks, code), backend="eager", fullgraph=True)
    torch.testing.assert_close(traced(condition, style), fast(condition, style), atol=1e-5, rtol=0)
