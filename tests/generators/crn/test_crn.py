"""CRN: published sizes, its norm, its label pyramid and its loss by hand."""

import pytest
import torch

from generators.crn import CrnConfig, CrnGenerator, CrnSystem
from generators.crn.diversity import best_candidates, class_errors
from generators.crn.features import Compared, Vgg19Features, vgg19_with_average_pooling
from generators.crn.generator import RefinementModule
from generators.family import Batch, LabelSpace


@pytest.mark.parametrize(
    ("modules", "candidates", "parameters"), [(7, 9, 97_875_483), (8, 1, 98_622_851), (9, 1, 98_674_531)]
)
def test_generator_has_the_published_size(modules, candidates, parameters):
    with torch.device("meta"):
        generator = CrnGenerator(CrnConfig(modules=modules, candidates=candidates), LabelSpace(20))
    assert sum(weight.numel() for weight in generator.parameters()) == parameters


def test_norm_takes_its_statistics_over_the_whole_sample():
    module = RefinementModule(3, 4)
    x = torch.randn(2, 4, 5, 5)
    wanted = (x - x.mean(dim=(1, 2, 3), keepdim=True)) / x.std(dim=(1, 2, 3), keepdim=True, correction=0)
    torch.testing.assert_close(module.layers[1](x), wanted)


def test_every_module_sees_the_share_of_each_class_at_its_size():
    generator = CrnGenerator(CrnConfig(base_channels=32, modules=2), LabelSpace(2)).eval()
    seen = []
    generator.cascade[0].register_forward_pre_hook(lambda _module, arguments: seen.append(arguments[0]))
    labels = torch.tensor([[[0, 1], [1, 1]]])
    with torch.inference_mode():
        generator(generator.condition(labels, labels.int()), None)
    assert seen[0].flatten().tolist() == [0.25, 0.75]


def test_errors_by_class_add_up_to_the_plain_error():
    fake, real = torch.rand(1, 5, 4, 4), torch.rand(1, 5, 4, 4)
    labels = torch.nn.functional.one_hot(torch.randint(0, 3, (1, 4, 4)), 3).permute(0, 3, 1, 2).float()
    errors = class_errors([Compared(fake, 2.0)], [Compared(real, 2.0)], labels)
    assert errors.sum().item() == pytest.approx((fake - real).abs().mean().item() / 2)


def test_each_class_learns_from_its_best_candidate():
    errors = torch.tensor([[1.0, 4.0], [3.0, 2.0]])
    assert best_candidates(errors).item() == pytest.approx(0.999 * (1 + 2) + 0.001 * (5 + 5) / 2)


def test_one_candidate_has_the_plain_error():
    assert best_candidates(torch.tensor([[1.0, 4.0]])).item() == pytest.approx(5)


def some_batch() -> Batch:
    labels = torch.randint(0, 3, (1, 32, 64))
    return Batch(labels, labels.int(), torch.rand(1, 3, 32, 64))


def test_with_vgg_weights_nobody_opposes_the_generator(tmp_path):
    path = tmp_path / "vgg19.pth"
    layers = vgg19_with_average_pooling()
    torch.save({f"features.{name}": tensor for name, tensor in layers.state_dict().items()}, path)
    assert len(Vgg19Features(path)(torch.rand(1, 3, 32, 64))) == 6
    system = CrnSystem(CrnConfig(base_channels=32, modules=3, vgg_weights=str(path)), LabelSpace(3))
    batch = some_batch()
    turn = system(batch, "generator")
    judged = system(batch, "discriminator", turn.fake_BCHW)
    torch.autograd.backward(judged.total)
    assert judged.total.item() == 0
    assert system.fallbacks() == ()


def test_without_weights_a_discriminator_lends_its_features():
    system = CrnSystem(CrnConfig(base_channels=32, modules=3, discriminator_channels=2, candidates=2), LabelSpace(3))
    assert system.fallbacks() == (
        "no VGG-19 weights (vgg_weights): images are compared by features of a discriminator trained alongside",
    )
    turn = system(some_batch(), "generator")
    assert turn.total.item() == pytest.approx(turn.terms["features"].item())


def test_weights_of_another_network_are_refused_by_name(tmp_path):
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "vgg.pth")
    with pytest.raises(ValueError, match=r"features.0.weight") as refused:
        Vgg19Features(tmp_path / "vgg.pth")
    assert str(refused.value) == (f"{tmp_path}/vgg.pth: 'features.0.weight' has shape (1,), VGG-19 has (64, 3, 3, 3)")
