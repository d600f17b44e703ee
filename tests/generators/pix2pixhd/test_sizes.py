"""pix2pixHD has as many parameters as the authors' networks, and goes on to 4096x2048."""

import pytest
import torch

from generators.family import LabelSpace
from generators.patch_discriminator import MultiScaleDiscriminator
from generators.pix2pixhd import FeatureEncoder, Pix2PixHDConfig, Pix2PixHDGenerator

CITYSCAPES = LabelSpace(35)


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (lambda: Pix2PixHDGenerator(Pix2PixHDConfig(feature_channels=0), CITYSCAPES), 182_546_755),
        (lambda: Pix2PixHDGenerator(Pix2PixHDConfig(), CITYSCAPES), 182_556_163),
        (lambda: Pix2PixHDGenerator(Pix2PixHDConfig(feature_channels=0, num_enhancers=1), CITYSCAPES), 182_857_059),
        (lambda: FeatureEncoder(16, 4, 3), 788_803),
        (lambda: MultiScaleDiscriminator(39, num_scales=3), 8_404_803),
        (lambda: MultiScaleDiscriminator(39, num_scales=2), 5_603_202),
        (lambda: MultiScaleDiscriminator(39, num_scales=2, norm="spectral_instance"), 5_601_410),
    ],
    ids=["global", "global with features", "enhancer", "encoder", "D 3 scales", "D 2 scales", "SPADE's D"],
)
def test_full_size_has_the_published_number_of_parameters(build, count):
    with torch.device("meta"):
        network = build()
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_a_second_enhancer_brings_it_to_4096x2048():
    """G3 on G2 on G1: widths 16, 32 and 64; shapes alone, for the pixels would fill the memory."""
    config = Pix2PixHDConfig(num_enhancers=2, discriminator_scales=3)
    with torch.device("meta"):
        generator = Pix2PixHDGenerator(config, CITYSCAPES)
        condition = torch.empty(1, 36, 2048, 4096)
        image = generator(condition, None)
    assert image.shape == (1, 3, 2048, 4096)
    assert generator.stride == 64
    fronts = [enhancer.front[0][0].out_channels for enhancer in generator.enhancers]
    assert fronts == [32, 16]


@torch.inference_mode()
def test_every_enhancer_sees_the_input_at_its_own_size_and_only_the_last_has_a_head():
    config = Pix2PixHDConfig(
        base_channels=8, num_downsamplings=1, num_blocks=1, num_enhancers=2, num_enhancer_blocks=1, feature_channels=0
    )
    generator = Pix2PixHDGenerator(config, LabelSpace(3)).eval()
    seen = []
    for part in (generator.trunk, *(enhancer.front for enhancer in generator.enhancers)):
        part.register_forward_pre_hook(lambda _part, given: seen.append(tuple(given[0].shape[-2:])))
    labels = torch.zeros(1, 32, 64, dtype=torch.long)
    assert generator(generator.condition(labels, labels.int()), None).shape == (1, 3, 32, 64)
    assert seen == [(8, 16), (16, 32), (32, 64)]
    assert [layer.out_channels for layer in generator.modules() if isinstance(layer, torch.nn.Conv2d)].count(3) == 1
