"""pix2pixHD gives what the authors' network gives, and has as many parameters."""

import pytest
import torch

from generators.conditioning import instance_mean
from generators.family import LabelSpace
from generators.patch_discriminator import MultiScaleDiscriminator
from generators.pix2pixhd import FeatureEncoder, Pix2PixHDConfig, Pix2PixHDGenerator

CITYSCAPES = LabelSpace(35)
SMALL = {"base_channels": 8, "feature_channels": 0}
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def arrays(golden_arrays):
    return golden_arrays("pix2pixhd_128x64_ngf8.npz")


@pytest.fixture(scope="module")
def given(golden_inputs):
    return golden_inputs(128, 64)


def assert_same(ours: torch.Tensor, golden) -> None:
    torch.testing.assert_close(ours, torch.from_numpy(golden).view_as(ours), atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(
    ("name", "config"),
    [("global", {}), ("global_feat", {"feature_channels": 3}), ("local_enhancer", {"num_enhancers": 1})],
)
@torch.inference_mode()
def test_generator_reproduces_the_authors_output(name, config, arrays, given, golden_fill):
    generator = golden_fill(Pix2PixHDGenerator(Pix2PixHDConfig(**(SMALL | config)), CITYSCAPES))
    style = given.image_BCHW if generator.style_dim else None
    assert_same(generator(generator.condition(given.labels_BHW, given.instances_BHW), style), arrays[name])


@torch.inference_mode()
def test_encoder_and_pooling_reproduce_the_authors_output(arrays, given, golden_fill):
    encoder = golden_fill(FeatureEncoder(2, 4, 3))
    assert_same(instance_mean(encoder(given.image_BCHW), given.instances_BHW), arrays["feature_encoder"])


@torch.inference_mode()
def test_discriminator_reproduces_every_intermediate_map(arrays, given, golden_fill):
    discriminator = golden_fill(MultiScaleDiscriminator(39, base_channels=8, num_scales=3))
    generator = Pix2PixHDGenerator(Pix2PixHDConfig(**SMALL), CITYSCAPES)
    condition = generator.condition(given.labels_BHW, given.instances_BHW)
    maps = discriminator(torch.cat([condition, given.image_BCHW], 1))
    names = {f"discriminator_3scale.{s}.{layer}" for s in range(3) for layer in range(5)}
    assert names == {name for name in arrays if name.startswith("discriminator")}
    for s, scale in enumerate(maps):
        for layer, ours in enumerate(scale):
            assert_same(ours, arrays[f"discriminator_3scale.{s}.{layer}"])


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
