"""CC-FPSE rewritten for GPUs against the plain network; here its kernels take their plain form or are interpreted."""

import numpy as np
import pytest
import torch

from generators.ccfpse import CcfpseGenerator
from generators.ccfpse import fused as fused_module
from generators.ccfpse import pieces as pieces_module
from generators.ccfpse.fused import FusedCcfpse
from generators.ccfpse.label_conv import LabelConv
from generators.family import LabelSpace
from generators.inference import FastPath, Renderer
from generators.inference.device import round_weights
from generators.layout import Layout
from generators.memory_format import channels_last
from generators.style import Style

SPACE = LabelSpace(5)
STYLED = {"use_vae": True, "start_grid": (2, 2), "style_dim": 3}


def scene(batch: int = 2, rows: int = 2, columns: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """So many cells of 32 pixels; fine detail, so that the pyramid and the edges have something to see."""
    labels = torch.randint(0, 5, (batch, 32 * rows // 4, 32 * columns // 4))
    labels = labels.repeat_interleave(4, 1).repeat_interleave(4, 2)
    return labels, labels.int() + 1000 * (torch.rand(labels.shape) < 0.1)


@pytest.mark.parametrize("edges", [True, False])
@pytest.mark.parametrize("piece_bytes", [1, 2**17, 2**30], ids=["few rows", "few images", "whole"])
@torch.inference_mode()
def test_images_are_the_plain_networks_however_small_the_pieces(plain_network, piece_bytes, edges, monkeypatch):
    monkeypatch.setattr(pieces_module, "_PIECE_BYTES", piece_bytes)
    monkeypatch.setattr(pieces_module, "_LEAST_ROWS", 3)
    plain = plain_network(instance_edges=edges)
    fast = channels_last(plain.for_inference(torch.device("cuda")))
    assert isinstance(fast, FusedCcfpse)
    given = scene()
    wanted = plain(plain.condition(*given), None)
    torch.testing.assert_close(fast(fast.condition(*given), None), wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("upsampling", ["normal", "more", "most"])
@torch.inference_mode()
def test_every_depth_and_size_gives_the_plain_image(plain_network, upsampling):
    plain = plain_network(upsampling=upsampling, base_channels=2)
    fast = plain.for_inference(torch.device("cuda"))
    for rows, columns in ((1, 1), (1, 3)):
        factor = plain.stride // 32
        given = scene(1, rows * factor, columns * factor)
        wanted = plain(plain.condition(*given), None)
        torch.testing.assert_close(fast(fast.condition(*given), None), wanted, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_images_that_go_one_by_one_through_a_block_are_those_that_go_together(plain_network, monkeypatch):
    plain = plain_network()
    fast = plain.for_inference(torch.device("cuda"))
    condition = fast.condition(*scene(3, 1, 2))
    wanted = fast(condition, None)
    monkeypatch.setattr(fused_module, "_PIXELS_TOGETHER", 32 * 64 // 2)
    torch.testing.assert_close(fast(condition, None), wanted, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_half_precision_stays_within_40_decibels(plain_network):
    plain = plain_network(base_channels=8, hidden_channels=32, pyramid_channels=16)
    fast = channels_last(round_weights(plain.for_inference(torch.device("cuda")), torch.bfloat16))
    given = scene(1)
    wanted = plain(plain.condition(*given), None)
    with torch.autocast("cpu", torch.bfloat16):
        found = fast(fast.condition(*given), None)
    assert found.dtype == torch.float32
    mean_square = (found - wanted).square().mean()
    assert 10 * torch.log10(4 / mean_square) >= 40


@torch.inference_mode()
def test_several_styles_of_one_layout_share_its_kernels(plain_network):
    plain = plain_network(**STYLED)
    fast = plain.for_inference(torch.device("cuda"))
    given = scene(1, 2, 2)
    condition, plain_condition = fast.condition(*given), plain.condition(*given)
    styles = torch.randn(3, 3)
    together = fast(condition, styles)
    for image, style in zip(together, styles, strict=True):
        assert torch.equal(image, fast(condition, style[None])[0])
        torch.testing.assert_close(image, plain(plain_condition, style[None])[0], atol=1e-4, rtol=0)


@torch.inference_mode()
def test_another_style_of_a_layout_that_is_kept_predicts_nothing_anew(plain_network, monkeypatch):
    fast = plain_network(**STYLED).for_inference(torch.device("cuda"))
    layout = Layout(fast.condition(*scene(1, 2, 2)), room_bytes=2**30)
    first, second = torch.randn(2, 3).split(1)
    fast.in_styles(layout, [first])
    with monkeypatch.context() as patched:
        patched.setattr(LabelConv, "forward", lambda *_: pytest.fail("predicted anew"))
        [again] = fast.in_styles(layout, [second])
    assert torch.equal(again, fast(layout.condition, second))


@torch.inference_mode()
def test_a_layout_keeps_no_more_than_it_has_room_for(plain_network):
    fast = plain_network(**STYLED).for_inference(torch.device("cuda"))
    condition = fast.condition(*scene(1, 2, 2))
    style = torch.randn(1, 3)
    wanted = fast(condition, style)
    for room in (0, 10_000, 100_000):
        layout = Layout(condition, room_bytes=room)
        for _ in range(2):
            [image] = fast.in_styles(layout, [style])
            assert torch.equal(image, wanted)


@pytest.mark.parametrize("settings", [{}, STYLED], ids=["plain", "styled"])
def test_the_renderer_pads_odd_sizes_for_it(plain_network, settings, monkeypatch):
    plain = plain_network(**settings)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, (2, 9, 7)).repeat(8, 1).repeat(8, 2).astype(np.uint8)
    styles = [Style(None, rng.normal(size=(1, 3)).astype(np.float32)) if settings else None for _ in labels]
    labels[1] = labels[0]  # one layout, two styles
    wanted = Renderer(plain, "cpu", "float32", path=FastPath(rewrites="none")).render(labels, None, styles)
    monkeypatch.setattr(CcfpseGenerator, "for_inference", lambda self, device: FusedCcfpse(self))
    renderer = Renderer(plain, "cpu", "float32")
    assert isinstance(renderer._network.generator, FusedCcfpse)
    found = renderer.render(labels, None, styles)
    assert found.shape == (2, 72, 56, 3)
    assert np.abs(found.astype(int) - wanted).max() <= 1
    [again] = renderer.in_styles(renderer.layout(labels[1]), [styles[1]])
    assert np.array_equal(again, found[1])


def test_labels_outside_the_space_are_refused(plain_network):
    fast = plain_network().for_inference(torch.device("cuda"))
    labels = torch.full((1, 64, 64), 5)
    with pytest.raises(ValueError, match=r"label channel 5 is outside 0\.\.4"):
        fast.condition(labels, labels.int())
