"""CC-FPSE rewritten for rendering against the plain network."""

import pytest
import torch

from generators import minimal_filtering
from generators.ccfpse import strips as strips_module
from generators.ccfpse.inference import StripwiseCcfpse
from generators.family import LabelSpace
from generators.layout import Layout
from generators.minimal_filtering import MinimalConv, filtered_minimally

SPACE = LabelSpace(5)


@pytest.mark.parametrize("rows", [1, 3, 2**14])
@torch.inference_mode()
def test_images_are_the_plain_networks_however_thin_the_strips(plain_network, rows, monkeypatch):
    monkeypatch.setattr(strips_module, "_PIXELS_AT_ONCE", 1)
    monkeypatch.setattr(strips_module, "_LEAST_ROWS", rows)
    plain = plain_network()
    fast = plain.for_inference(torch.device("cpu"))
    assert isinstance(fast, StripwiseCcfpse)
    labels = torch.randint(0, 5, (2, 8, 16)).repeat_interleave(8, 1).repeat_interleave(8, 2)
    condition = plain.condition(labels, labels.int())
    wanted = plain(condition, None)
    torch.testing.assert_close(fast(fast.condition(labels, labels.int()), None), wanted, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_kernels_are_the_same_predicted_tile_by_tile(plain_network, monkeypatch):
    monkeypatch.setattr(minimal_filtering, "_LEAST_CHANNELS", 1)
    monkeypatch.setattr(minimal_filtering, "_TILES_AT_ONCE", 3)
    plain = plain_network()
    fast = plain.for_inference(torch.device("cpu"))
    filtered_minimally(fast)
    assert all(isinstance(tap, MinimalConv) for block in fast.blocks for tap in block.conv_0.taps)
    labels = torch.randint(0, 5, (2, 9, 16)).repeat_interleave(8, 1).repeat_interleave(8, 2)[:, :64]
    wanted = plain(plain.condition(labels, labels.int()), None)
    torch.testing.assert_close(fast(fast.condition(labels, labels.int()), None), wanted, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_several_styles_of_one_layout_share_its_kernels(plain_network):
    plain = plain_network(use_vae=True, start_grid=(2, 2), style_dim=3)
    fast = plain.for_inference(torch.device("cpu"))
    labels = torch.randint(0, 5, (1, 64, 64))
    condition = fast.condition(labels, labels.int())
    styles = torch.randn(3, 3)
    together = fast(condition, styles)
    for image, style in zip(together, styles, strict=True):
        wanted = plain(plain.condition(labels, labels.int()), style[None])[0]
        torch.testing.assert_close(image, wanted, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_another_style_of_a_layout_that_is_kept_predicts_nothing_anew(plain_network, monkeypatch):
    fast = plain_network(use_vae=True, start_grid=(2, 2), style_dim=3).for_inference(torch.device("cpu"))
    labels = torch.randint(0, 5, (1, 64, 64))
    layout = Layout(fast.condition(labels, labels.int()), room_bytes=2**30)
    first, second = torch.randn(2, 3).split(1)
    fast.in_styles(layout, [first])
    with monkeypatch.context() as patched:
        patched.setattr(strips_module.Strip, "hidden", lambda *_: pytest.fail("predicted anew"))
        [again] = fast.in_styles(layout, [second])
    assert torch.equal(again, fast(layout.condition, second))
