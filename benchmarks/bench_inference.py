"""How fast every family renders, as ratios to its plain eager float32 module in the same run.

    python benchmarks/bench_inference.py                                     # all families, small, minutes on two cores
    python benchmarks/bench_inference.py --subjects spade-vae --resolution 512x256 --share 1 --out spade.json
    python benchmarks/bench_inference.py --device cuda --resolution 2048x1024 --share 1 --out h200.json
    python benchmarks/bench_inference.py --device cuda --steps --weights runs/model --maps maps/

For each: seconds and multiply-accumulates of an image, counted as the plain network needs them, and what share that is
of the matrix products that this device was measured to make; another style of the same layout; how far the images lie
apart. `--steps` takes the fast path one step at a time. Weights are random unless a model is named.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import Timed, matrix_rate, multiply_accumulates, peak_rss_gib, provenance, timed
from rendering_subjects import SUBJECTS, build, plain_eager, road_scene, some_style, style_tensor

from generators.family import Generator
from generators.inference import FastPath, Renderer
from generators.inference.device import choose_device, multiplies_bfloat16

Maps = tuple[Any, Any]
PLAIN, FLOAT32 = "plain eager", "plain eager, no TF32"
ANOTHER, TOGETHER = "another style, layout kept", "five styles together"
_TOGETHER = 5

_WITHOUT = {"channels_last": False, "rewrites": "none"}
STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "channels_last": ("float32", {"rewrites": "none"}),
    "rewrites": ("float32", {}),
    "rewrites with look-ups": ("float32", {"rewrites": "lookup"}),
    "bfloat16": ("bfloat16", _WITHOUT),
    "bfloat16, channels_last": ("bfloat16", {"rewrites": "none"}),
    "bfloat16, rewrites": ("bfloat16", {}),
    "bfloat16, rewrites of fixed shapes": ("bfloat16", {"rewrites": "dense"}),
    "bfloat16, rewrites with look-ups": ("bfloat16", {"rewrites": "lookup"}),
    "bfloat16, compiled": ("bfloat16", {"compiled": True}),
    "bfloat16, graphs": ("bfloat16", {"graphs": True}),
    "bfloat16, compiled, graphs": ("bfloat16", {"compiled": True, "graphs": True}),
}


def main() -> None:
    arguments = parse()
    device = choose_device(arguments.device)
    rates = {"float32": matrix_rate(device, torch.float32)}
    if multiplies_bfloat16(device):
        rates["bfloat16"] = matrix_rate(device, torch.bfloat16)
    result: dict[str, Any] = {
        **provenance(device),
        "time": "process seconds" if device.type == "cpu" else "wall seconds",
        "matrix_gmac_per_s": {name: rate / 1e9 for name, rate in rates.items()},
        "rows": [],
    }
    print(f"{result['device']}, {result['threads']} threads, torch {result['torch']}, {result['time']}")
    print("matrix products:", ", ".join(f"{name} {rate / 1e9:.0f} GMAC/s" for name, rate in rates.items()))
    for subject in arguments.subjects:
        for row in bench(subject, arguments, device, rates):
            result["rows"].append(row)
            print(line(row), flush=True)
            if arguments.out:
                Path(arguments.out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", nargs="*", default=list(SUBJECTS), choices=list(SUBJECTS))
    parser.add_argument("--resolution", default="256x128", help="width x height, multiples of 128")
    parser.add_argument("--share", type=float, default=0.25, help="share of the published width (1: as published)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=1, help="scenes a pass; 1 is the latency of one image")
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--styles", action=argparse.BooleanOptionalAction, default=True, help="further styles too")
    parser.add_argument("--steps", action="store_true", help="the fast path one step at a time")
    parser.add_argument("--weights", help="a model directory: its generator and size in the place of the subjects'")
    parser.add_argument("--maps", help="a folder of label PNGs in the model's channels for the comparison by PSNR")
    parser.add_argument("--out", help="write the rows as JSON here")
    return parser.parse_args()


def bench(
    subject: str, arguments: argparse.Namespace, device: torch.device, rates: dict[str, float]
) -> Iterator[dict[str, Any]]:
    """A row for the plain module, then one for every way of the fast path."""
    width, height = (int(side) for side in arguments.resolution.split("x"))
    generator = load(arguments.weights) if arguments.weights else build(subject, arguments.share, width, height)
    maps = road_scene(width, height)
    macs = count(generator, maps)
    renderers = dict(fast_ways(generator, arguments, device))
    plain = plain_eager(generator, maps, device)
    ways: dict[str, Callable[[], Any]] = {PLAIN: plain}
    for name, renderer in renderers.items():
        ways[name] = rendering(renderer, generator, maps, arguments.batch)
    images = dict.fromkeys(ways, arguments.batch) | {PLAIN: 1, FLOAT32: 1}
    if generator.style_kind != "none" and not arguments.steps and arguments.styles:
        ways |= restyling(renderers["fast"], generator, maps)
        images |= {ANOTHER: 1, TOGETHER: _TOGETHER}
    took = timed(ways, device, arguments.repetitions)
    if device.type == "cuda":
        # torch lets convolutions of float32 multiply in TF32 unless told otherwise. Once: seconds for some families.
        took |= timed({FLOAT32: partial(without_tf32, plain)}, device, 0)
    pictures = compare(generator, renderers, arguments, maps, took)
    if device.type == "cuda":
        for name, renderer in renderers.items():
            pictures[name] |= alone(renderer, generator, maps, arguments, macs, rates)
    plain_s = took[PLAIN].seconds
    for name, (spent, _) in took.items():
        each = spent / images[name]
        rate = rates.get("bfloat16" if "bfloat16" in name else "float32", rates["float32"])
        row = {
            "subject": subject,
            "resolution": arguments.resolution,
            "share": arguments.share,
            "way": name,
            "seconds_per_image": each,
            "images_per_s": 1 / each,
            "ratio": plain_s / each,
            "gmac_per_image": macs / 1e9,
            "gmac_per_s": macs / each / 1e9,
            "share_of_matrix_rate": macs / each / rate,
        }
        if name == TOGETHER:
            further = (spent - took["fast"].seconds) / (_TOGETHER - 1)
            row["further_style_ratio"] = plain_s / further if further > 0 else None
        yield row | pictures.get(name, {})


def rendering(renderer: Renderer, generator: Generator, maps: Maps, batch: int) -> Callable[[], Any]:
    """Rendering as many scenes as go into a pass, bytes in and bytes out."""
    labels, instances = (np.repeat(array, batch, axis=0) for array in maps)
    labels[:, 0, 0] = (labels[:, 0, 0] + np.arange(batch)) % 30  # no two alike, or they would share their layout
    styles = [some_style(generator, 0)] * batch
    return lambda: renderer.render(labels, instances, styles)


def without_tf32(run: Callable[[], Any]) -> Any:
    """The plain module with all of float32 in its convolutions."""
    torch.backends.cudnn.allow_tf32 = False
    try:
        return run()
    finally:
        torch.backends.cudnn.allow_tf32 = True


@torch.inference_mode()
def alone(
    renderer: Renderer,
    generator: Generator,
    maps: Maps,
    arguments: argparse.Namespace,
    macs: float,
    rates: dict[str, float],
) -> dict[str, float]:
    """The network by itself, maps and images staying on the card."""
    network, batch = renderer._network, arguments.batch
    labels, instances = (torch.from_numpy(np.repeat(array, batch, axis=0)).to(renderer.device) for array in maps)
    condition = network.condition(labels.int(), instances)
    style = renderer._styles.batch([some_style(generator, 0)] * batch, instances)
    took = timed({"alone": lambda: network(condition, style)}, renderer.device, max(3, arguments.repetitions))
    each = took["alone"].seconds / batch
    rate = rates["bfloat16" if renderer.precision is torch.bfloat16 else "float32"]
    return {"network_s_per_image": each, "network_share_of_matrix_rate": macs / each / rate}


def restyling(renderer: Renderer, generator: Generator, maps: Maps) -> dict[str, Callable[[], Any]]:
    """The same layout again: in one more style where it was kept, and in several at once where it was not."""
    styles = [some_style(generator, seed) for seed in range(_TOGETHER)]
    layout = renderer.layout(maps[0][0], maps[1][0])
    renderer.in_styles(layout, styles[:1])
    repeated = [np.repeat(array, _TOGETHER, axis=0) for array in maps]
    return {
        ANOTHER: lambda: renderer.in_styles(layout, styles[1:2]),
        TOGETHER: lambda: renderer.render(repeated[0], repeated[1], styles),
    }


def fast_ways(
    generator: Generator, arguments: argparse.Namespace, device: torch.device
) -> Iterator[tuple[str, Renderer]]:
    """Names and renderers; without `--steps` what `Renderer` does by itself, and bfloat16 beside it where it pays."""
    yield "fast", Renderer(generator, arguments.device, "float32", arguments.batch)
    if multiplies_bfloat16(device) and not arguments.steps:
        yield "fast bfloat16", Renderer(generator, arguments.device, "bfloat16", arguments.batch)
        if device.type == "cuda":
            path = FastPath(graphs=True)
            yield "fast bfloat16, graphs", Renderer(generator, arguments.device, "bfloat16", arguments.batch, path)
    for name, (precision, options) in STEPS.items() if arguments.steps else ():
        if device.type == "cuda" or not (options.get("graphs") or options.get("compiled")):
            path = FastPath(**options)
            yield name, Renderer(generator, arguments.device, precision, arguments.batch, path)  # type: ignore[arg-type]


def compare(
    generator: Generator,
    renderers: dict[str, Renderer],
    arguments: argparse.Namespace,
    maps: Maps,
    took: dict[str, Timed],
) -> dict[str, dict[str, float]]:
    """How far each way's images lie from the plain module's, in decibels and levels of 255; and peak memory."""
    device = choose_device(arguments.device)
    memory = peak_rss_gib() if device.type == "cpu" else torch.cuda.max_memory_allocated(device) / 2**30
    if arguments.maps:
        scenes = list(given_maps(arguments.maps))
        plain = [plain_eager(generator, scene, device)() for scene in scenes]
        style = some_style(generator, 0)
        images = {name: [one.render(*scene, [style])[0] for scene in scenes] for name, one in renderers.items()}
    else:
        plain = [took[FLOAT32 if FLOAT32 in took else PLAIN].result]
        images = {name: [took[name].result[0]] for name in renderers}
    wanted = [np.rint(one[0].float().clamp(-1, 1).permute(1, 2, 0).cpu().numpy() * 127.5 + 127.5) for one in plain]
    found = {PLAIN: {"process_peak_gib": memory}}
    for name, rendered in images.items():
        differences = [image - right for image, right in zip(rendered, wanted, strict=True)]
        mean_square = float(np.mean([np.square(difference).mean() for difference in differences]))
        found[name] = {
            "psnr_db": min(99.0, 10 * np.log10(255**2 / max(mean_square, 1e-12))),
            "largest_difference": float(max(np.abs(difference).max() for difference in differences)),
            "process_peak_gib": memory,
        }
    return found


def count(generator: Generator, maps: Any) -> float:
    """Multiply-accumulates of the plain network, on tensors without memory."""
    labels, instances = (torch.from_numpy(array) for array in maps)
    condition = generator.condition(labels, instances).to("meta")
    style = style_tensor(generator, some_style(generator, 0), labels.shape[1:], torch.device("meta"))
    weights = {name: tensor.to("meta") for name, tensor in generator.state_dict().items()}

    @torch.inference_mode()
    def run() -> Any:
        return torch.func.functional_call(generator, weights, (condition, style))

    return multiply_accumulates(run)


def load(directory: str) -> Generator:
    """The generator of a trained model."""
    from pipeline.model_directory import open_model

    return open_model(directory).load_generator()


def given_maps(folder: str) -> Iterator[tuple[Any, Any]]:
    """Label maps as channels, one after the other."""
    import cv2

    paths = sorted(Path(folder).glob("*.png"))
    if not paths:
        sys.exit(f"{folder}: no PNG files there; give a folder of label maps in the model's channels")
    for path in paths:
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[None]
        yield labels, labels.astype(np.int32)


def line(row: dict[str, Any]) -> str:
    """One row for the terminal."""
    psnr = f"  PSNR {row['psnr_db']:.1f} dB" if "psnr_db" in row else ""
    if "network_s_per_image" in row:
        psnr += f"  alone {row['network_s_per_image'] * 1e3:.2f} ms {row['network_share_of_matrix_rate']:.0%}"
    further = f"  a further one {row['further_style_ratio']:.1f}x" if row.get("further_style_ratio") else ""
    return (
        f"{row['subject']:<20}{row['resolution']:>10}  {row['way']:<34}{row['seconds_per_image']:>9.3f} s"
        f"{row['ratio']:>8.2f}x{row['gmac_per_s']:>8.0f} GMAC/s{row['share_of_matrix_rate']:>7.0%}{psnr}{further}"
    )


if __name__ == "__main__":
    main()
