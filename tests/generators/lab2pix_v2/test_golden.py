"""Lab2Pix-V2's networks against the outputs and sizes of the authors' own."""

import numpy as np
import pytest
import torch

from generators.family import Batch, LabelSpace
from generators.lab2pix_v2 import LAB2PIX_V2, Lab2pixV2Config, Lab2pixV2Generator
from generators.lab2pix_v2.discriminator import PerceptualDiscriminators
from generators.vgg16 import Vgg16Pools

SPACE = LabelSpace(35)


def test_discriminator_gives_the_authors_scores(golden_fill, golden_inputs):
    inputs = golden_inputs(256, 128)
    image = inputs.latent(3 * 128 * 256).view(1, 3, 128, 256)
    condition = Lab2pixV2Generator(Lab2pixV2Config(base_channels=2, global_channels=2), SPACE).condition(
        inputs.labels_BHW, inputs.instances_BHW
    )
    backbone = golden_fill(Vgg16Pools(None, renormalise=True))
    discriminator = golden_fill(PerceptualDiscriminators(36, 3, backbone.widths))
    with torch.inference_mode():
        verdicts = discriminator(condition, image, backbone)
    scores = [torch.cat(verdict.scores, dim=1) for verdict in verdicts]
    assert [tuple(score.shape) for score in scores] == [(1, 3, 16, 32), (1, 2, 8, 16)]
    assert [len(verdict.features) for verdict in verdicts] == [8, 6]
    found = [[score.mean(), score.std(correction=0), *score.flatten()[[0, score.numel() // 2, -1]]] for score in scores]
    wanted = [
        [0.111596, 0.573028, -0.112467, 0.291290, -0.318723],
        [0.050496, 0.534377, -0.212717, 0.066345, -0.153378],
    ]
    np.testing.assert_allclose(found, wanted, atol=5e-6)
    inception = verdicts[0].features[4]
    found = [inception.mean(), inception.std(correction=0), *inception.flatten()[[0, inception.numel() // 2, -1]]]
    np.testing.assert_allclose(found, [0.956283, 1.128360, 2.616118, -1.030574, -0.021563], atol=2e-5)


def test_networks_have_the_published_sizes():
    with torch.device("meta"):
        generator = Lab2pixV2Generator(Lab2pixV2Config(), SPACE)
        discriminator = PerceptualDiscriminators(36, 3, (256, 512, 512))
    assert sum(weight.numel() for weight in generator.parameters()) == 105_827_075
    assert sum(weight.numel() for weight in discriminator.parameters()) == 63_367_685


def test_a_sketch_takes_the_place_of_the_classes():
    config = Lab2pixV2Config(base_channels=2, hidden_channels=4, global_channels=2, condition="sketch")
    generator = Lab2pixV2Generator(config, LabelSpace(256)).eval()
    drawing = torch.randint(0, 256, (1, 64, 128))
    condition = generator.condition(drawing, torch.zeros_like(drawing).int())
    torch.testing.assert_close(condition[:, 0], drawing / 255)
    assert condition.shape == (1, 2, 64, 128)
    with torch.inference_mode():
        assert generator(condition, None).shape == (1, 3, 64, 128)


@pytest.mark.parametrize("upsampling", ["normal", "more", "most"])
def test_every_number_of_upsamplings_paints_and_learns(upsampling):
    config = Lab2pixV2Config(
        base_channels=2,
        hidden_channels=4,
        global_channels=2,
        discriminator_channels=2,
        backbone_channels=2,
        upsampling=upsampling,
    )
    system = LAB2PIX_V2.build_system(config, LabelSpace(3))
    labels = torch.randint(0, 3, (1, 128, 256))
    turn = system.generator_turn(Batch(labels, labels.int(), torch.rand(1, 3, 128, 256) * 2 - 1))
    assert turn.fake_BCHW.shape == (1, 3, 128, 256)
    torch.autograd.backward(turn.total)
    lost = [name for name, weight in system.generator.named_parameters() if weight.grad is None]
    assert lost == []
    fast = system.generator.eval().for_inference(torch.device("cpu"))
    instances = labels.int()
    with torch.inference_mode():
        plain = system.generator(system.generator.condition(labels, instances), None)
        torch.testing.assert_close(fast(fast.condition(labels, instances), None), plain, atol=1e-4, rtol=0)
