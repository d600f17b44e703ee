"""SegFormer (Xie et al. 2021) from `transformers`: from scratch at any size, or a published checkpoint."""

import hashlib
import json
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from generators.segmenter import SegmentationNetwork
from label_editing.catalog import Catalog
from pipeline.errors import InputError

# Widths and depths of the four stages and the width of the decoder, as in the paper's table 6.
SIZES: dict[str, dict[str, Any]] = {
    "b0": {"hidden_sizes": [32, 64, 160, 256], "depths": [2, 2, 2, 2], "decoder_hidden_size": 256},
    "b1": {"hidden_sizes": [64, 128, 320, 512], "depths": [2, 2, 2, 2], "decoder_hidden_size": 256},
    "b2": {"hidden_sizes": [64, 128, 320, 512], "depths": [3, 4, 6, 3], "decoder_hidden_size": 768},
    "b3": {"hidden_sizes": [64, 128, 320, 512], "depths": [3, 4, 18, 3], "decoder_hidden_size": 768},
    "b4": {"hidden_sizes": [64, 128, 320, 512], "depths": [3, 8, 27, 3], "decoder_hidden_size": 768},
    "b5": {"hidden_sizes": [64, 128, 320, 512], "depths": [3, 6, 40, 3], "decoder_hidden_size": 768},
}
# What published checkpoints expect: images in [0, 1], normalised by ImageNet's means and spreads.
_MEAN = (0.485, 0.456, 0.406)
_SPREAD = (0.229, 0.224, 0.225)


class Segformer(SegmentationNetwork):
    """A SegFormer; with `train_ids`, one whose classes are train ids and are looked up for every channel."""

    _mean: Tensor
    _spread: Tensor
    _train_ids: Tensor | None

    def __init__(self, model: Any, num_channels: int, train_ids: Tensor | None = None) -> None:
        super().__init__()
        self.num_channels = num_channels
        self.model = model
        self.register_buffer("_mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("_spread", torch.tensor(_SPREAD)[:, None, None], persistent=False)
        self.register_buffer("_train_ids", train_ids, persistent=False)

    def half_size_logits(self, image_BCHW: Tensor) -> Tensor:
        """SegFormer's own logits stand at a quarter of the size."""
        logits = self._by_channel(self.model(pixel_values=self._normalised(image_BCHW)).logits)
        return F.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)

    def features(self, image_BCHW: Tensor) -> list[Tensor]:
        """The four stages: strides 4, 8, 16 and 32."""
        seen = self.model.segformer(pixel_values=self._normalised(image_BCHW), output_hidden_states=True)
        return list(seen.hidden_states)

    def _normalised(self, image_BCHW: Tensor) -> Tensor:
        return (image_BCHW * 0.5 + 0.5 - self._mean) / self._spread

    def _by_channel(self, logits: Tensor) -> Tensor:
        if self._train_ids is None:
            return logits
        taught = self._train_ids < logits.shape[1]
        by_channel = logits[:, self._train_ids.clamp(max=logits.shape[1] - 1)]
        return by_channel.masked_fill(~taught[None, :, None, None], -1e4)


def build_segformer(size: str, num_channels: int) -> Segformer:
    """A SegFormer of this size (b0 to b5) with fresh weights."""
    transformers = _transformers()
    config = transformers.SegformerConfig(num_labels=num_channels, **SIZES[size])
    return Segformer(transformers.SegformerForSemanticSegmentation(config), num_channels)


def open_published(location: str, catalog: Catalog) -> Segformer:
    """A checkpoint by hub id or local path, whose classes are the train ids of this catalog."""
    try:
        model = _transformers().SegformerForSemanticSegmentation.from_pretrained(location, use_safetensors=True)
    except (OSError, ValueError) as error:
        first_line = str(error).splitlines()[0]
        raise InputError(
            f"segmenter {location!r}: neither small, segformer nor a SegFormer checkpoint: {first_line}"
        ) from None
    train_ids = torch.tensor([spec.train_id for spec in catalog.classes])
    taught = sorted(set(train_ids[train_ids != 255].tolist()))
    if taught != list(range(model.config.num_labels)):
        raise InputError(
            f"segmenter {location!r}: has {model.config.num_labels} classes, catalog {catalog.name} has "
            f"{len(taught)} train ids; give a checkpoint of this label space, or train one with --segmenter segformer"
        )
    return Segformer(model, catalog.num_channels, train_ids).eval()


def published_fingerprint(network: Segformer) -> str:
    """A short hash over what the checkpoint is."""
    digest = hashlib.sha256(json.dumps(network.model.config.to_dict(), sort_keys=True, default=str).encode())
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {float(tensor.double().sum())!r}\n".encode())
    return digest.hexdigest()[:16]


def _transformers() -> Any:
    try:
        import transformers
    except ImportError:
        raise InputError("SegFormer needs the package transformers: pip install 'synthgen[evaluate]'") from None
    return transformers
