"""OASIS rewritten for rendering against the plain network."""

import pytest
import torch

from generators.family import LabelSpace
from generators.oasis import OasisConfig, OasisGenerator
from generators.oasis.inference import FoldedOasisGenerator


def plain_network() -> OasisGenerator:
    torch.manual_seed(0)
    generator = OasisGenerator(OasisConfig(base_channels=3, hidden_channels=8, noise_dim=4), LabelSpace(5)).eval()
    for layer in generator.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
    return generator


@pytest.mark.parametrize("painted_by_region", [False, True])
@torch.inference_mode()
def test_images_are_the_plain_networks(painted_by_region):
    plain = plain_network()
    fast = plain.for_inference(torch.device("cpu"))
    assert isinstance(fast, FoldedOasisGenerator)
    labels = torch.randint(0, 5, (2, 2, 4)).repeat_interleave(32, 1).repeat_interleave(32, 2)
    noise = torch.randn(2, 4, 1, 1).expand(-1, -1, 64, 128).clone()
    if painted_by_region:
        noise[:, :, :, 64:] = torch.randn(2, 4, 1, 1)
    wanted = plain(plain.condition(labels, labels.int()), noise)
    found = fast(fast.condition(labels, labels.int()), noise)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_without_a_given_noise_one_vector_is_drawn_an_image():
    plain = plain_network()
    fast = plain.for_inference(torch.device("cpu"))
    labels = torch.randint(0, 5, (1, 64, 64))
    torch.manual_seed(4)
    wanted = plain(plain.condition(labels, labels.int()), None)
    torch.manual_seed(4)
    torch.testing.assert_close(fast(fast.condition(labels, labels.int()), None), wanted, atol=1e-5, rtol=0)
