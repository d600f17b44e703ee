"""Styles of families that draw noise and train no encoder: for every photograph the noise that renders it best."""

import hashlib

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from generators.family import Generator
from generators.style import StyleKind
from label_editing.scene import Scene
from pipeline.resolution import Resolution
from pipeline.sources.base import Image, Source
from pipeline.styles.bank import WHOLE_IMAGE
from pipeline.styles.regions import ImageLooks, as_tensor, photographed

CANDIDATES = 32  # draws of noise that are tried for a photograph
_BANDS = 4  # from the top of the image to its bottom: sky, far, near, ground


class NoiseReader:
    """Tries noise on the label map of a photograph, at a small size, and keeps what comes nearest in its light."""

    def __init__(self, generator: Generator, source: Source, resolution: Resolution) -> None:
        self._generator, self._source = generator.eval(), source
        self.size = small_size(resolution, generator.stride)

    def pair(self, key: str) -> tuple[Scene, Image]:
        """A photograph and its label map."""
        return photographed(self._source, key, self.size)

    @torch.inference_mode()
    def looks(self, scene: Scene, image: Image) -> ImageLooks:
        """The noise of one image, as the look of the whole of it."""
        device = next(self._generator.parameters()).device
        labels = torch.from_numpy(scene.catalog.channel_of[scene.labels].astype(np.int64))[None]
        instances = scene.labels.astype(np.int32) if scene.instances is None else scene.instances
        condition = self._generator.condition(labels.to(device), torch.from_numpy(instances.copy())[None].to(device))
        noise = self._draw(image).to(device)
        rendered = light(self._render(condition, noise))
        distance = (rendered - light(as_tensor(image).to(device))).abs().mean(dim=(1, 2))
        vector = noise[distance.argmin()].float().cpu().numpy().reshape(1, -1)
        return ImageLooks(scene.key, scene.attributes, np.array([WHOLE_IMAGE], np.int32), vector, np.ones(1))

    def _draw(self, image: Image) -> Tensor:
        """Candidates that follow from the photograph alone: what it lends does not depend on those before it."""
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(image.tobytes()).digest()))
        drawn: npt.NDArray[np.float64] = rng.standard_normal((CANDIDATES, self._generator.style_dim))
        return torch.from_numpy(drawn.astype(np.float32))

    def _render(self, condition: Tensor, noise: Tensor) -> Tensor:
        images = []
        for vector in noise:
            style = vector[None]
            if self._generator.style_kind is StyleKind.NOISE:
                style = style[:, :, None, None].expand(-1, -1, *condition.shape[-2:])
            images.append(self._generator(condition, style))
        return torch.cat(images)


def small_size(resolution: Resolution, stride: int) -> Resolution:
    """The smallest size that the generator takes and that keeps the shape of the image, near enough."""
    shorter = min(resolution)
    times = max(1, round(64 / stride))
    width, height = (max(1, round(side * times / shorter)) * stride for side in resolution)
    return Resolution(width, height)


def light(image_BCHW: Tensor) -> Tensor:
    """B x 3 x bands: the mean colour from top to bottom. It tells the hour, whatever stands in the street."""
    return F.adaptive_avg_pool2d(image_BCHW.float(), (_BANDS, 1))[..., 0]
