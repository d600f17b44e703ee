"""Lab2Pix-V1's networks against the outputs and sizes of the authors' own."""

import numpy as np
import pytest
import torch

from generators.family import LabelSpace
from generators.lab2pix_v1 import Lab2pixV1Config, Lab2pixV1Generator
from generators.lab2pix_v1.discriminator import PerceptualDiscriminator
from generators.lab2pix_v1.segmenter import Segmenter
from generators.vgg16 import Vgg16Pools

SPACE = LabelSpace(35)
# The authors' segmenter carries two auxiliary 1 x 1 heads (on 256 and 128 channels) that nothing uses.
UNUSED_HEADS = (256 + 1) * 35 + (128 + 1) * 35


def test_segmenter_gives_the_authors_logits(golden_fill, golden_inputs):
    image = golden_inputs(256, 128).latent(3 * 128 * 256).view(1, 3, 128, 256)
    with torch.inference_mode():
        logits = golden_fill(Segmenter(35))(image)
    assert logits.shape == (1, 35, 256, 256)
    found = [logits.mean(), logits.std(correction=0), *logits.flatten()[[0, logits.numel() // 2, -1]]]
    np.testing.assert_allclose(found, [0.063226, 0.682623, 0.183243, 0.139809, -0.456027], atol=5e-6)


def test_discriminator_gives_the_authors_scores(golden_fill, golden_inputs):
    image = golden_inputs(256, 128).latent(3 * 128 * 256).view(1, 3, 128, 256)
    backbone = golden_fill(Vgg16Pools(None))
    judge = golden_fill(PerceptualDiscriminator(3, backbone.widths))
    with torch.inference_mode():
        scores = [torch.sigmoid(score) for score in judge(image, backbone(image, 3))]
    assert [tuple(score.shape[-2:]) for score in scores] == [(16, 32), (8, 16), (4, 8)]
    found = [[score.mean(), score.std(correction=0), score.flatten()[0]] for score in scores]
    wanted = [[0.506920, 0.156741, 0.526313], [0.511540, 0.138775, 0.494245], [0.557548, 0.145777, 0.512011]]
    np.testing.assert_allclose(found, wanted, atol=5e-6)


def test_networks_have_the_published_sizes():
    with torch.device("meta"):
        generator = Lab2pixV1Generator(Lab2pixV1Config(), SPACE)
        judges = [PerceptualDiscriminator(levels, (256, 512, 512)) for levels in (3, 2, 1)]
        backbone, segmenter = Vgg16Pools(None), Segmenter(35)
    sizes = [sum(weight.numel() for weight in net.parameters()) for net in (generator, *judges, segmenter, backbone)]
    assert sizes == [101_035_532, 27_942_019, 15_342_722, 2_743_425, 6_837_353 - UNUSED_HEADS, 42_656_707 - 27_942_019]


@pytest.mark.parametrize(("condition", "blocks", "stride"), [("labels", 4, 128), ("labels", 2, 32), ("sketch", 4, 32)])
def test_blocks_of_the_trunk_decide_the_stride(condition, blocks, stride):
    config = Lab2pixV1Config(base_channels=1, hidden_channels=1, condition=condition, trunk_blocks=blocks)
    assert Lab2pixV1Generator(config, LabelSpace(3)).stride == stride


def test_a_sketch_needs_no_code():
    config = Lab2pixV1Config(base_channels=2, hidden_channels=4, condition="sketch", trunk_blocks=3)
    generator = Lab2pixV1Generator(config, LabelSpace(2)).eval()
    strokes = (torch.rand(1, 64, 128) > 0.9).long()
    condition = generator.condition(strokes, strokes.int())
    assert condition.unique().tolist() == [-1, 1]
    with torch.inference_mode():
        assert generator(condition, None).shape == (1, 3, 64, 128)


def test_a_sketch_refuses_a_trunk_its_encoder_would_replace():
    with pytest.raises(ValueError, match=r"too few") as refused:
        Lab2pixV1Generator(Lab2pixV1Config(condition="sketch", trunk_blocks=2), LabelSpace(2))
    assert str(refused.value) == "trunk_blocks 2 is too few; a sketch's encoder replaces two of them"
