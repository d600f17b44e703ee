"""The tensors of the authors' Lab2Pix-V2 checkpoints."""

from typing import Any

from generators.lab2pix_v2.config import Lab2pixV2Config
from generators.published import Names, Published, Shapes, Target, shape
from generators.spade.published import encoder_names, encoder_settings, skeleton, skeleton_settings, spade_endings
from generators.spade.stages import Upsampling, plan_stages

_UPSAMPLING: dict[int, Upsampling] = {6: "normal", 7: "more", 8: "most"}


def _settings(shapes: Shapes, target: Target) -> dict[str, Any]:
    levels = sum(name.startswith("fpencoder.model_down.") and name.endswith(".weight_orig") for name in shapes)
    width, condition = shape(shapes, "fpencoder.model_down.0.weight_orig", 4)[:2]
    if levels not in _UPSAMPLING:
        raise ValueError(f"the global encoder has {levels} levels; 6, 7 and 8 are known")
    return {
        **skeleton_settings(shapes, target, condition, _UPSAMPLING[levels]),
        "global_channels": width,
        "hidden_channels": shape(shapes, "fpencoder.model_up.0.1.weight", 4)[0],
    }


def _generator(config: Lab2pixV2Config) -> Names:
    levels = 1 + sum(stage.upsample for stage in plan_stages(config.base_channels, config.upsampling))
    encoder = {}
    for level in range(levels):
        # Every convolution is followed by an activation, which takes a place in their lists.
        encoder[f"global_encoder.down.{level}"] = f"fpencoder.model_down.{2 * level}"
        encoder[f"global_encoder.spread.{level}"] = f"fpencoder.model_up.{level}.1"
    endings = spade_endings(("norm_0", "norm_1", "norm_s"), "param_free_norm")
    return Names({**skeleton(config), **encoder}, endings)


PUBLISHED = Published(_settings, _generator, encoder_names, encoder_settings)
