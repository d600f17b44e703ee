"""`evaluate study`: a static page on which people say which of two images looks more real, not knowing whose it is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from pipeline.errors import InputError
from pipeline.evaluation.verdict import NORMAL
from pipeline.report.contact_sheet import encode_jpeg
from pipeline.report.html import data_uri, render_page
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source


@dataclass(frozen=True)
class Trial:
    """One question: the image of A and that of B for one label map."""

    key: str
    images: tuple[Image, Image]
    labels: Image | None  # in colours, shown above; None: images alone


def draw_trials(
    one: Source, other: Source, number: int, resolution: Resolution, seed: int, *, with_labels: bool
) -> list[Trial]:
    """Images of the same scenes where both sources have them, else of scenes drawn for each."""
    rng = np.random.default_rng(seed)
    shared = sorted(set(one.keys()) & set(other.keys()))
    if with_labels and not shared:
        raise InputError("the two share no scene, so there is no label map to show above both; leave out --labels")
    pairs = [(key, key) for key in shared] or list(
        zip(_mixed(one.keys(), rng), _mixed(other.keys(), rng), strict=False)
    )
    picked = rng.permutation(len(pairs))[:number].tolist()
    return [_trial(one, other, pairs[index], resolution, with_labels=with_labels) for index in picked]


def study_page(names: tuple[str, str], trials: Sequence[Trial], seed: int, seconds: float | None, question: str) -> str:
    """The page; order and sides are drawn anew for everybody who opens it, from the seed and the moment."""
    shown = [
        {
            "key": trial.key,
            "images": [data_uri(encode_jpeg(image, 92)) for image in trial.images],
            "labels": None if trial.labels is None else data_uri(encode_jpeg(trial.labels)),
        }
        for trial in trials
    ]
    data = {"names": list(names), "trials": shown, "seed": seed, "seconds": seconds}
    # `<` would end the script; JSON has another way to write it.
    text = json.dumps(data).replace("<", "\\u003c")
    return render_page("study.html.j2", title="Which looks more real? - synthgen", question=question, data=text)


def tally_answers(files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Answers of several people added up: the share that prefers A, with its 95 % interval (Wilson 1927)."""
    names = {tuple(each["names"]) for each in files}
    if len(names) != 1:
        raise InputError("the answers belong to different studies; tally those of one study at a time")
    answers = [answer for each in files for answer in each["answers"]]
    if not answers:
        raise InputError("no answers in these files")
    for_first = sum(answer["preferred"] == 0 for answer in answers)
    low, high = wilson(for_first, len(answers))
    [(first, second)] = names
    share = for_first / len(answers)
    return {
        "people": len(files),
        "answers": len(answers),
        "preferred": {first: share, second: 1 - share},
        "interval_of_first": [low, high],
        "verdict": "no preference shown" if low <= 0.5 <= high else f"{first if share > 0.5 else second} is preferred",
    }


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    share, square = hits / total, NORMAL**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = NORMAL / (1 + square / total) * sqrt(share * (1 - share) / total + square / (4 * total**2))
    return middle - half, middle + half


def _mixed(keys: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [keys[index] for index in rng.permutation(len(keys)).tolist()]


def _trial(one: Source, other: Source, keys: tuple[str, str], resolution: Resolution, *, with_labels: bool) -> Trial:
    scene, first = one.read(keys[0], resolution)
    second = other.read_image(keys[1], resolution)
    if first is None or second is None:
        raise InputError(f"{keys[0] if first is None else keys[1]} has no image to show")
    labels = scene.catalog.palette[scene.labels] if with_labels else None
    return Trial(" / ".join(dict.fromkeys(keys)), (first, second), labels)
