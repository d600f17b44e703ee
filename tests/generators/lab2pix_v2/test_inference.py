"""Lab2Pix-V2 rewritten for rendering against the plain network."""

import pytest
import torch
import torch.nn.functional as F

from generators.family import LabelSpace
from generators.lab2pix_v2 import Lab2pixV2Config, Lab2pixV2Generator
from generators.lab2pix_v2.inference import EnlargedConv


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
@torch.inference_mode()
def test_convolving_the_coarse_grid_equals_convolving_its_enlargement(factor):
    conv = torch.nn.Conv2d(3, 4, 3, padding=1)
    x = torch.randn(2, 3, 3, 5)
    wanted = conv(F.interpolate(x, scale_factor=float(factor), mode="nearest"))
    torch.testing.assert_close(EnlargedConv(conv, factor)(x), wanted, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_images_are_the_plain_networks():
    torch.manual_seed(0)
    config = Lab2pixV2Config(base_channels=3, hidden_channels=8, global_channels=3, upsampling="normal")
    plain = Lab2pixV2Generator(config, LabelSpace(4)).eval()
    for layer in plain.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
    labels = torch.randint(0, 4, (2, 64, 128))
    condition = plain.condition(labels, labels.int())
    wanted = plain(condition, None)
    fast = plain.for_inference(torch.device("cpu"))
    torch.testing.assert_close(fast(condition, None), wanted, atol=1e-5, rtol=0)
    assert torch.equal(plain(condition, None), wanted)
