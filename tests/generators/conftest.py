"""The weight rule and the inputs of the golden vectors: outputs of the authors' own networks under known weights."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from generators.kernels.support import has_triton, interpreted

GOLDEN = Path(__file__).parents[2] / "../shared/reference/golden"


def values_by_rule(shape: tuple[int, ...], batch_norm_weight: bool = False) -> Tensor:
    """A tensor of this shape as the golden networks had it; it depends on the shape alone."""
    n = int(np.prod(shape))
    with np.errstate(over="ignore"):
        h = np.arange(n, dtype=np.uint32) + np.uint32(31 * n % 2**32)
        h *= np.uint32(2654435761)
        h ^= h >> np.uint32(16)
        h *= np.uint32(2246822519)
        h ^= h >> np.uint32(13)
        h *= np.uint32(3266489917)
        h ^= h >> np.uint32(16)
    values = 2 * (h / 2.0**32) - 1
    values = values * np.sqrt(3 * shape[0] / n) if len(shape) > 1 else values * 0.1 + batch_norm_weight
    return torch.from_numpy(values.reshape(shape)).float()


def fill(module: nn.Module) -> nn.Module:
    """Every parameter by the rule, running statistics 0 and 1, spectral norms removed; in eval mode."""
    from generators.spectral_norm import bake

    bake(module.eval())
    with torch.no_grad():
        for layer in module.modules():
            is_norm = isinstance(layer, nn.modules.batchnorm._BatchNorm)
            for name, parameter in layer.named_parameters(recurse=False):
                values = values_by_rule(tuple(parameter.shape), is_norm and name == "weight")
                parameter.copy_(values)
            if is_norm and layer.running_mean is not None:
                layer.reset_running_stats()
    return module


@dataclass(frozen=True)
class GoldenInputs:
    """Inputs of the golden vectors at one size."""

    labels_BHW: Tensor
    instances_BHW: Tensor
    image_BCHW: Tensor

    @staticmethod
    def latent(length: int) -> Tensor:
        """z as a 1 x length tensor: 2u - 1."""
        return values_by_rule((length,)).div(0.1).view(1, length)


def inputs(width: int, height: int) -> GoldenInputs:
    y, x = np.mgrid[:height, :width]
    labels = ((y // 16) * 7 + (x // 16) * 3) % 35
    instances = (y // 32) * 100 + x // 32
    image = np.stack([np.sin((x + 2 * y) / 9), np.cos((2 * x - y) / 13), np.sin(x * y / 97)]).astype(np.float32)
    return GoldenInputs(
        torch.from_numpy(labels)[None],
        torch.from_numpy(instances.astype(np.int32))[None],
        torch.from_numpy(image)[None],
    )


@pytest.fixture(scope="session")
def golden_fill() -> Callable[[nn.Module], nn.Module]:
    return fill


@pytest.fixture(scope="session")
def golden_values() -> Callable[..., Tensor]:
    """(shape, batch_norm_weight=False) -> the tensor of this shape."""
    return values_by_rule


@pytest.fixture(scope="session")
def golden_inputs() -> Callable[[int, int], GoldenInputs]:
    """(width, height) -> inputs."""
    return inputs


@pytest.fixture(scope="session")
def golden_arrays() -> Callable[[str], dict[str, npt.NDArray[np.float32]]]:
    """File name -> its arrays; skips where the reference outputs are not at hand."""

    def load(name: str) -> dict[str, npt.NDArray[np.float32]]:
        path = GOLDEN / name
        if not path.is_file():
            pytest.skip(f"reference outputs {name} are not at hand")
        with np.load(path) as arrays:
            return {key: arrays[key] for key in arrays}

    return load


@pytest.fixture(scope="session")
def golden_folder() -> Path:
    """Where the reference outputs lie; skips where they are not at hand."""
    if not GOLDEN.is_dir():
        pytest.skip("reference outputs are not at hand")
    return GOLDEN


@pytest.fixture
def kernels_on() -> str:
    """The device that Triton kernels run on: a GPU, or a CPU by the interpreter (TRITON_INTERPRET=1)."""
    if not has_triton():
        pytest.skip("needs triton, which CUDA builds of torch bring")
    if torch.cuda.is_available():
        return "cuda"
    if not interpreted():
        pytest.skip("needs a GPU, or TRITON_INTERPRET=1")
    return "cpu"
