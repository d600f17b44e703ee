"""The form that renders gives the images of the form that trains."""

import pytest
import torch

from generators.family import LabelSpace
from generators.memory_format import channels_last
from generators.pix2pixhd import Pix2PixHDConfig, Pix2PixHDGenerator
from generators.pix2pixhd.fused import FusedPix2PixHD
from generators.pix2pixhd.generator import build_generator
from generators.pix2pixhd.inference import LookupPix2PixHD

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "config",
    [
        {"feature_channels": 0},
        {"feature_channels": 0, "instance_edges": False},
        {"num_enhancers": 1},
        {"num_enhancers": 2, "feature_channels": 0},
        {"norm": "layer", "num_enhancers": 1},
    ],
    ids=["global", "global without edges", "enhancer with styles", "two enhancers", "layer norm"],
)
@pytest.mark.parametrize("form", [LookupPix2PixHD, FusedPix2PixHD])
@torch.inference_mode()
def test_the_form_of_each_device_gives_the_same_image(config, form, golden_inputs, golden_fill):
    given = golden_inputs(128, 64)
    config = Pix2PixHDConfig(base_channels=8, num_downsamplings=2, num_blocks=2, **config)
    plain = golden_fill(build_generator(config, LabelSpace(35)))
    fast = form(plain)
    style = given.image_BCHW if plain.style_dim else None
    maps = given.labels_BHW, given.instances_BHW
    torch.testing.assert_close(
        fast(fast.condition(*maps), style), plain(plain.condition(*maps), style), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(
        fast(fast.condition(*maps), None), plain(plain.condition(*maps), None), atol=1e-4, rtol=0
    )


def test_each_device_gets_its_form_and_sketches_keep_the_plain_network():
    config = Pix2PixHDConfig(base_channels=4, num_downsamplings=1, num_blocks=0, encoder_downsamplings=1)
    sketch = Pix2PixHDGenerator(config.model_copy(update={"condition": "sketch"}), LabelSpace(256))
    assert isinstance(sketch.for_inference(CPU), Pix2PixHDGenerator)
    labels = Pix2PixHDGenerator(config, LabelSpace(5))
    assert isinstance(labels.for_inference(CPU), LookupPix2PixHD)
    assert isinstance(labels.for_inference(torch.device("cuda")), FusedPix2PixHD)


@torch.inference_mode()
def test_the_form_for_gpus_by_its_kernels(kernels_on, golden_inputs, golden_fill):
    given = golden_inputs(64, 32)
    config = Pix2PixHDConfig(base_channels=8, num_downsamplings=1, num_blocks=1, num_enhancers=1)
    plain = golden_fill(build_generator(config, LabelSpace(35))).to(kernels_on)
    maps = given.labels_BHW.to(kernels_on), given.instances_BHW.to(kernels_on)
    style = given.image_BCHW.to(kernels_on)
    fast = channels_last(FusedPix2PixHD(plain))
    torch.testing.assert_close(
        fast(fast.condition(*maps), style), plain(plain.condition(*maps), style), atol=1e-3, rtol=0
    )
