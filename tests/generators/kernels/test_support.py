"""Kernels run where Triton and a GPU are; everything has a form without."""

import torch

from generators.kernels import usable
from generators.kernels.support import has_triton


def test_a_tensor_of_a_cpu_takes_the_plain_form(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert not usable(torch.zeros(1))


def test_the_interpreter_needs_triton_as_well(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert usable(torch.zeros(1)) == has_triton()
