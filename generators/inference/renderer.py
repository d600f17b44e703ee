"""Label maps, instances and styles in, uint8 images out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from generators.conditioning import check_range, labels_checked
from generators.family import Generator
from generators.inference.device import FastPath, Precision, choose_device, choose_precision
from generators.inference.faults import broken, is_device_fault, is_out_of_memory, no_room
from generators.inference.maps import Instances, Labels, check_sizes, pad_to_stride, same_maps, to_bytes
from generators.inference.network import Network
from generators.inference.styles import Styles
from generators.inference.transfers import Collect, Transfers
from generators.layout import Layout
from generators.style import Style

Images = npt.NDArray[np.uint8]

_CUDA_BATCH = 4
# What may be kept of one layout, so that another style of it costs the image's own convolutions alone.
_LAYOUT_BYTES = 2 * 2**30
# Several styles of one layout go through the network together, as many as this many pixels allow: their activations
# lie in memory side by side (some 1.5 KB a pixel).
_PIXELS_TOGETHER = 2**21


class RenderLayout(NamedTuple):
    """A scene on the device of the renderer that made it, ready for any number of styles."""

    layout: Layout
    instances_1HW: Tensor
    height: int
    width: int


class Renderer:
    """A generator on a device, ready to render.

    It keeps a copy of its own, with whatever rewrites the family has for this device; the generator stays as it was.
    A sample's image depends on its own labels, instances and style alone. Kernels may sum in another order for another
    batch size, so every pass through the network has the same one: `max_batch`, the last pass filled up with copies.
    Scenes that occur in several styles, where the family can share their layout, go through one by one instead.
    """

    def __init__(
        self,
        generator: Generator,
        device: str = "auto",
        precision: Precision = "auto",
        max_batch: int | None = None,
        path: FastPath | None = None,
        layout_bytes: int = _LAYOUT_BYTES,
    ) -> None:
        self.device = choose_device(device)
        self.precision = choose_precision(precision, self.device)
        # On a CPU a larger batch is no faster and takes more memory.
        self.max_batch = max_batch or (1 if self.device.type == "cpu" else _CUDA_BATCH)
        self._network = Network(generator, self.device, self.precision, path or FastPath())
        self._styles = Styles(generator.style_kind, generator.style_dim, self.device)
        self._transfers = Transfers(self.device)
        self._stride, self._num_channels = generator.stride, generator.num_channels
        self._layout_bytes = layout_bytes
        self._pixels_together = _PIXELS_TOGETHER

    def render(self, labels: Labels, instances: Instances | None, styles: Sequence[Style | None]) -> Images:
        """B x H x W label channels and instance ids to B x H x W x 3 images.

        Without instances each class is one instance. A style of None is the mean style: zeros. Where the same maps
        come several times, what labels alone decide is computed once. Raises DeviceFailed when the device gives up.
        """
        check_sizes(labels, instances, styles)
        self._styles.check(styles)
        if instances is None:
            instances = labels.astype(np.int32)
        if self._num_channels and labels.size:
            check_range(int(labels.min()), int(labels.max()), self._num_channels)
        if self._network.shares_layouts:
            return self._by_layout(labels, instances, styles)
        return self._by_batch(labels, instances, styles)

    def layout(self, labels: Labels, instances: Instances | None = None) -> RenderLayout:
        """One scene, H x W, to be rendered in styles that are not known yet: each after the first is cheaper."""
        check_sizes(labels[None], None if instances is None else instances[None], [None])
        instances = labels.astype(np.int32) if instances is None else instances
        if self._num_channels:
            check_range(int(labels.min()), int(labels.max()), self._num_channels)
        # Copies: on a CPU the layout would see what the caller writes into these later.
        return self._to_layout(labels[None].copy(), instances[None].copy(), self._layout_bytes)

    def in_styles(self, layout: RenderLayout, styles: Sequence[Style | None]) -> Images:
        """S x H x W x 3 images of one layout in S styles."""
        self._styles.check(styles)
        images = np.empty((len(styles), layout.height, layout.width, 3), np.uint8)
        start = 0
        while start < len(styles):
            together = max(1, self._pixels_together // layout.instances_1HW.numel())
            some = slice(start, start + together)
            try:
                images[some] = self._style_pass(layout, styles[some])
            except Exception as error:
                self._make_room(error, together, layout.width, layout.height)
                # Of pixels, not of styles: what was too much for this scene is too much for others of its size.
                self._pixels_together = layout.instances_1HW.numel() * (together // 2)
                continue
            start += together
        return images

    def _by_layout(self, labels: Labels, instances: Instances, styles: Sequence[Style | None]) -> Images:
        images = np.empty((*labels.shape, 3), np.uint8)
        for group in same_maps(labels, instances):
            first, together = group[0], max(1, self._pixels_together // labels[0].size)
            # With all styles in one pass nothing has to be kept for a second one.
            room = self._layout_bytes if len(group) > together else 0
            layout = self._to_layout(labels[[first]], instances[[first]], room)
            images[group] = self.in_styles(layout, [styles[index] for index in group])
        return images

    @torch.inference_mode()
    def _to_layout(self, labels: Labels, instances: Instances, room_bytes: int) -> RenderLayout:
        _, height, width = labels.shape
        try:
            labels_BHW, instances_BHW = self._to_device(labels, instances)
            with labels_checked():
                condition = self._network.condition(labels_BHW, instances_BHW)
        except Exception as error:
            raise self._diagnosed(error, width, height) from error
        return RenderLayout(Layout(condition, room_bytes), instances_BHW, height, width)

    @torch.inference_mode()
    def _style_pass(self, layout: RenderLayout, styles: Sequence[Style | None]) -> Images:
        each = [self._styles.batch([style], layout.instances_1HW) for style in styles]
        images = self._network.in_styles(layout.layout, each)
        return self._transfers.fetch(self._cropped(torch.cat(images), layout.height, layout.width))()

    def _by_batch(self, labels: Labels, instances: Instances, styles: Sequence[Style | None]) -> Images:
        passes: list[Images] = []
        pending: list[Collect] = []
        start = 0
        while start < len(labels):
            some = slice(start, min(start + self.max_batch, len(labels)))
            try:
                collect = self._render_pass(labels[some], instances[some], styles[some])
                # Fetched while the pass just started is computed.
                passes += [fetch() for fetch in pending]
                pending = [collect]
            except Exception as error:
                self._make_room(error, self.max_batch, labels.shape[2], labels.shape[1])
                self.max_batch = (self.max_batch + 1) // 2
                continue
            start = some.stop
        passes += [fetch() for fetch in pending]
        if len(passes) == 1:
            return passes[0]
        return np.concatenate(passes) if passes else np.empty((*labels.shape, 3), np.uint8)

    @torch.inference_mode()
    def _render_pass(self, labels: Labels, instances: Instances, styles: Sequence[Style | None]) -> Collect:
        num_samples, height, width = labels.shape
        fill = [*range(num_samples), *[0] * (self.max_batch - num_samples)]
        if num_samples < self.max_batch:
            labels, instances = labels[fill], instances[fill]
        labels_BHW, instances_BHW = self._to_device(labels, instances)
        with labels_checked():
            condition = self._network.condition(labels_BHW, instances_BHW)
        style = self._styles.batch([styles[index] for index in fill], instances_BHW)
        return self._transfers.fetch(self._cropped(self._network(condition, style)[:num_samples], height, width))

    def _to_device(self, labels: Labels, instances: Instances) -> tuple[Tensor, Tensor]:
        labels_BHW = self._transfers.to_device(pad_to_stride(labels, self._stride))
        return labels_BHW.int(), self._transfers.to_device(pad_to_stride(instances, self._stride))

    def _cropped(self, image_BCHW: Tensor, height: int, width: int) -> Tensor:
        return to_bytes(image_BCHW[:, :, :height, :width])

    def _make_room(self, error: Exception, at_once: int, width: int, height: int) -> None:
        """After an error of a pass of so many images: returns where a smaller one is worth trying, else raises."""
        if at_once == 1 or not is_out_of_memory(error):
            raise self._diagnosed(error, width, height) from error
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _diagnosed(self, error: Exception, width: int, height: int) -> Exception:
        """The error, or what it says about the device."""
        if is_out_of_memory(error):
            return no_room(self.device, width, height, error)
        return broken(self.device, error) if is_device_fault(error) else error
