import torch

from generators.family import LabelSpace
from generators.pix2pixhd.config import Pix2PixHDConfig
from generators.pix2pixhd.generator import GlobalTrunk, build_generator


def test_skips_add_the_features_of_each_size_on_the_way_up() -> None:
    torch.manual_seed(0)
    trunk = GlobalTrunk(3, 4, num_downsamplings=2, num_blocks=1, skips=True)
    x = torch.randn(1, 3, 16, 32)
    full = trunk[0](x)
    half = trunk[1](full)
    up_to_half = trunk[4](trunk[3](trunk[2](half))) + half
    assert torch.equal(trunk(x), trunk[5](up_to_half) + full)


def test_without_skips_the_trunk_is_its_units_in_a_row() -> None:
    torch.manual_seed(0)
    trunk = GlobalTrunk(3, 4, num_downsamplings=2, num_blocks=1)
    x = expected = torch.randn(1, 3, 16, 32)
    for unit in trunk:
        expected = unit(expected)
    assert torch.equal(trunk(x), expected)


def test_skips_add_no_weights_and_render_the_same_in_the_fast_form() -> None:
    space = LabelSpace(5)
    torch.manual_seed(0)
    config = Pix2PixHDConfig(base_channels=4, num_downsamplings=2, num_blocks=1, skips=True, norm="layer")
    generator = build_generator(config, space).eval()
    plain = build_generator(config.model_copy(update={"skips": False}), space)
    assert generator.state_dict().keys() == plain.state_dict().keys()
    labels = torch.randint(0, 5, (1, 32, 64))
    fast = generator.for_inference(torch.device("cpu"))
    with torch.inference_mode():
        expected = generator(generator.condition(labels, labels.int()), None)
        found = fast(fast.condition(labels, labels.int()), None)
    assert (found - expected).abs().max() < 1e-5
