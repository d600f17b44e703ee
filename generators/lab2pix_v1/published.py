"""The tensors of the authors' Lab2Pix-V1 checkpoints."""

from typing import Any

from generators.lab2pix_v1.config import Lab2pixV1Config
from generators.published import Names, Published, Shapes, Target, shape

_REFINEMENTS = 3
_LAYERS = {"conv_0": "SPADE_1", "conv_1": "SPADE_2", "shortcut": "SPADE_res"}
_PARTS = {"shared": "common_conv.0", "scale": "mul_conv", "shift": "add_conv"}


def _settings(shapes: Shapes, target: Target) -> dict[str, Any]:
    hidden, labels = shape(shapes, "SPADEResBlock_1.SPADE_1.common_conv.0.weight", 4)[:2]
    if labels != target.num_channels:
        raise ValueError(
            f"the network takes {labels} channels, the catalog has {target.num_channels}; "
            "give the catalog it was trained on"
        )
    blocks = sum(name.startswith("SPADEResBlock_") and name.endswith(".SPADE_1_.1.weight") for name in shapes)
    stride = 2**blocks
    return {
        "base_channels": shape(shapes, f"out_{blocks}.0.weight", 4)[1],
        "hidden_channels": hidden,
        "style_dim": shape(shapes, "noise_process.weight", 2)[1],
        "trunk_blocks": max(1, blocks - _REFINEMENTS),
        "start_grid": (target.rows // stride, target.columns // stride),
    }


def _generator(config: Lab2pixV1Config) -> Names:
    beginnings = {"start.linear": "noise_process"}
    for index in range(config.trunk_blocks):
        beginnings |= _block(f"trunk.{index}", index + 1)
    for index in range(_REFINEMENTS):
        number = config.trunk_blocks + index + 1
        stage = f"refine.{index}"
        beginnings |= _block(f"{stage}.block", number) | {
            f"{stage}.blend.lift": f"SPADEResBlock_{number}_fusion.input1.0",
            f"{stage}.blend.labels": f"SPADEResBlock_{number}_fusion.seg_process.0",
            f"{stage}.blend.mask": f"SPADEResBlock_{number}_fusion.mask.0",
            f"{stage}.to_rgb": f"out_{number}.0",
        }
    return Names(beginnings)


def _block(ours: str, number: int) -> dict[str, str]:
    names = {}
    for layer, theirs in _LAYERS.items():
        names[f"{ours}.{layer}.conv"] = f"SPADEResBlock_{number}.{theirs}_.1"
        for part, called in _PARTS.items():
            names[f"{ours}.{layer}.modulate.{part}"] = f"SPADEResBlock_{number}.{theirs}.{called}"
    return names


PUBLISHED = Published(_settings, _generator)
