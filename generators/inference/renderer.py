"""Label maps, instances and styles in, uint8 images out."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from generators.conditioning import paint
from generators.family import Generator
from generators.inference.device import Precision, choose_device, choose_precision
from generators.memory_format import channels_last
from generators.style import Style, StyleKind

Labels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Instances = npt.NDArray[np.int32]
Images = npt.NDArray[np.uint8]

# Reflection padding at the smallest size needs two pixels a side.
_MIN_CELLS = 2
_CUDA_BATCH = 4


class Renderer:
    """A generator on a device, ready to render.

    It keeps a copy of its own, with whatever rewrites the family has for this device; the generator stays as it was.
    A sample's image depends on its own labels, instances and style alone. Kernels may sum in another order for another
    batch size, so every pass through the network has the same one: `max_batch`, the last pass filled up with copies.
    """

    def __init__(
        self, generator: Generator, device: str = "auto", precision: Precision = "auto", max_batch: int | None = None
    ) -> None:
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        # On a CPU a larger batch is no faster and takes more memory.
        self.max_batch = max_batch or (1 if self.device.type == "cpu" else _CUDA_BATCH)
        self._generator = channels_last(generator.for_inference(self.device).to(self.device))

    def render(self, labels: Labels, instances: Instances | None, styles: Sequence[Style | None]) -> Images:
        """B x H x W label channels and instance ids to B x H x W x 3 images.

        Without instances each class is one instance. A style of None is the mean style: zeros.
        """
        _check_sizes(labels, instances, styles)
        if instances is None:
            instances = labels.astype(np.int32)
        images = np.empty((*labels.shape, 3), np.uint8)
        start = 0
        while start < len(labels):
            some = slice(start, min(start + self.max_batch, len(labels)))
            try:
                images[some] = self._render_pass(labels[some], instances[some], styles[some])
            except torch.OutOfMemoryError:
                if self.max_batch == 1:
                    raise
                self.max_batch = (self.max_batch + 1) // 2
                torch.cuda.empty_cache()
                continue
            start = some.stop
        return images

    @torch.inference_mode()
    def _render_pass(self, labels: Labels, instances: Instances, styles: Sequence[Style | None]) -> Images:
        num_samples, height, width = labels.shape
        fill = [*range(num_samples), *[0] * (self.max_batch - num_samples)]
        labels_BHW = self._to_device(_pad_to_stride(labels[fill].astype(np.int32), self._generator.stride))
        instances_BHW = self._to_device(_pad_to_stride(instances[fill], self._generator.stride))
        condition = self._generator.condition(labels_BHW, instances_BHW)
        style = self._style([styles[index] for index in fill], instances_BHW)
        image_BCHW = self._forward(condition, style)[:num_samples, :, :height, :width]
        return _to_bytes(image_BCHW)

    def _forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        if condition.ndim == 4:
            condition = condition.contiguous(memory_format=torch.channels_last)
        reduced = self.precision != torch.float32
        with torch.autocast(self.device.type, self.precision, enabled=reduced):
            image: Tensor = self._generator(condition, style)
        return image

    def _style(self, styles: Sequence[Style | None], instances_BHW: Tensor) -> Tensor | None:
        kind, dim = self._generator.style_kind, self._generator.style_dim
        if kind == StyleKind.NONE:
            return None
        for style in styles:
            if style is not None and style.vectors.shape[1] != dim:
                raise ValueError(f"a style vector has {style.vectors.shape[1]} numbers; this generator takes {dim}")
        if kind == StyleKind.GLOBAL:
            codes = [torch.zeros(dim) if style is None else torch.from_numpy(style.vectors[0]) for style in styles]
            return torch.stack(codes).to(self.device)
        return torch.stack([self._paint(style, ids) for style, ids in zip(styles, instances_BHW, strict=True)])

    def _paint(self, style: Style | None, instances_HW: Tensor) -> Tensor:
        if style is None:
            return torch.zeros(self._generator.style_dim, *instances_HW.shape, device=self.device)
        vectors = torch.from_numpy(style.vectors).to(self.device)
        if style.ids is None:
            return vectors[0, :, None, None].expand(-1, *instances_HW.shape)
        return paint(torch.from_numpy(style.ids).to(self.device), vectors, instances_HW)

    def _to_device(self, array: npt.NDArray[np.int32]) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def _check_sizes(labels: Labels, instances: Instances | None, styles: Sequence[Style | None]) -> None:
    if labels.ndim != 3 or labels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"labels are {labels.dtype} of shape {labels.shape}; expected uint8 or uint16, B x H x W")
    if instances is not None and (instances.shape != labels.shape or instances.dtype != np.int32):
        raise ValueError(f"instances are {instances.dtype} of shape {instances.shape}; expected int32 {labels.shape}")
    if len(styles) != len(labels):
        raise ValueError(f"{len(styles)} styles for {len(labels)} label maps")


def _pad_to_stride(array: npt.NDArray[np.int32], stride: int) -> npt.NDArray[np.int32]:
    """Border pixels repeated to the right and below until both sides are multiples of the stride."""
    height, width = (max(_MIN_CELLS, -(-side // stride)) * stride for side in array.shape[1:])
    return np.pad(array, ((0, 0), (0, height - array.shape[1]), (0, width - array.shape[2])), mode="edge")


def _to_bytes(image_BCHW: Tensor) -> Images:
    bytes_BHWC = image_BCHW.float().mul(127.5).add_(127.5).round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    return bytes_BHWC.cpu().numpy()
