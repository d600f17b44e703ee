"""What the rendering benchmarks render: every family at the published settings, one street layout, and plain forms."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from generators import FAMILIES
from generators.blocks import InstanceNorm
from generators.family import Generator, LabelSpace
from generators.style import Style, StyleKind

SPACE = LabelSpace(35, thing_channels=(24, 25, 26))

# name -> (family, settings beside the width). Those without a style render a scene once; those with one in several.
SUBJECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "pix2pixhd": ("pix2pixhd", {"feature_channels": 0}),
    "pix2pixhd-enhancer": ("pix2pixhd", {"num_enhancers": 1, "feature_channels": 0}),
    "spade": ("spade", {}),
    "spade-vae": ("spade", {"use_vae": True}),
    "ccfpse": ("ccfpse", {}),
    "ccfpse-vae": ("ccfpse", {"use_vae": True}),
    "lab2pix_v1": ("lab2pix_v1", {}),
    "lab2pix_v2": ("lab2pix_v2", {}),
    "lab2pix_v2-vae": ("lab2pix_v2", {"use_vae": True}),
    "oasis": ("oasis", {}),
    "pix2pix": ("pix2pix", {"levels": 6}),
    "crn": ("crn", {"modules": 7}),
}


def build(name: str, share: float, width: int, height: int) -> Generator:
    """The subject at a share of its published width, for images of this size, with random weights."""
    family_name, settings = SUBJECTS[name]
    family = FAMILIES[family_name]
    published = family.config.model_fields["base_channels"].default
    settings = {"base_channels": max(2, int(published * share)), **settings}
    if settings.get("use_vae") or family_name == "lab2pix_v1":
        stride = 64 if family_name != "lab2pix_v1" else 128
        settings["start_grid"] = (height // stride, width // stride)
    torch.manual_seed(0)
    generator = family.build_generator(family.config(**settings), SPACE).eval()
    settle_statistics(generator)
    return generator


def settle_statistics(generator: Generator) -> None:
    """Running statistics as after training, so that folding them in is not a no-op."""
    for layer in generator.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None and layer.running_var is not None:
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 2)


def road_scene(width: int, height: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Sky, trees, buildings, a road, and cars of all sizes: 1 x H x W labels and instances."""
    y, x = np.mgrid[:height, :width]
    labels = np.select([y < 0.3 * height, y <= 0.55 * height], [23, 11], 7)
    trees = (y > 0.25 * height) & (y < 0.5 * height) & (np.sin(x / width * 28) > 0.2)
    labels[trees] = 21
    instances = labels.copy()
    rng = np.random.default_rng(0)
    for index in range(25):
        column, row = rng.integers(0, width), rng.integers(int(0.35 * height), int(0.8 * height))
        radius = rng.integers(3, max(4, height // 12))
        car = ((x - column) / 1.6) ** 2 + (y - row) ** 2 < radius**2
        labels[car], instances[car] = 26, 26000 + index
    return labels.astype(np.uint8)[None], instances.astype(np.int32)[None]


def some_style(generator: Generator, seed: int) -> Style | None:
    """A vector for the whole image, for families that take one."""
    if generator.style_kind == StyleKind.NONE:
        return None
    rng = np.random.default_rng(seed)
    return Style(None, rng.normal(size=(1, generator.style_dim)).astype(np.float32))


def plain_eager(
    generator: Generator, maps: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]], device: torch.device
) -> Callable[[], Tensor]:
    """The network as its authors run it: one-hot input, instance norm modules, default memory layout, float32."""
    plain = copy.deepcopy(generator).to(device)
    for module in list(plain.modules()):
        for name, child in module.named_children():
            if isinstance(child, InstanceNorm):
                setattr(module, name, nn.InstanceNorm2d(child.groups))
    labels, instances = (torch.from_numpy(array).to(device) for array in maps)
    style = style_tensor(plain, some_style(plain, 0), labels.shape[1:], device)

    @torch.inference_mode()
    def run() -> Tensor:
        image: Tensor = plain(plain.condition(labels, instances).contiguous(), style)
        return image

    return run


def style_tensor(
    generator: Generator, style: Style | None, size: tuple[int, ...], device: torch.device
) -> Tensor | None:
    """The style as the plain network takes it."""
    if style is None:
        return None
    vector = torch.from_numpy(style.vectors).to(device)
    return vector if generator.style_kind == StyleKind.GLOBAL else vector[..., None, None].expand(-1, -1, *size)
