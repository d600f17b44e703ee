import torch
from torch import nn

from generators.blocks import ResidualBlock
from generators.recompute import blocks_of, recompute_activations


def test_blocks_are_the_smallest_parts_of_lists_that_hold_convolutions() -> None:
    unit = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    residual = ResidualBlock(4)
    network = nn.Sequential(unit, nn.ModuleList([residual, nn.ReLU()]), nn.Conv2d(4, 4, 1))
    assert blocks_of(network) == [unit, residual]


def saved_numbers(network: nn.Module) -> int:
    """How many numbers a forward leaves behind for its backward, beside the parameters."""
    sizes: list[int] = []
    own = {parameter.data_ptr() for parameter in network.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.data_ptr() not in own:
            sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(torch.ones(1, 4, 32, 32, requires_grad=True))
    return sum(sizes)


def test_little_more_than_the_inputs_of_blocks_is_kept() -> None:
    plain = nn.Sequential(*(ResidualBlock(4) for _ in range(6))).train()
    before = saved_numbers(plain)
    recompute_activations(plain)
    assert saved_numbers(plain) < before / 5


def test_rendering_computes_everything_once() -> None:
    network = nn.Sequential(ResidualBlock(4))
    recompute_activations(network)
    calls: list[int] = []
    network[0].residual.register_forward_hook(lambda *_: calls.append(1))
    network.eval()(torch.ones(1, 4, 8, 8, requires_grad=True)).sum().backward()
    assert len(calls) == 1
