import pytest
import torch
from torch import nn

from generators.norm_statistics import estimate_batch_norms, has_batch_norm
from generators.spectral_norm import spectral


def test_statistics_become_the_mean_over_the_batches() -> None:
    norm = nn.BatchNorm2d(2)
    norm.running_mean.fill_(7.0)
    batches = [torch.randn(3, 2, 4, 4) + shift for shift in (0.0, 1.0, 5.0)]
    estimate_batch_norms(norm, norm, batches)
    mean = torch.stack([b.mean(dim=(0, 2, 3)) for b in batches]).mean(0)
    variance = torch.stack([b.transpose(0, 1).flatten(1).var(dim=1) for b in batches]).mean(0)
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, variance)
    assert not norm.training
    assert norm.momentum == 0.1


def test_nothing_else_is_put_in_training_mode() -> None:
    network = nn.Sequential(spectral(nn.Conv2d(1, 1, 3)), nn.BatchNorm2d(1), nn.Dropout(0.5))
    vectors = [buffer.clone() for name, buffer in network.named_buffers() if "parametrizations" in name]
    estimate_batch_norms(network, network, [torch.ones(1, 1, 8, 8)] * 3)
    after = [buffer for name, buffer in network.named_buffers() if "parametrizations" in name]
    assert all(torch.equal(a, b) for a, b in zip(vectors, after, strict=True))
    assert not network[2].training


@pytest.mark.parametrize(
    "norm", [nn.InstanceNorm2d(2), nn.GroupNorm(1, 2), nn.BatchNorm2d(2, track_running_stats=False)]
)
def test_norms_without_statistics_need_no_batches(norm: nn.Module) -> None:
    assert not has_batch_norm(norm)

    def never(batch: torch.Tensor) -> None:
        raise AssertionError

    estimate_batch_norms(norm, never, [torch.ones(1, 2, 4, 4)])
