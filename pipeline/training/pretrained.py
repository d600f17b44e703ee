"""Weights of other networks that a training uses: where they are, what they hold, which judges are among them."""

import hashlib
from pathlib import Path

from generators.family import FamilyConfig
from generators.segmenter_loss import TaughtConfig
from pipeline.errors import InputError
from pipeline.judge_card import read_judge_card
from pipeline.train_config import absolute
from pipeline.training.job import Job

_CHUNK = 2**20


def with_weights_found(config: FamilyConfig) -> FamilyConfig:
    """Files of pretrained weights by absolute paths, that workers find too; URLs stay."""
    found = {}
    for name, location in config.pretrained().items():
        if "://" not in location:
            found[name] = absolute(location)
            if not Path(found[name]).is_file():
                raise InputError(f"model.{name}: {found[name]}: no such file; give a path or a URL")
    return config.model_copy(update=found)


def digests_of(job: Job) -> dict[str, str]:
    """What the files of pretrained weights hold, by path: the same file elsewhere is no other training."""
    paths = {place for stage in job.stages for place in stage.config.pretrained().values() if "://" not in place}
    return {path: f"sha256 {_digest(path)}" for path in sorted(paths)}


def teachers_of(job: Job) -> dict[str, int]:
    """The seed of every judge that the generator learns from, by fingerprint.

    InputError for one of other classes, or that does not say which it is: it could not be kept from judging its pupil.
    """
    found = {}
    for config in dict.fromkeys(stage.config for stage in job.stages):
        if isinstance(config, TaughtConfig) and config.segmenter_weights is not None:
            card = read_judge_card(config.segmenter_weights)
            place = f"model.segmenter_weights: {config.segmenter_weights}"
            if card is None:
                raise InputError(
                    f"{place}: does not say which judge it is; the same synthgen evaluate judge again adds that"
                )
            card.check_classes(job.catalog, place)
            found[card.judge] = card.seed
    return found


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()[:16]
