"""What lies between the convolutions, fused for GPUs: Triton kernels, each beside the same in plain PyTorch.

Maps are channels last throughout. A kernel is taken where `usable` says so; anywhere else the PyTorch form gives the
same numbers up to rounding. `TRITON_INTERPRET=1` runs the kernels on a CPU, slowly: that is how they are tested there.
"""

from generators.kernels.support import usable

__all__ = ["usable"]
