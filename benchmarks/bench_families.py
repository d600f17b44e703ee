"""How much faster each family renders than its plain eager module, in the same run, and how far the images differ.

    python benchmarks/bench_families.py                          # all families, half width, 256x128
    python benchmarks/bench_families.py --size 512x256 --share 1 --families spade ccfpse

Time is process CPU time, which neighbours on the machine disturb less than the clock. Weights are random; the layout is
a road scene with a few dozen instances.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from generators import FAMILIES
from generators.family import Generator, LabelSpace
from generators.memory_format import channels_last
from generators.style import StyleKind

SPACE = LabelSpace(35, thing_channels=(24, 25, 26))
REPETITIONS = 2


def configs(share: float, width: int, height: int) -> dict[str, dict[str, Any]]:
    """Settings of every family at a share of the published width; families with a style encoder use it."""
    base = max(2, int(64 * share))
    styled = {"base_channels": base, "use_vae": True, "start_grid": (height // 64, width // 64)}
    return {
        "pix2pixhd": {"base_channels": base},
        "spade": styled,
        "ccfpse": styled,
        "lab2pix_v1": {"base_channels": base, "trunk_blocks": 3, "start_grid": (height // 64, width // 64)},
        "lab2pix_v2": styled,
        "oasis": {"base_channels": base},
        "pix2pix": {"base_channels": base, "levels": 6},
        "crn": {"base_channels": 16 * base, "modules": 6},
    }


def road_scene(width: int, height: int) -> tuple[Tensor, Tensor]:
    """Sky, trees, buildings, a road, and cars of all sizes."""
    y, x = np.mgrid[:height, :width]
    labels = np.select([y < 0.3 * height, y <= 0.55 * height], [23, 11], 7)
    trees = (y > 0.25 * height) & (y < 0.5 * height) & (np.sin(x / width * 28) > 0.2)
    labels[trees] = 21
    instances = labels.copy()
    rng = np.random.default_rng(0)
    for index in range(25):
        column, row = rng.integers(0, width), rng.integers(int(0.35 * height), int(0.8 * height))
        radius = rng.integers(3, max(4, height // 12))
        car = ((x - column) / 1.6) ** 2 + (y - row) ** 2 < radius**2
        labels[car], instances[car] = 26, 26000 + index
    return torch.from_numpy(labels)[None], torch.from_numpy(instances.astype(np.int32))[None]


def settle_statistics(generator: Generator) -> None:
    """Running statistics as after training, so that folding them in is not a no-op."""
    for layer in generator.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None and layer.running_var is not None:
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 2)


def draw_style(generator: Generator, height: int, width: int) -> Tensor | None:
    if generator.style_kind == StyleKind.NONE:
        return None
    vector = torch.randn(1, generator.style_dim)
    return vector if generator.style_kind == StyleKind.GLOBAL else vector[..., None, None].expand(-1, -1, height, width)


def fastest(render: Callable[[], Tensor]) -> tuple[Tensor, float]:
    times = []
    for _ in range(REPETITIONS):
        start = time.process_time()
        image = render()
        times.append(time.process_time() - start)
    return image, min(times)


@torch.inference_mode()
def measure(name: str, settings: dict[str, Any], width: int, height: int) -> str:
    """One line of the table."""
    family = FAMILIES[name]
    with torch.inference_mode(False):
        plain = family.build_generator(family.config(**settings), SPACE).eval()
    settle_statistics(plain)
    fast = channels_last(plain.for_inference(torch.device("cpu")))
    labels, instances = road_scene(width, height)
    first, other = draw_style(plain, height, width), draw_style(plain, height, width)

    def render(generator: Generator, style: Tensor | None) -> Tensor:
        return generator(generator.condition(labels, instances), style)

    image, plain_s = fastest(lambda: render(plain, first))
    start = time.process_time()
    rewritten = render(fast, first)
    new_s = time.process_time() - start
    deviation = (rewritten - image).abs().max().item()
    # Alternating layouts, so that nothing remembered of the last one helps.
    flipped = labels.flip(2), instances.flip(2)
    fast(fast.condition(*flipped), first)
    start = time.process_time()
    render(fast, first)
    new_s = min(new_s, time.process_time() - start)
    start = time.process_time()
    render(fast, other)
    again_s = time.process_time() - start
    again = "-" if first is None else f"{plain_s / again_s:.2f}x"
    return f"{name:<12}{plain_s:>9.2f}{new_s:>11.2f}{plain_s / new_s:>8.2f}x{again:>16}{deviation:>12.1e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="256x128", help="width x height, multiples of 64")
    parser.add_argument("--share", type=float, default=0.5, help="share of the published width")
    parser.add_argument("--families", nargs="*", default=sorted(FAMILIES), choices=sorted(FAMILIES))
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.size.split("x"))
    torch.manual_seed(0)
    print(f"{width}x{height}, {arguments.share:g} of the published width, {torch.get_num_threads()} threads, float32")
    print(f"{'family':<12}{'plain s':>9}{'rewritten':>11}{'ratio':>9}{'another style':>16}{'deviation':>12}")
    for name in arguments.families:
        print(measure(name, configs(arguments.share, width, height)[name], width, height), flush=True)


if __name__ == "__main__":
    main()
