"""SPADE rewritten for rendering against the plain network."""

import pytest
import torch
import torch.nn.functional as F

from generators.family import LabelSpace
from generators.layout import Layout
from generators.spade import SpadeConfig, SpadeGenerator
from generators.spade.folded import FoldedSpade
from generators.spade.inference import FoldedSpadeGenerator
from generators.spade.label_grid import sort_pixels
from generators.spade.merged import MergedGenerator
from generators.spade.modulation import Spade

CPU = torch.device("cpu")
SPACE = LabelSpace(5)


def settled(module: torch.nn.Module) -> torch.nn.Module:
    """With running statistics as after training, so that folding them in is not a no-op."""
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
    return module.eval()


def layout(height: int, width: int, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Flat regions with a few small things, and instances that split one class."""
    generator = torch.Generator().manual_seed(height + width)
    labels = torch.randint(0, 4, (batch, height // 32, width // 32), generator=generator)
    labels = labels.repeat_interleave(32, 1).repeat_interleave(32, 2)
    labels[:, 5:12, 7:20] = 4
    instances = labels.clone()
    instances[:, 5:12, 7:12] = 4001
    return labels, instances.int()


@pytest.mark.parametrize(
    ("settings", "batch"),
    [
        ({}, 1),
        ({"instance_edges": False}, 2),
        ({"use_vae": True, "start_grid": (2, 4), "style_dim": 6}, 2),
        ({"upsampling": "more"}, 1),
    ],
)
@torch.inference_mode()
def test_images_are_the_plain_networks(settings, batch):
    torch.manual_seed(0)
    config = SpadeConfig(**{"base_channels": 4, "hidden_channels": 16, "upsampling": "normal", **settings})
    plain = settled(SpadeGenerator(config, SPACE))
    fast = plain.for_inference(CPU)
    assert isinstance(fast, FoldedSpadeGenerator)
    for height, width in ((64, 128), (128, 128)):
        labels, instances = layout(height, width, batch)
        style = torch.randn(batch, plain.style_dim) if plain.style_dim else None
        wanted = plain(plain.condition(labels, instances), style)
        torch.testing.assert_close(fast(fast.condition(labels, instances), style), wanted, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_another_style_of_the_same_layout_reuses_what_labels_decide():
    torch.manual_seed(0)
    config = SpadeConfig(
        base_channels=2, hidden_channels=4, upsampling="normal", use_vae=True, start_grid=(2, 2), style_dim=3
    )
    plain = settled(SpadeGenerator(config, SPACE))
    fast = plain.for_inference(CPU)
    kept = Layout(fast.condition(*layout(64, 64)), room_bytes=2**26)
    fast.in_styles(kept, [torch.zeros(1, 3)])
    calls = []
    for layer in fast.modules():
        if isinstance(layer, FoldedSpade):
            layer.register_forward_hook(lambda *_: calls.append(1))
    styles = torch.randn(2, 3).split(1)
    images = fast.in_styles(kept, styles)
    assert calls == []
    for style, image in zip(styles, images, strict=True):
        wanted = plain(plain.condition(*layout(64, 64)), style)
        torch.testing.assert_close(image, wanted, atol=1e-5, rtol=0)
        assert torch.equal(image, fast(kept.condition, style))
    assert len(calls) > 0, "a layout without room computes anew"


def test_the_plain_network_stays_as_it_was():
    plain = settled(SpadeGenerator(SpadeConfig(base_channels=2, hidden_channels=4, upsampling="normal"), SPACE))
    before = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
    condition = plain.condition(*layout(64, 64))
    with torch.inference_mode():
        image = plain(condition, None)
        plain.for_inference(CPU)
        assert torch.equal(plain(condition, None), image)
    assert all(torch.equal(tensor, before[name]) for name, tensor in plain.state_dict().items())


@pytest.mark.parametrize("block", [1, 16])
@torch.inference_mode()
def test_one_layer_agrees_on_busy_maps_and_on_flat_ones(block):
    torch.manual_seed(0)
    plain = settled(Spade(6, 5, hidden=8))
    labels = torch.randint(0, 4, (2, 32 // block, 48 // block)).repeat_interleave(block, 1).repeat_interleave(block, 2)
    edges = (torch.rand(2, 32 // block, 48 // block) > 0.7).float()
    edges = edges.repeat_interleave(block, 1).repeat_interleave(block, 2)
    condition = torch.cat([F.one_hot(labels, 4).permute(0, 3, 1, 2).float(), edges.unsqueeze(1)], dim=1)
    grid = sort_pixels(labels, edges, 4)
    assert (grid.distinct_share > 0.5) == (block == 1)
    x = torch.randn(2, 6, 32, 48)
    torch.testing.assert_close(FoldedSpade(plain, 4)(grid).spread().apply(x), plain(x, condition), atol=1e-5, rtol=1e-5)


def test_distinct_neighbourhoods_are_those_a_slow_count_finds():
    torch.manual_seed(0)
    labels = torch.randint(0, 3, (1, 3, 4)).repeat_interleave(6, 1).repeat_interleave(6, 2)
    edges = torch.zeros_like(labels).float()
    edges[0, 8:12, 3] = 1
    grid = sort_pixels(labels, edges, 3)
    looks = F.pad(labels * 2 + edges.long(), (2, 2, 2, 2), value=6)
    windows = looks.unfold(1, 5, 1).unfold(2, 5, 1).flatten(3).flatten(0, 2)
    assert len(grid.far_near_N9) == len({tuple(window.tolist()) for window in windows})
    found = {}
    for index, window in zip(grid.far_of_pixel_P.tolist(), windows, strict=True):
        assert found.setdefault(index, tuple(window.tolist())) == tuple(window.tolist())


@pytest.mark.parametrize("settings", [{}, {"use_vae": True, "start_grid": (2, 4), "style_dim": 6}])
@torch.inference_mode()
def test_merged_norms_give_the_plain_networks_images(settings):
    torch.manual_seed(0)
    config = SpadeConfig(base_channels=4, hidden_channels=16, upsampling="normal", **settings)
    plain = settled(SpadeGenerator(config, SPACE))
    merged = MergedGenerator(plain)
    labels, instances = layout(64, 128, batch=2)
    style = torch.randn(2, plain.style_dim) if plain.style_dim else None
    condition = plain.condition(labels, instances)
    torch.testing.assert_close(merged(condition, style), plain(condition, style), atol=1e-5, rtol=0)
