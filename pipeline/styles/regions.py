"""What every region of a training image looks like to the encoder."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from generators.conditioning import instance_mean
from generators.style import StyleKind
from label_editing.scene import class_of_instance
from pipeline.errors import SourceError
from pipeline.resolution import Resolution
from pipeline.sources.base import Source
from pipeline.styles.bank import WHOLE_IMAGE, Vector


class ImageLooks(NamedTuple):
    """The regions of one image: their classes, vectors and sizes."""

    key: str
    attributes: Mapping[str, str]
    class_id: npt.NDArray[np.int32]
    vectors: Vector
    area: npt.NDArray[np.float64]  # share of the image


class LookReader:
    """Encodes the images of a source, one at a time."""

    def __init__(self, encoder: nn.Module, kind: StyleKind, source: Source, resolution: Resolution) -> None:
        self._encoder, self._kind, self._source, self._resolution = encoder.eval(), kind, source, resolution

    @torch.inference_mode()
    def read(self, key: str) -> ImageLooks:
        """The looks of one image."""
        scene, image = self._source.read(key, self._resolution)
        if image is None:
            raise SourceError(f"{key}: the source has no image for this label map; styles are fitted on images")
        device = next(self._encoder.parameters()).device
        pixels_BCHW = torch.from_numpy(np.ascontiguousarray(image)).to(device).permute(2, 0, 1)[None].float()
        encoded = self._encoder(pixels_BCHW / 127.5 - 1)
        if self._kind is StyleKind.GLOBAL:
            mean = encoded[0].float().cpu().numpy().reshape(1, -1)
            return ImageLooks(key, scene.attributes, np.array([WHOLE_IMAGE], np.int32), mean, np.ones(1))
        regions = scene.labels.astype(np.int32) if scene.instances is None else scene.instances
        ids, first, count = np.unique(regions, return_index=True, return_counts=True)
        pooled = instance_mean(encoded, torch.from_numpy(regions.copy()).to(device)[None])[0]
        # Any pixel of a region holds its mean; the first will do.
        vectors = pooled.flatten(1).T[torch.from_numpy(first).to(device)].float().cpu().numpy()
        return ImageLooks(key, scene.attributes, class_of_instance(ids).astype(np.int32), vectors, count / regions.size)
