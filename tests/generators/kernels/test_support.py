"""Kernels run where Triton and a GPU are, and where it can launch them; everything has a form without."""

import warnings
from types import SimpleNamespace

import pytest
import torch

from generators.kernels import support, usable
from generators.kernels.support import has_triton, interpreted

ON_GPU = SimpleNamespace(is_cuda=True, device=torch.device("cuda", 0))


@pytest.fixture
def probe(monkeypatch):
    """Triton on a machine with a GPU, where the probe does what it is told; how often it was asked."""
    asked = []

    def tell(error: Exception | None = None) -> list[torch.device]:
        def launch(device):
            asked.append(device)
            if error is not None:
                raise error

        monkeypatch.setattr(support, "launch_probe", launch)
        return asked

    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setattr(support, "has_triton", lambda: True)
    support.launches.cache_clear()
    yield tell
    support.launches.cache_clear()


def test_a_tensor_of_a_cpu_takes_the_plain_form(probe):
    asked = probe()
    assert not usable(torch.zeros(1))
    assert asked == []


def test_the_interpreter_needs_triton_as_well(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert usable(torch.zeros(1)) == has_triton()


def test_a_gpu_is_probed_once(probe):
    asked = probe()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert usable(ON_GPU)
        assert usable(ON_GPU)
    assert asked == [torch.device("cuda", 0)]


def test_where_no_kernel_launches_one_warning_says_what_is_missing(probe):
    asked = probe(RuntimeError("Failed to find C compiler. Please specify via CC environment variable.\nmore"))
    with pytest.warns(RuntimeWarning) as told:
        found = [usable(ON_GPU), usable(ON_GPU)]
    assert found == [False, False]
    assert [str(warning.message) for warning in told] == [
        "Triton kernels cannot run on this machine (Failed to find C compiler. Please specify via CC environment "
        "variable.); the same is computed by plain PyTorch, more slowly. Triton needs a C compiler (install gcc and "
        "libc6-dev) and a cache folder that it can write and load from (set TRITON_CACHE_DIR)"
    ]
    assert len(asked) == 1


def test_no_memory_left_is_no_lack_of_triton(probe):
    asked = probe(torch.OutOfMemoryError("out of memory"))
    for _ in range(2):
        with pytest.raises(torch.OutOfMemoryError):
            usable(ON_GPU)
    assert len(asked) == 2


def test_nothing_is_launched_while_torch_compile_traces(probe, monkeypatch):
    asked = probe()
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert not usable(ON_GPU)
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert not usable(ON_GPU)
    assert asked == []


@pytest.mark.skipif(not has_triton() or not (torch.cuda.is_available() or interpreted()), reason="needs Triton")
def test_the_probe_launches_where_kernels_do():
    support.launch_probe(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
