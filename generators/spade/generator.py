"""The SPADE generator: normalisation after normalisation, the label map decides what is drawn where."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generators.conditioning import check_channels, edge_map, one_hot
from generators.family import Generator, LabelSpace
from generators.spade.block import SpadeBlock
from generators.spade.config import SpadeConfig
from generators.spade.stages import Stage, double, plan_stages, resize_labels, total_stride
from generators.spade.start import CodeStart, LabelStart
from generators.style import StyleKind


class StagedGenerator(Generator):
    """What SPADE, CC-FPSE and Lab2Pix-V2 have in common: conditioning, start grid, stages, RGB head."""

    def __init__(self, config: SpadeConfig, space: LabelSpace, sketch: bool = False) -> None:
        super().__init__()
        self.num_channels = space.num_channels
        self.sketch = sketch
        self.instance_edges = config.instance_edges
        self.condition_channels = (1 if sketch else space.num_channels) + config.instance_edges
        self.stages: tuple[Stage, ...] = plan_stages(config.base_channels, config.upsampling)
        self.stride = total_stride(self.stages)
        self.style_kind = StyleKind.GLOBAL if config.use_vae else StyleKind.NONE
        self.style_dim = config.style_dim if config.use_vae else 0
        first, last = self.stages[0].in_channels, self.stages[-1].out_channels
        self.start: LabelStart | CodeStart = (
            CodeStart(config.style_dim, first, config.start_grid, self.stride)
            if config.use_vae
            else LabelStart(self.condition_channels, first, self.stride)
        )
        self.to_rgb = nn.Conv2d(last, 3, 3, padding=1)

    def condition(self, labels_BHW: Tensor, instances_BHW: Tensor) -> Tensor:
        """One-hot labels (or the sketch, scaled to 0..1), then instance edges."""
        parts = [self._sketch(labels_BHW) if self.sketch else one_hot(labels_BHW, self.num_channels)]
        if self.instance_edges:
            parts.append(edge_map(instances_BHW))
        return torch.cat(parts, dim=1)

    def _sketch(self, labels_BHW: Tensor) -> Tensor:
        check_channels(labels_BHW, self.num_channels)
        return (labels_BHW.float() / max(1, self.num_channels - 1)).unsqueeze(1)

    def begin(self, condition_BSHW: Tensor, style: Tensor | None) -> Tensor:
        """The start grid; a missing code is drawn from the standard normal distribution."""
        if self.style_kind is StyleKind.GLOBAL and style is None:
            style = torch.randn(len(condition_BSHW), self.style_dim, device=condition_BSHW.device)
        return self.start(condition_BSHW, style)

    def finish(self, x_BCHW: Tensor) -> Tensor:
        # tanh in full precision: half precision would band the highlights.
        return torch.tanh(self.to_rgb(F.leaky_relu(x_BCHW, 0.2)).float())


class SpadeGenerator(StagedGenerator):
    """SPADE residual blocks on a doubling grid."""

    def __init__(self, config: SpadeConfig, space: LabelSpace) -> None:
        super().__init__(config, space)
        self.blocks = nn.ModuleList(
            SpadeBlock(stage.in_channels, stage.out_channels, self.condition_channels, config.hidden_channels)
            for stage in self.stages
        )

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        x_BCHW = self.begin(condition, style)
        for stage, block in zip(self.stages, self.blocks, strict=True):
            x_BCHW = double(x_BCHW) if stage.upsample else x_BCHW
            x_BCHW = block(x_BCHW, resize_labels(condition, x_BCHW))
        return self.finish(x_BCHW)

    def for_inference(self, device: torch.device) -> Generator:
        if device.type != "cpu":
            from generators.spade.tabled_generator import TabledGenerator

            return TabledGenerator(self)
        from generators.spade.inference import FoldedSpadeGenerator

        return FoldedSpadeGenerator(self)
