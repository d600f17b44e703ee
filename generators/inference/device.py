"""Which device renders, in which precision, and by which of the ways that give the same images."""

from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import nn

Precision = Literal["auto", "float32", "bfloat16"]
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class FastPath:
    """The steps from the plain network to the fast one; benchmarks take them one by one."""

    channels_last: bool = True
    # `device`: the rewrites that pay on it; `dense`: those of them whose steps are the same whatever the labels, as
    # compiling and graphs need them; `lookup`: those of a CPU, label look-ups among them, anywhere.
    rewrites: Literal["none", "device", "dense", "lookup"] = "device"
    compiled: bool = False  # torch.compile: fuses what lies between the convolutions; minutes at the first image
    graphs: bool = False  # CUDA graphs: one launch an image; sizes should not change from call to call


def choose_device(name: str) -> torch.device:
    """`auto` is the first GPU where there is one, else the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device {name!r} asked for, but torch sees no CUDA device; use 'cpu' or 'auto'")
    return device


def choose_precision(name: Precision, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 where the device multiplies it in hardware, else float32."""
    if name == "float32":
        return torch.float32
    if name == "bfloat16":
        return torch.bfloat16
    if name != "auto":
        raise ValueError(f"unknown precision {name!r}; known: auto, float32, bfloat16")
    return torch.bfloat16 if multiplies_bfloat16(device) else torch.float32


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether it does so in hardware; emulated, bfloat16 takes several times as long as float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # On a CPU vector units alone (AVX512-BF16) give too little for what conversions cost; tiles (AMX) pay.
    return device.type == "cpu" and torch.cpu._is_amx_tile_supported()


def round_weights(module: M, dtype: torch.dtype) -> M:
    """Weights of convolutions, linear layers and tables in this type, once: autocast would round them in every pass."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)):
            layer.to(dtype)
    return module
