"""The tensors of the authors' CC-FPSE checkpoints."""

from typing import Any

from generators.ccfpse.config import CcfpseConfig
from generators.published import Names, Published, Shapes, Target, shape
from generators.spade.published import encoder_names, encoder_settings, skeleton, skeleton_settings, spade_endings
from generators.spade.stages import Upsampling, plan_stages

_PREDICTORS = {
    "conv_0.kernels": "gen_weights1",
    "conv_1.kernels": "gen_weights2",
    "conv_0.gates": "gen_se_weights1",
    "conv_1.gates": "gen_se_weights2",
}
_LAYERS = {"conv_0.norm": "norm_1", "conv_1.norm": "norm_2", "conv_0.mix": "conv_1", "conv_1.mix": "conv_3"}
_UPSAMPLING: dict[int, Upsampling] = {6: "normal", 7: "more", 8: "most"}


def _settings(shapes: Shapes, target: Target) -> dict[str, Any]:
    levels = sum(name.startswith("labelenc") and name.endswith(".0.0.weight_orig") for name in shapes)
    width, condition = shape(shapes, "labelenc1.0.0.weight_orig", 4)[:2]
    if levels not in _UPSAMPLING:
        raise ValueError(f"the label pyramid has {levels} levels; 6, 7 and 8 are known")
    return {
        **skeleton_settings(shapes, target, condition, _UPSAMPLING[levels]),
        "pyramid_channels": width,
        "hidden_channels": shape(shapes, "head_0.gen_weights1.0.weight", 4)[0],
    }


def _generator(config: CcfpseConfig) -> Names:
    levels = 1 + sum(stage.upsample for stage in plan_stages(config.base_channels, config.upsampling))
    pyramid = {}
    for ours, theirs, count in (
        ("encode", "enc", levels),
        ("lateral", "lat", levels - 1),
        ("decode", "dec", levels - 1),
    ):
        for index in range(count):
            pyramid[f"pyramid.{ours}.{index}.conv"] = f"label{theirs}{index + 1}.0.0"
            pyramid[f"pyramid.{ours}.{index}.norm"] = f"label{theirs}{index + 1}.0.1"
    predictors = {
        f"{ours}.{layer}": f"{theirs}.{place}"
        for ours, theirs in _PREDICTORS.items()
        for layer, place in (("first", 0), ("second", 2))
    }
    return Names(
        {**skeleton(config), **pyramid},
        {**predictors, **_LAYERS, **spade_endings(("norm_s",), "param_free_norm")},
        # Batch norms that the released networks own and never call.
        unused=r"\.norm_0\.|\.conv_[02]\.norm_layer\.",
    )


PUBLISHED = Published(_settings, _generator, encoder_names, encoder_settings)
