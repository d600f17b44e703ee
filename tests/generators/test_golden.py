"""Every array of the authors' networks, reproduced: none of the files holds one that is not compared here."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from generators.ccfpse import CcfpseConfig, CcfpseGenerator, FpseDiscriminator
from generators.conditioning import instance_mean
from generators.family import Generator, LabelSpace
from generators.lab2pix_v1 import Lab2pixV1Config, Lab2pixV1Generator
from generators.lab2pix_v2 import Lab2pixV2Config, Lab2pixV2Generator
from generators.oasis import OasisConfig, OasisGenerator, SegmentingDiscriminator
from generators.patch_discriminator import MultiScaleDiscriminator
from generators.pix2pixhd import FeatureEncoder, Pix2PixHDConfig, Pix2PixHDGenerator
from generators.spade import SpadeConfig, SpadeGenerator, StyleEncoder

SPACE = LabelSpace(35)
TOLERANCE = 1e-4
ARRAYS = 67  # in the six files together: 18 inputs and 49 outputs

Named = Iterator[tuple[str, Tensor]]


class Given:
    """Inputs of one size, and networks filled by the rule."""

    def __init__(self, fill: Callable[[torch.nn.Module], torch.nn.Module], inputs) -> None:
        self.fill, self.inputs = fill, inputs

    def condition(self, generator: Generator) -> Tensor:
        return generator.condition(self.inputs.labels_BHW, self.inputs.instances_BHW)

    def image(self, generator: Generator, style: Tensor | None = None) -> Tensor:
        self.fill(generator)
        return generator(self.condition(generator), style)

    def sem36(self) -> Tensor:
        return self.condition(Pix2PixHDGenerator(Pix2PixHDConfig(base_channels=2, num_blocks=0), SPACE))

    def pair(self) -> Tensor:
        return torch.cat([self.sem36(), self.inputs.image_BCHW], dim=1)

    def latent(self, length: int) -> Tensor:
        return self.inputs.latent(length)


def numbered(name: str, maps: Sequence[Tensor]) -> Named:
    yield from ((f"{name}.{index}", found) for index, found in enumerate(maps))


def pix2pixhd(given: Given) -> Named:
    plain = {"base_channels": 8, "feature_channels": 0}
    yield "global", given.image(Pix2PixHDGenerator(Pix2PixHDConfig(**plain), SPACE))
    featured = Pix2PixHDGenerator(Pix2PixHDConfig(base_channels=8), SPACE)
    yield "global_feat", given.image(featured, given.inputs.image_BCHW)
    yield "local_enhancer", given.image(Pix2PixHDGenerator(Pix2PixHDConfig(**plain, num_enhancers=1), SPACE))
    encoder = given.fill(FeatureEncoder(2, 4, 3))
    yield "feature_encoder", instance_mean(encoder(given.inputs.image_BCHW), given.inputs.instances_BHW)
    discriminator = given.fill(MultiScaleDiscriminator(39, base_channels=8, num_scales=3))
    for scale, maps in enumerate(discriminator(given.pair())):
        yield from numbered(f"discriminator_3scale.{scale}", maps)


def spade(given: Given) -> Named:
    yield "generator", given.image(SpadeGenerator(SpadeConfig(base_channels=8), SPACE))
    yield "generator_most", given.image(SpadeGenerator(SpadeConfig(base_channels=8, upsampling="most"), SPACE))
    vae = SpadeConfig(base_channels=8, use_vae=True, start_grid=(2, 4))
    yield "generator_vae", given.image(SpadeGenerator(vae, SPACE), given.latent(256))
    yield from numbered("style_encoder", given.fill(StyleEncoder(8, 256))(given.inputs.image_BCHW))
    discriminator = given.fill(MultiScaleDiscriminator(39, 8, 2, 3, norm="spectral_instance"))
    for scale, maps in enumerate(discriminator(given.pair())):
        yield from numbered(f"discriminator_2scale.{scale}", maps)


def ccfpse(given: Given) -> Named:
    small = {"base_channels": 8, "pyramid_channels": 8}
    yield "generator", given.image(CcfpseGenerator(CcfpseConfig(**small), SPACE))
    vae = CcfpseConfig(**small, use_vae=True, start_grid=(1, 2))
    yield "generator_vae", given.image(CcfpseGenerator(vae, SPACE), given.latent(256))
    verdict = given.fill(FpseDiscriminator(36, 8))(given.sem36(), given.inputs.image_BCHW)
    yield from numbered("discriminator_fpse.0", [feature for group in verdict.features for feature in group])
    yield from numbered("discriminator_fpse.1", verdict.scores)


def lab2pix_v1(given: Given) -> Named:
    generator = given.fill(Lab2pixV1Generator(Lab2pixV1Config(start_grid=(1, 2)), SPACE))
    yield from numbered("generator", generator.pyramid(given.condition(generator), given.latent(128)))


def lab2pix_v2(given: Given) -> Named:
    yield "generator", given.image(Lab2pixV2Generator(Lab2pixV2Config(base_channels=8), SPACE))


def oasis(given: Given) -> Named:
    noise = given.latent(64)[:, :, None, None].expand(-1, -1, 64, 128)
    yield "generator", given.image(OasisGenerator(OasisConfig(base_channels=8), SPACE), noise)
    yield "discriminator_unet", given.fill(SegmentingDiscriminator(35))(given.inputs.image_BCHW)


# By file of the reference: size, and what makes its arrays.
FILES = {
    "pix2pixhd_128x64_ngf8": ((128, 64), pix2pixhd),
    "spade_256x128_ngf8": ((256, 128), spade),
    "ccfpse_128x64_ngf8": ((128, 64), ccfpse),
    "lab2pix_v1_256x128_ngf8": ((256, 128), lab2pix_v1),
    "lab2pix_v2_128x64_ngf8": ((128, 64), lab2pix_v2),
    "oasis_128x64_ngf8": ((128, 64), oasis),
}


@pytest.mark.parametrize("file", FILES)
@torch.inference_mode()
def test_every_array_of_the_file_is_reproduced(file, golden_fill, golden_inputs, golden_arrays):
    size, networks = FILES[file]
    wanted, inputs = golden_arrays(f"{file}.npz"), golden_inputs(*size)
    ours = {
        "labels": inputs.labels_BHW,
        "instances": inputs.instances_BHW,
        "image": inputs.image_BCHW,
        **dict(networks(Given(golden_fill, inputs))),
    }
    assert set(ours) == set(wanted)
    for name, found in ours.items():
        assert found.numel() == wanted[name].size, name
        found = found.reshape(wanted[name].shape)
        np.testing.assert_allclose(found.numpy(), wanted[name], atol=TOLERANCE, rtol=0, err_msg=name)


def test_no_file_of_the_reference_is_left_out(golden_folder, golden_arrays):
    assert {path.stem for path in golden_folder.glob("*.npz")} == set(FILES)
    assert sum(len(golden_arrays(f"{file}.npz")) for file in FILES) == ARRAYS
