"""SPADE and DG-Norm on cases small enough to do by hand."""

import pytest
import torch

from generators.spade.block import SpadeBlock
from generators.spade.modulation import Modulation, Spade
from generators.spade.stages import double, plan_stages, resize_labels, total_stride
from generators.spectral_norm import bake

X = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
MODULATION = Modulation(
    scale_BCHW=torch.tensor([[[[0.5, 0.0], [0.0, -1.0]]]]), shift_BCHW=torch.tensor([[[[0.0, 1.0], [2.0, 0.0]]]])
)


def test_training_normalises_with_the_statistics_of_the_batch():
    layer = Spade(1, 1, hidden=1).train()
    wanted = torch.tensor([[[[-2.012453, 0.552788], [2.447212, 0.0]]]])
    torch.testing.assert_close(MODULATION.apply(layer.norm(X)), wanted, atol=1e-5, rtol=0)


def test_evaluation_normalises_with_the_running_statistics():
    layer = Spade(1, 1, hidden=1).eval()
    wanted = torch.tensor([[[[1.499992, 2.999990], [4.999985, 0.0]]]])
    torch.testing.assert_close(MODULATION.apply(layer.norm(X)), wanted, atol=1e-5, rtol=0)


def flat_dg_norm(first_bias: float, scale_weight: float) -> Spade:
    layer = Spade(1, 3, hidden=128).eval()
    for parameter in layer.parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.constant_(layer.shared.bias, first_bias)
    torch.nn.init.constant_(layer.scale.weight, scale_weight)
    return layer


def test_the_global_map_adds_to_the_hidden_features():
    layer = flat_dg_norm(first_bias=0.3, scale_weight=0.001)
    weight_sum = 128 * 9 * 0.001
    labels, global_map = torch.zeros(1, 3, 5, 5), torch.full((1, 128, 5, 5), 0.2)
    with_map = layer.modulation(labels, global_map).scale_BCHW
    without_map = layer.modulation(labels).scale_BCHW
    assert with_map[0, 0, 2, 2].item() == pytest.approx(0.5 * weight_sum, rel=1e-5)
    assert without_map[0, 0, 2, 2].item() == pytest.approx(0.3 * weight_sum, rel=1e-5)


def test_the_global_map_never_reaches_the_shortcut():
    block = SpadeBlock(2, 3, condition_channels=1, hidden=4).eval()
    x, labels = torch.randn(1, 2, 4, 4), torch.randn(1, 1, 4, 4)
    seen = []
    assert block.norm_s is not None
    block.norm_s.register_forward_hook(lambda _module, arguments, _output: seen.append(len(arguments)))
    block(x, labels, torch.randn(1, 4, 4, 4))
    assert seen == [2]


def test_a_block_that_keeps_its_width_passes_its_input_on():
    block = bake(SpadeBlock(2, 2, condition_channels=1, hidden=4).eval())
    torch.nn.init.zeros_(block.conv_1.weight)
    torch.nn.init.zeros_(block.conv_1.bias)
    x = torch.randn(1, 2, 4, 4)
    torch.testing.assert_close(block(x, torch.randn(1, 1, 4, 4)), x)


def test_gradients_of_the_layer_are_those_of_its_mathematics():
    layer = Spade(2, 3, hidden=2).double().train()
    x = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.randn(2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x, labels))


def test_labels_are_decimated_to_the_top_left_pixel_of_each_cell():
    ramp = torch.arange(32.0).view(1, 1, 4, 8)
    assert resize_labels(ramp, torch.empty(1, 1, 2, 4)).tolist() == [[[[0, 2, 4, 6], [16, 18, 20, 22]]]]
    assert double(torch.tensor([[[[0.0, 1.0, 2.0]]]])).tolist() == [[[[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2]]]]


def test_upsampling_modes_double_five_six_and_seven_times():
    assert [total_stride(plan_stages(64, mode)) for mode in ("normal", "more", "most")] == [32, 64, 128]
    assert [stage.out_channels for stage in plan_stages(64, "most")] == [1024, 1024, 1024, 512, 256, 128, 64, 32]
