"""Every family, tiny, learns four flat-coloured pairs: its own loss, and the distance to the pictures, fall clearly."""

import pytest
import torch

from generators import FAMILIES
from generators.family import Batch, LabelSpace

SPACE = LabelSpace(5, thing_channels=(3, 4))
COLOURS = torch.tensor([[-0.8, -0.8, 0.6], [0.7, -0.6, -0.7], [-0.6, 0.7, -0.6], [0.8, 0.8, -0.5], [0.6, 0.6, 0.7]])
SPADE_LIKE = {
    "base_channels": 4,
    "hidden_channels": 16,
    "discriminator_channels": 8,
    "generator_rate": 4e-3,
    "discriminator_rate": 4e-3,
}
# Settings, steps, and the share of the first distance to the pictures that may be left.
PAIRED = {
    "pix2pixhd": (
        {
            "base_channels": 8,
            "num_downsamplings": 2,
            "num_blocks": 1,
            "encoder_channels": 4,
            "encoder_downsamplings": 2,
            "discriminator_channels": 8,
            "generator_rate": 2e-3,
        },
        30,
        0.6,
    ),
    "spade": ({**SPADE_LIKE, "upsampling": "normal"}, 32, 0.6),
    "ccfpse": ({**SPADE_LIKE, "upsampling": "normal", "pyramid_channels": 8, "discriminator_rate": 1e-3}, 32, 0.7),
    "lab2pix_v2": (
        {**SPADE_LIKE, "upsampling": "normal", "global_channels": 4, "backbone_channels": 8},
        15,
        0.7,
    ),
    # A slow adversary: at 4e-3 whether it comes near within so few steps hung on the last bits of sums.
    "oasis": ({**SPADE_LIKE, "noise_dim": 4, "generator_rate": 2e-3, "discriminator_rate": 5e-4}, 48, 0.85),
    "pix2pix": ({"base_channels": 8, "discriminator_channels": 8, "levels": 5, "rate": 2e-3}, 20, 0.5),
    "crn": ({"base_channels": 32, "modules": 5, "discriminator_channels": 8, "generator_rate": 4e-3}, 15, 0.6),
}


def four_pairs() -> Batch:
    labels = torch.randint(0, 5, (4, 4, 4)).repeat_interleave(16, 1).repeat_interleave(16, 2)
    return Batch(labels, labels.int(), COLOURS[labels].permute(0, 3, 1, 2).contiguous())


def train(name: str, settings: dict[str, object], steps: int) -> tuple[list[float], list[dict[str, float]]]:
    """Distance to the pictures and the generator's terms at every step."""
    torch.manual_seed(0)
    family = FAMILIES[name]
    system = family.build_system(family.config(**settings), SPACE).train()
    batch, players = four_pairs(), system.optimizers()
    distances, terms = [], []
    for _ in range(steps):
        turn = system(batch, "generator")
        players.generator.zero_grad()
        torch.autograd.backward(turn.total)
        players.generator.step()
        judged = system(batch, "discriminator", turn.fake_BCHW)
        players.discriminator.zero_grad()
        torch.autograd.backward(judged.total)
        players.discriminator.step()
        distances.append((turn.fake_BCHW - batch.image_BCHW).abs().mean().item())
        terms.append({name: term.item() for name, term in turn.terms.items()})
    return distances, terms


# Half a minute each.
SLOW = ("ccfpse", "lab2pix_v2", "oasis")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] if name in SLOW else []) for name in sorted(PAIRED)]
)
def test_paired_family_comes_close_to_four_pictures(name):
    settings, steps, share = PAIRED[name]
    distances, _ = train(name, settings, steps)
    # The adversary alone leads some of them: they come close, are driven off again and come back.
    assert min(distances[steps // 2 :]) < share * distances[0]


def test_unpaired_family_draws_what_its_segmenters_can_read():
    settings = {
        "base_channels": 4,
        "hidden_channels": 16,
        "trunk_blocks": 2,
        "start_grid": (2, 2),
        "discriminator_channels": 4,
        "backbone_channels": 4,
        "segmenter_channels": 4,
        "rate": 4e-3,
    }
    _, terms = train("lab2pix_v1", settings, 12)
    assert terms[-1]["labels"] < 0.8 * terms[0]["labels"]
