"""Does the quality gate reject what is spoilt, and only that? Precision and recall on images spoilt on purpose.

    python benchmarks/bench_quality_gate.py --model configs/models/streetscapes
    python benchmarks/bench_quality_gate.py --source '{format: streetscapes, scenes: 80}' --resolution 128x64

With a model, images are its renderings of its own training source's held-out label maps; without one, the images of the
source's held-out split. `min_agreement` is set as a user can set it, knowing of nothing spoilt: on every other image,
so that it rejects a small part of sound ones. Then a share of the rest is spoilt in one of several ways, and judged by
that. The named baseline in the same run is a gate that rejects as many at random.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.console import Console
from pipeline.evaluation.faithfulness import SceneRenderer
from pipeline.evaluation.judge import Judge, JudgeSettings, judge_for
from pipeline.evaluation.named_source import source_named
from pipeline.evaluation.provenance import provenance
from pipeline.evaluation.training_source import source_of
from pipeline.model_directory import open_model
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source
from pipeline.storage import Store

Spoil = Callable[[Image, Image, np.random.Generator], Image]


def other_scene(image: Image, other: Image, rng: np.random.Generator) -> Image:
    """The image of another label map: the pair is simply wrong."""
    return other


def upside_down(image: Image, other: Image, rng: np.random.Generator) -> Image:
    """Rendered, but not where the labels are."""
    return np.ascontiguousarray(image[::-1])


def patch_of_noise(image: Image, other: Image, rng: np.random.Generator) -> Image:
    """A third of the image is lost, as when a network diverges."""
    spoilt = image.copy()
    height, width = image.shape[0], image.shape[1] // 3
    left = int(rng.integers(0, image.shape[1] - width))
    spoilt[:, left : left + width] = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return spoilt


def washed_out(image: Image, other: Image, rng: np.random.Generator) -> Image:
    """No detail and hardly any contrast."""
    soft = cv2.GaussianBlur(image, (0, 0), image.shape[1] / 24)
    return (soft * 0.25 + 110).astype(np.uint8)


def half_of_another(image: Image, other: Image, rng: np.random.Generator) -> Image:
    """One half belongs to another scene: the hardest to see."""
    spoilt = image.copy()
    middle = image.shape[1] // 2
    spoilt[:, middle:] = other[:, middle:]
    return spoilt


SHIPPED = "configs/models/streetscapes"
SPOILS: dict[str, Spoil] = {
    f.__name__: f for f in (other_scene, upside_down, patch_of_noise, washed_out, half_of_another)
}


def main() -> None:
    arguments = parse()
    learn, held_out, size, renderer = materials(arguments)
    settings = JudgeSettings(steps=arguments.judge_steps, width=arguments.width)
    judge = judge_for(learn, size, settings, Store(arguments.judges), Console(quiet=True))
    clean, spoilt = measure(judge, held_out, renderer, arguments.limit, arguments.seed)
    report = evaluate(clean, spoilt, arguments.share, arguments.sound_lost, arguments.seed)
    text = json.dumps(as_result(report, arguments, size), indent=1)
    print(text)
    if arguments.keep is not None:
        arguments.keep.write_text(text + "\n", encoding="utf-8")


def as_result(report: dict[str, Any], arguments: argparse.Namespace, size: Resolution) -> dict[str, Any]:
    """As the results of studies are kept; the model by what it is, not by where it lay."""
    options = f"--limit {arguments.limit} --judge-steps {arguments.judge_steps} --width {arguments.width}"
    model = arguments.model if arguments.model == SHIPPED else "MODEL"
    command = f"python benchmarks/bench_quality_gate.py {f'--model {model} ' if arguments.model else ''}{options}"
    result = {"study": "quality_gate", "kind": "quality_gate", "resolution": str(size), **report}
    if arguments.model:
        card = open_model(arguments.model).card
        result["model"] = {"family": card.family, "steps": card.training.steps, "pairs": card.training.pairs}
    return {**result, "provenance": provenance() | {"command": command}}


def materials(arguments: argparse.Namespace) -> tuple[Source, Source, Resolution, SceneRenderer | None]:
    if arguments.model:
        model = open_model(arguments.model)
        return source_of(model), source_of(model, "val"), model.resolution, SceneRenderer(model, (), arguments.seed)
    learn = source_named(arguments.source)
    return learn, source_named(arguments.held_out), Resolution.parse(arguments.resolution), None


def measure(
    judge: Judge, source: Source, renderer: SceneRenderer | None, limit: int, seed: int
) -> tuple[list[float], dict[str, list[float]]]:
    """Agreement of every image as it is, and spoilt in every way."""
    rng = np.random.default_rng(seed)
    scenes, images = [], []
    for key in list(source.keys())[:limit]:
        scene, real = source.read(key, judge.resolution)
        image = real if renderer is None else renderer.images(scene)[0]
        if image is not None:
            scenes.append(scene)
            images.append(image)
    clean = [judge.agreement(image, scene.labels) for image, scene in zip(images, scenes, strict=True)]
    spoilt: dict[str, list[float]] = {}
    for name, spoil in SPOILS.items():
        pairs = zip(images, images[1:] + images[:1], scenes, strict=True)
        spoilt[name] = [judge.agreement(spoil(image, other, rng), scene.labels) for image, other, scene in pairs]
    return clean, spoilt


def evaluate(
    clean: list[float], spoilt: dict[str, list[float]], share: float, sound_lost: float, seed: int
) -> dict[str, Any]:
    """Precision and recall where a share of the images is spoilt, by way of spoiling and together."""
    rng = np.random.default_rng(seed)
    ways = {**spoilt, "any": [spoilt[str(rng.choice(list(SPOILS)))][k] for k in range(len(clean))]}
    known, sound = np.array(clean[::2]), np.array(clean[1::2])
    threshold = float(np.quantile(known, sound_lost))
    chosen = rng.permutation(len(sound)) < round(share * len(sound))
    gate = {name: _scores(sound, np.array(values[1::2]), chosen, threshold) for name, values in ways.items()}
    return {
        "images": len(sound),
        "spoilt": int(chosen.sum()),
        "set_on": len(known),
        "sound_lost_there": sound_lost,
        "sound_lost": float((sound[~chosen] < threshold).mean()),
        "min_agreement": threshold,
        "agreement_clean": float(np.mean(clean)),
        "gate": gate,
    }


def _scores(sound: np.ndarray, spoilt: np.ndarray, chosen: np.ndarray, threshold: float) -> dict[str, float]:
    rejected = np.where(chosen, spoilt, sound) < threshold
    hits = float((rejected & chosen).sum())
    # Two of one agreement are ranked by a coin.
    pairs = np.sign(sound[None, ~chosen] - spoilt[chosen, None])
    return {
        "agreement_spoilt": float(spoilt.mean()),
        "precision": hits / max(1.0, float(rejected.sum())),
        "recall": hits / max(1.0, float(chosen.sum())),
        "ranked_right": float((pairs.mean() + 1) / 2),
        "random_precision": float(chosen.mean()),
        "random_recall": float(rejected.mean()),
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model directory")
    parser.add_argument("--source", default="{format: streetscapes, scenes: 120}", help="real pairs, without a model")
    parser.add_argument("--held-out", default="{format: streetscapes, split: val, scenes: 200}")
    parser.add_argument("--resolution", default="256x128")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--share", type=float, default=0.3, help="of images spoilt")
    parser.add_argument("--sound-lost", type=float, default=0.05, help="sound images that min_agreement may reject")
    parser.add_argument("--judge-steps", type=int, default=700)
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--judges", default="runs/judges")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="also write the numbers here, as in studies/results/")
    return parser.parse_args()


if __name__ == "__main__":
    main()
