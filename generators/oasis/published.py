"""The tensors of the authors' OASIS checkpoints (the moving average is the one to take)."""

from typing import Any

from generators.oasis.config import OasisConfig
from generators.published import Names, Published, Shapes, Target, shape
from generators.spade.published import spade_endings

_BLOCKS = 6


def _settings(shapes: Shapes, target: Target) -> dict[str, Any]:
    hidden, modulating = shape(shapes, "body.0.norm_0.mlp_shared.0.weight", 4)[:2]
    if modulating < target.num_channels:
        raise ValueError(
            f"the network takes {modulating} channels of noise and labels, the catalog has {target.num_channels}; "
            "give the catalog it was trained on"
        )
    return {
        "base_channels": shape(shapes, "conv_img.weight", 4)[1],
        "hidden_channels": hidden,
        "noise_dim": modulating - target.num_channels,
    }


def _generator(config: OasisConfig) -> Names:
    blocks = {f"blocks.{index}": f"body.{index}" for index in range(_BLOCKS)}
    endings = spade_endings(("norm_0", "norm_1", "norm_s"), "first_norm")
    return Names({"start": "fc", "to_rgb": "conv_img", **blocks}, endings)


PUBLISHED = Published(_settings, _generator)
