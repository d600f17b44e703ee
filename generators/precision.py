"""What float16 cannot hold. bfloat16 has the range of float32, so nothing has to be widened for it."""

import torch
from torch import Tensor


def widened(x: Tensor) -> Tensor:
    """Half precision as float32: for products of two learned tensors, which leave its range first. Others stay."""
    return x.float() if x.dtype == torch.float16 else x
