"""How fast generators render, as ratios to the plain eager float32 module in the same run.

    python benchmarks/bench_inference.py                                     # small, under a minute
    python benchmarks/bench_inference.py --full --resolution 1024x512        # the paper's width

Times are process CPU seconds, the least of a few interleaved repetitions, so that other work counts little.
"""

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from generators.blocks import InstanceNorm
from generators.conditioning import edge_map, one_hot
from generators.family import Generator, LabelSpace
from generators.inference import Renderer
from generators.inference.device import Precision
from generators.pix2pixhd import Pix2PixHDConfig, Pix2PixHDGenerator

SPACE = LabelSpace(35)
SIZES = {
    "global": {"num_enhancers": 0, "feature_channels": 0},
    "enhancer": {"num_enhancers": 1, "feature_channels": 0},
}


def main() -> None:
    arguments = parse()
    width, height = (int(side) for side in arguments.resolution.split("x"))
    base = 64 if arguments.full else 32
    print(f"{arguments.resolution}, base width {base}, {torch.get_num_threads()} threads; CPU seconds an image")
    matmul = matmul_rate()
    print(f"float32 matrix product: {matmul / 1e9:.0f} GMAC per CPU second")
    for name, options in SIZES.items():
        torch.manual_seed(0)
        generator = Pix2PixHDGenerator(Pix2PixHDConfig(base_channels=base, **options), SPACE).eval()
        bench(name, generator, width, height, arguments.repetitions, matmul)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", default="512x256", help="width x height, multiples of 32 (default 512x256)")
    parser.add_argument("--full", action="store_true", help="base width 64 as in the paper, instead of 32")
    parser.add_argument("--repetitions", type=int, default=3)
    return parser.parse_args()


def bench(name: str, generator: Pix2PixHDGenerator, width: int, height: int, repetitions: int, matmul: float) -> None:
    labels, instances = street_like(width, height)
    ways: dict[str, Callable[[], Any]] = {
        "plain eager float32": plain_eager(generator, labels, instances),
        "renderer float32": rendering(generator, labels, instances, "float32"),
        "renderer bfloat16": rendering(generator, labels, instances, "bfloat16"),
    }
    macs = multiply_accumulates(generator, labels, instances)
    seconds = interleaved(ways, repetitions)
    baseline = seconds["plain eager float32"]
    for way, took in seconds.items():
        share = macs / took / matmul
        print(
            f"{name:9s} {way:20s} {took:7.3f} s  {baseline / took:5.2f}x  {macs / took / 1e9:4.0f} GMAC/s {share:4.0%}"
        )
    difference = np.subtract(ways["renderer float32"](), ways["renderer bfloat16"](), dtype=np.float64)
    psnr = 10 * np.log10(255**2 / max(np.square(difference).mean(), 1e-9))
    print(f"{name:9s} bfloat16 against float32: PSNR {psnr:.1f} dB (random weights)")


def street_like(width: int, height: int) -> tuple[Tensor, Tensor]:
    """Regions of some tens of pixels, as label maps have them."""
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 35, (height // 32, width // 32)).repeat(32, 0).repeat(32, 1)
    labels = torch.from_numpy(cells)[None]
    return labels, (labels * 1000).int()


def plain_eager(generator: Generator, labels: Tensor, instances: Tensor) -> Callable[[], Any]:
    """The network as its authors run it: one-hot input, instance norm modules, default memory layout."""
    plain = generator.for_inference(torch.device("meta"))
    for module in list(plain.modules()):
        for name, child in module.named_children():
            if isinstance(child, InstanceNorm):
                setattr(module, name, nn.InstanceNorm2d(child.groups))

    @torch.inference_mode()
    def run() -> Any:
        condition = torch.cat([one_hot(labels, SPACE.num_channels), edge_map(instances)], 1).contiguous()
        return plain(condition, None)

    return run


def rendering(generator: Generator, labels: Tensor, instances: Tensor, precision: Precision) -> Callable[[], Any]:
    renderer = Renderer(generator, "cpu", precision)
    labels_np, instances_np = labels.numpy().astype(np.uint8), instances.numpy()
    return lambda: renderer.render(labels_np, instances_np, [None])


def multiply_accumulates(generator: Generator, labels: Tensor, instances: Tensor) -> float:
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        generator(generator.condition(labels, instances), None)
    return float(counter.get_total_flops()) / 2


def matmul_rate(size: int = 1024) -> float:
    """Multiply-accumulates a CPU second of a large matrix product: what this device gives at best."""
    a = torch.randn(size, size)
    took = interleaved({"matmul": lambda: a @ a}, 5)["matmul"]
    return size**3 / took


def interleaved(ways: dict[str, Callable[[], Any]], repetitions: int) -> dict[str, float]:
    """Least CPU seconds of each way, taken in turn after one round that does not count."""
    seconds = dict.fromkeys(ways, float("inf"))
    for repetition in range(repetitions + 1):
        for name, run in ways.items():
            start = time.process_time()
            run()
            if repetition:
                seconds[name] = min(seconds[name], time.process_time() - start)
    return seconds


if __name__ == "__main__":
    main()
