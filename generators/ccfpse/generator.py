"""CC-FPSE: the layout predicts the convolution kernels, and how much of each result passes."""

import torch
from torch import Tensor, nn

from generators.ccfpse.block import ConditionalBlock
from generators.ccfpse.config import CcfpseConfig
from generators.ccfpse.label_pyramid import LabelPyramid, steering
from generators.family import Generator, LabelSpace
from generators.spade.generator import StagedGenerator
from generators.spade.stages import double


class CcfpseGenerator(StagedGenerator):
    """SPADE's skeleton with conditional-convolution blocks, steered by a pyramid over the labels."""

    def __init__(self, config: CcfpseConfig, space: LabelSpace) -> None:
        super().__init__(config, space)
        levels = 1 + sum(stage.upsample for stage in self.stages)
        self.pyramid = LabelPyramid(self.condition_channels, config.pyramid_channels, levels)
        steering_channels = self.condition_channels + config.pyramid_channels
        self.blocks = nn.ModuleList(
            ConditionalBlock(stage.in_channels, stage.out_channels, steering_channels, config.hidden_channels)
            for stage in self.stages
        )

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        levels = iter(self.pyramid(condition))
        steering_BQHW = steering(condition, next(levels))
        x_BCHW = self.begin(condition, style)
        for stage, block in zip(self.stages, self.blocks, strict=True):
            if stage.upsample:
                x_BCHW, steering_BQHW = double(x_BCHW), steering(condition, next(levels))
            x_BCHW = block(x_BCHW, steering_BQHW)
        return self.finish(x_BCHW)

    def for_inference(self, device: torch.device) -> Generator:
        if device.type != "cpu":
            # A GPU wants few large steps; a CPU's cache wants small ones.
            from generators.ccfpse.fused import FusedCcfpse

            return FusedCcfpse(self)
        from generators.ccfpse.inference import StripwiseCcfpse

        return StripwiseCcfpse(self)
