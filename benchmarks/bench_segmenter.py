"""How fast segmentation networks learn in bfloat16, as a ratio to float32 in the same run.

    python benchmarks/bench_segmenter.py
    python benchmarks/bench_segmenter.py --size 480x352 --batch-size 8 --width 32     # with a GPU

A step is one update of the small network on pairs that lie in memory; the least of some rounds of several steps. On a
CPU one thread, and its process seconds.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import torch
from measuring import provenance, timed

from generators.inference.device import choose_device, multiplies_bfloat16
from generators.segmenter import Segmenter, SegmenterTraining, pad_to_stride
from pipeline.resolution import Resolution

BASELINE = torch.float32
_CLASSES = 12
_STEPS, _ROUNDS = 20, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=Resolution.parse, default=Resolution(160, 120), metavar="WxH")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--out", type=Path, help="where the numbers go as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    device = choose_device("auto")
    trainings = {
        str(dtype).removeprefix("torch."): _steps(arguments.size, arguments.batch_size, arguments.width, dtype, device)
        for dtype in (BASELINE, torch.bfloat16)
    }
    found = timed(trainings, device, _ROUNDS)
    steps_ms = {way: 1000 * took.seconds / _STEPS for way, took in found.items()}
    base = steps_ms["float32"]
    numbers = {
        **provenance(device),
        "multiplies_bfloat16": multiplies_bfloat16(device),
        "step_ms": steps_ms,
        "speed_ratio": {way: base / took for way, took in steps_ms.items()},
    }
    print(json.dumps(numbers, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


def _steps(size: Resolution, batch_size: int, width: int, dtype: torch.dtype, device: torch.device) -> "partial[None]":
    torch.manual_seed(0)
    images = pad_to_stride(torch.rand(batch_size, 3, size.height, size.width)).mul(2).sub(1).to(device)
    labels = torch.randint(0, _CLASSES, (batch_size, *images.shape[2:]), device=device)
    network = Segmenter(_CLASSES, width).to(device)
    training = SegmenterTraining(network, _STEPS * (_ROUNDS + 1), dtype=dtype)
    return partial(_learn, training, images, labels)


def _learn(training: SegmenterTraining, images: torch.Tensor, labels: torch.Tensor) -> None:
    for _ in range(_STEPS):
        training.step(images, labels)


if __name__ == "__main__":
    main()
