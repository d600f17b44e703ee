"""The VGG loss: taps, weights and how a weights file is refused."""

import pytest
import torch
from torch import nn

from generators.perceptual import PerceptualLoss, load_perceptual_loss, vgg19_features

TAPS = {1: 1 / 32, 6: 1 / 16, 11: 1 / 8, 20: 1 / 4, 29: 1.0}


@pytest.fixture(scope="module")
def vgg(golden_fill):
    return golden_fill(vgg19_features())


def published(vgg: nn.Sequential) -> dict[str, torch.Tensor]:
    return {f"features.{name}": tensor for name, tensor in vgg.state_dict().items()} | {
        "classifier.0.bias": torch.zeros(1)
    }


def test_loss_is_the_weighted_mean_difference_at_five_taps(vgg):
    fake, real = torch.randn(2, 1, 3, 32, 32, generator=torch.Generator().manual_seed(0)).unbind()
    expected, a, b = 0.0, fake, real
    for index, layer in enumerate(vgg):
        a, b = layer(a), layer(b)
        expected += TAPS.get(index, 0) * (a - b).abs().mean().item()
    assert PerceptualLoss(vgg)(fake, real).item() == pytest.approx(expected, rel=1e-5)


def test_gradients_reach_the_fake_and_no_weight(vgg):
    fake = torch.randn(1, 3, 16, 16, requires_grad=True)
    PerceptualLoss(vgg)(fake, torch.zeros(1, 3, 16, 16)).backward()
    assert fake.grad is not None
    assert all(weight.grad is None for weight in vgg.parameters())


def test_published_weights_are_read_without_unpickling_code(vgg, tmp_path):
    torch.save(published(vgg), tmp_path / "vgg19.pth")
    image = torch.ones(1, 3, 16, 16)
    ours = load_perceptual_loss(tmp_path / "vgg19.pth")(image, -image)
    assert ours.item() == pytest.approx(PerceptualLoss(vgg)(image, -image).item())


def test_another_network_is_refused_by_the_first_tensor(vgg, tmp_path):
    path = tmp_path / "vgg16.pth"
    state = published(vgg)
    del state["features.16.weight"]
    torch.save(state, path)
    with pytest.raises(
        ValueError,
        match=r"no 'features\.16\.weight'; expected the state dict of an ImageNet VGG-19 without batch norm$",
    ):
        load_perceptual_loss(path)
