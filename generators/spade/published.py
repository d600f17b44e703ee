"""The tensors of the authors' SPADE checkpoints, and what their skeleton has in common with CC-FPSE and Lab2Pix-V2."""

from typing import Any

from generators.published import Names, Published, Shapes, Target, instance_edges, shape
from generators.spade.config import SpadeConfig
from generators.spade.stages import Upsampling, plan_stages, total_stride

_BLOCKS = ("head_0", "G_middle_0", "G_middle_1", "up_0", "up_1", "up_2", "up_3", "up_4")


def spade_endings(norms: tuple[str, ...], plain_norm: str) -> dict[str, str]:
    """What the parts of SPADE layers are called."""
    parts = {"norm": plain_norm, "shared": "mlp_shared.0", "scale": "mlp_gamma", "shift": "mlp_beta"}
    return {f"{norm}.{ours}": f"{norm}.{theirs}" for norm in norms for ours, theirs in parts.items()}


def skeleton(config: SpadeConfig) -> dict[str, str]:
    """Start, blocks and head."""
    blocks = _BLOCKS[: len(plan_stages(config.base_channels, config.upsampling))]
    return {
        "start.linear" if config.use_vae else "start.conv": "fc",
        "to_rgb": "conv_img",
        **{f"blocks.{index}": theirs for index, theirs in enumerate(blocks)},
    }


def skeleton_settings(shapes: Shapes, target: Target, condition: int, upsampling: Upsampling) -> dict[str, Any]:
    """Width, edges and the VAE's start."""
    most = upsampling == "most"
    base = shape(shapes, "conv_img.weight", 4)[1] * (2 if most else 1)
    found: dict[str, Any] = {
        "base_channels": base,
        "upsampling": upsampling,
        "instance_edges": instance_edges(condition, target),
    }
    start = shape(shapes, "fc.weight")
    if len(start) == 2:
        stride = total_stride(plan_stages(base, upsampling))
        found |= {
            "use_vae": True,
            "style_dim": start[1],
            "start_grid": (target.rows // stride, target.columns // stride),
        }
    return found


def _settings(shapes: Shapes, target: Target) -> dict[str, Any]:
    # 'normal' has the tensors of 'more', which the Cityscapes networks are.
    upsampling: Upsampling = "most" if any(name.startswith("up_4.") for name in shapes) else "more"
    hidden, condition = shape(shapes, "head_0.norm_0.mlp_shared.0.weight", 4)[:2]
    return {**skeleton_settings(shapes, target, condition, upsampling), "hidden_channels": hidden}


def _generator(config: SpadeConfig) -> Names:
    return Names(skeleton(config), spade_endings(("norm_0", "norm_1", "norm_s"), "param_free_norm"))


def encoder_names(config: SpadeConfig) -> Names:
    """The style encoder that SPADE, CC-FPSE and Lab2Pix-V2 share."""
    convs = {f"convs.{index}": f"layer{index + 1}.0" for index in range(6)}
    return Names({**convs, "mean": "fc_mu", "log_variance": "fc_var"})


def encoder_settings(shapes: Shapes) -> dict[str, Any]:
    return {"encoder_channels": shape(shapes, "layer1.0.weight_orig", 4)[0]}


PUBLISHED = Published(_settings, _generator, encoder_names, encoder_settings)
