"""Operations and memory of rendering, counted on tensors without memory: any size, on any machine, in seconds.

    python benchmarks/count_inference.py --resolution 2048x1024 --subjects ccfpse ccfpse-vae

For the plain network and the rewritten ones: multiply-accumulates of an image and of another style of its layout, and
the most bytes that tensors hold at once, weights left out. What libraries take for themselves is not seen. All maps
are float32 here, and kernels for GPUs take their plain form, which holds more: on a GPU it is less than half.
"""

import argparse
import math
from typing import Any

import torch
from measuring import PeakTensors, multiply_accumulates
from rendering_subjects import SUBJECTS, build, road_scene, some_style, style_tensor
from torch import Tensor, nn

from generators.ccfpse.inference import StripwiseConv
from generators.family import Generator
from generators.layout import Layout
from generators.memory_format import channels_last
from generators.minimal_filtering import filtered_minimally
from generators.spectral_norm import bake

META = torch.device("meta")
# Rewrites that sort pixels need values; these families do not.
COUNTABLE = [name for name in SUBJECTS if name.startswith(("ccfpse", "lab2pix_v2", "pix2pixhd"))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", nargs="*", default=["ccfpse", "ccfpse-vae"], choices=COUNTABLE)
    parser.add_argument("--resolution", default="2048x1024")
    parser.add_argument("--share", type=float, default=1.0)
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.resolution.split("x"))
    for subject in arguments.subjects:
        generator = bake(build(subject, arguments.share, width, height))
        for way, network in ways(subject, generator):
            report(f"{subject} {arguments.resolution} {way}", network, width, height)


def ways(subject: str, generator: Generator) -> list[tuple[str, Generator]]:
    """The network as it is, and its rewrites: all made before the first of them loses its weights."""
    on_gpu = ("fast on a GPU", channels_last(generator.for_inference(META)))
    if not subject.startswith("ccfpse"):
        return [("plain", generator), on_gpu]
    direct = generator.for_inference(torch.device("cpu"))
    filtered_minimally(direct)
    return [("plain", generator), ("fast on a CPU", channels_last(direct)), on_gpu]


def report(title: str, network: Generator, width: int, height: int) -> None:
    """One line for one network."""
    condition, style = inputs(network, width, height)
    network = network.to(META)
    run = torch.inference_mode()(lambda: network(condition, style))
    macs = multiply_accumulates(run) + depthwise(network, width, height)
    said = f"{title}: {macs / 1e9:.0f} GMAC an image"
    if network.shares_layouts:
        layout = Layout(condition, 2**50)
        again = torch.inference_mode()(lambda: network.in_styles(layout, [style]))
        again()
        further = multiply_accumulates(again) + depthwise(network, width, height)
        said += f"; another style {further / 1e9:.1f} GMAC, {macs / further:.0f}x fewer"
    with PeakTensors() as memory:
        run()
    weights = sum(tensor.nbytes for tensor in [*network.parameters(), *network.buffers()])
    gib = f"tensors hold {memory.peak / 2**30:.2f} GiB at most, weights {weights / 2**30:.2f} GiB"
    print(f"{said}; {gib}", flush=True)


def inputs(network: Generator, width: int, height: int) -> tuple[Tensor, Tensor | None]:
    """The condition and a style, on no device."""
    labels, instances = (torch.from_numpy(array) for array in road_scene(64, 64))
    channels = network.condition(labels.int(), instances).shape[1]
    style = style_tensor(network, some_style(network, 0), (height, width), META)
    return torch.empty(1, channels, height, width, device=META).to(memory_format=torch.channels_last), style


def depthwise(network: Generator, width: int, height: int) -> float:
    """Multiply-accumulates of per-pixel kernels, which are no convolutions to torch."""
    stages: Any = getattr(getattr(network, "plain", network), "stages", ())
    blocks = getattr(network, "blocks", ())
    total, cell = 0.0, network.stride
    for stage, block in zip(stages, blocks, strict=True):
        cell = cell // 2 if stage.upsample else cell
        for layer in block.modules():
            kernels = getattr(layer, "kernels", None) or getattr(layer, "taps", None)
            if isinstance(layer, StripwiseConv) or (isinstance(layer, nn.Module) and kernels is not None):
                total += 9 * layer.mix.in_channels * math.prod((width // cell, height // cell))
    return total


if __name__ == "__main__":
    main()
