"""The first steps of OASIS: weights under a spectral norm must not outrun its one power iteration."""

import pytest
import torch

from generators.family import Batch, LabelSpace
from generators.oasis.config import OasisConfig
from generators.oasis.system import OasisSystem
from generators.spectral_norm import spectral_layers

SMALL = {"base_channels": 4, "hidden_channels": 8, "noise_dim": 4, "discriminator_channels": 16}


def largest_singular_value(gain: float) -> float:
    """Of any weight that the discriminator uses in its first three steps; its norm takes it for 1."""
    torch.manual_seed(0)
    config = OasisConfig(**SMALL, discriminator_gain=gain)
    system = OasisSystem(config, LabelSpace(3)).train()
    optimizer = system.optimizers().discriminator
    labels = torch.arange(64 * 64).view(1, 64, 64) // 1366
    batch = Batch(labels, labels.int(), torch.rand(1, 3, 64, 64) * 2 - 1)
    largest = 0.0
    for _ in range(3):
        optimizer.zero_grad()
        torch.autograd.backward(system.discriminator_turn(batch, batch.image_BCHW).total)
        optimizer.step()
        layers = spectral_layers(system.eval().discriminator)
        values = [torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item() for layer in layers]
        largest = max(largest, *values)
        system.train()
    return largest


def test_narrow_discriminators_drawn_wide_stay_within_their_spectral_norm():
    assert largest_singular_value(3.0) < 1.2


def test_narrow_discriminators_drawn_at_the_published_gain_outrun_it():
    assert largest_singular_value(0.02) > 3


@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_gains_are_of_one_player_each(player: str) -> None:
    torch.manual_seed(0)
    system = OasisSystem(OasisConfig(**SMALL, **{f"{player}_gain": 1.0}), LabelSpace(3))
    first = {"generator": system.generator.start, "discriminator": system.discriminator.classify}
    spreads = {
        name: layer.weight.std() / (2 / (layer.weight[0].numel() + layer.weight[:, 0].numel())) ** 0.5
        for name, layer in first.items()
    }
    other = "discriminator" if player == "generator" else "generator"
    assert spreads[player].item() == pytest.approx(1.0, rel=0.25)
    assert spreads[other].item() == pytest.approx(0.02, rel=0.25)
