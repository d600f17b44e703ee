"""The tensors of the authors' pix2pixHD checkpoints: their layers are numbered in one long list."""

import re
from typing import Any

from generators.pix2pixhd.config import Pix2PixHDConfig
from generators.published import Names, Published, Shapes, Target, shape

_UNIT = 3  # convolution, norm, activation
# Instance norms kept statistics before PyTorch 0.4, and never used them.
_UNUSED = r"\.(running_mean|running_var|num_batches_tracked)$"


def _settings(shapes: Shapes, target: Target) -> dict[str, Any]:
    base, taken = shape(shapes, "model.1.weight", 4)[:2]
    blocks = sorted(_places(shapes, r"model\.(\d+)\.conv_block\.1\.weight"))
    enhancers = sorted(_places(shapes, r"model(\d+)_1\.1\.weight"))
    if not blocks:
        raise ValueError("model.N.conv_block.1.weight is missing: the file holds no residual block")
    found: dict[str, Any] = {
        "base_channels": base,
        # Border, stem, then a unit a downsampling.
        "num_downsamplings": (blocks[0] - 1) // _UNIT - 1,
        "num_blocks": len(blocks),
        "num_enhancers": len(enhancers),
        **_condition(taken, target),
    }
    if enhancers:
        found["num_enhancer_blocks"] = len(_places(shapes, r"model1_2\.(\d+)\.conv_block\.1\.weight"))
    return found


def _condition(taken: int, target: Target) -> dict[str, Any]:
    """One-hot labels, then instance edges, then features; features without edges were never published."""
    extra = taken - target.num_channels
    if extra < 0:
        raise ValueError(
            f"the network takes {taken} channels, the catalog has {target.num_channels}; "
            "give the catalog it was trained on"
        )
    return {"instance_edges": extra > 0, "feature_channels": max(0, extra - 1)}


def _places(shapes: Shapes, pattern: str) -> set[int]:
    return {int(match[1]) for match in (re.fullmatch(pattern, name) for name in shapes) if match}


def _generator(config: Pix2PixHDConfig) -> Names:
    names, place = _trunk(config.num_downsamplings, config.num_blocks, "trunk", "model")
    names["head.0"] = f"model.{place + 1}"
    for index in range(config.num_enhancers):
        ours, theirs = f"enhancers.{index}", f"model{index + 1}"
        ups = config.num_enhancer_blocks
        names |= {f"{ours}.front.0.0": f"{theirs}_1.1", f"{ours}.front.1.0": f"{theirs}_1.{1 + _UNIT}"}
        names |= _blocks(f"{ours}.back", f"{theirs}_2", range(ups), 0)
        names |= {f"{ours}.back.{ups}.0": f"{theirs}_2.{ups}", "head.0": f"{theirs}_2.{ups + _UNIT + 1}"}
    return Names(names, unused=_UNUSED)


def _encoder(config: Pix2PixHDConfig) -> Names:
    names, place = _trunk(config.encoder_downsamplings, 0, "0", "model")
    return Names({**names, "1.0": f"model.{place + 1}"}, unused=_UNUSED)


def _encoder_settings(shapes: Shapes) -> dict[str, Any]:
    layers = sorted(_places(shapes, r"model\.(\d+)\.weight"))
    base = shape(shapes, "model.1.weight", 4)[0]
    features = shape(shapes, f"model.{layers[-1]}.weight", 4)[0]
    # Stem and head are the two layers that neither halve nor double.
    return {"encoder_channels": base, "encoder_downsamplings": len(layers) // 2 - 1, "feature_channels": features}


def _trunk(downs: int, blocks: int, ours: str, theirs: str) -> tuple[dict[str, str], int]:
    """Names of stem, downsamplings, blocks and upsamplings, and the place that follows them."""
    first_block = 1 + _UNIT * (downs + 1)
    names = {f"{ours}.{index}.0": f"{theirs}.{1 + _UNIT * index}" for index in range(downs + 1)}
    names |= _blocks(ours, theirs, range(downs + 1, downs + 1 + blocks), first_block)
    first_up = first_block + blocks
    for index in range(downs):
        names[f"{ours}.{downs + 1 + blocks + index}.0"] = f"{theirs}.{first_up + _UNIT * index}"
    return names, first_up + _UNIT * downs


def _blocks(ours: str, theirs: str, places: range, first: int) -> dict[str, str]:
    names = {}
    for number, place in enumerate(places):
        for own, other in ((0, 1), (3, 5)):
            names[f"{ours}.{place}.residual.{own}"] = f"{theirs}.{first + number}.conv_block.{other}"
    return names


PUBLISHED = Published(_settings, _generator, _encoder, _encoder_settings)
