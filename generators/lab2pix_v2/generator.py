"""The Lab2Pix-V2 generator: SPADE's skeleton with DG-Norm, local and global label features in every norm."""

from typing import cast

import torch
from torch import Tensor, nn

from generators.family import Generator, LabelSpace
from generators.lab2pix_v2.config import Lab2pixV2Config
from generators.lab2pix_v2.global_encoder import GlobalEncoder
from generators.spade.block import SpadeBlock
from generators.spade.generator import StagedGenerator
from generators.spade.stages import double, resize_labels


class Lab2pixV2Generator(StagedGenerator):
    """SPADE blocks with a global map added to the hidden features of every main-branch norm."""

    def __init__(self, config: Lab2pixV2Config, space: LabelSpace) -> None:
        super().__init__(config, space, sketch=config.condition == "sketch")
        scales = 1 + sum(stage.upsample for stage in self.stages)
        self.global_encoder: nn.Module = GlobalEncoder(
            self.condition_channels, config.global_channels, config.hidden_channels, scales
        )
        self.blocks = nn.ModuleList(
            SpadeBlock(stage.in_channels, stage.out_channels, self.condition_channels, config.hidden_channels)
            for stage in self.stages
        )

    def forward(self, condition: Tensor, style: Tensor | None) -> Tensor:
        global_maps = iter(self.global_encoder(condition))
        global_map_BDHW = next(global_maps)
        x_BCHW = self.begin(condition, style)
        for stage, block in zip(self.stages, self.blocks, strict=True):
            if stage.upsample:
                x_BCHW, global_map_BDHW = double(x_BCHW), next(global_maps)
            x_BCHW = block(x_BCHW, resize_labels(condition, x_BCHW), global_map_BDHW)
        return self.finish(x_BCHW)

    def for_inference(self, device: torch.device) -> Generator:
        if device.type != "cpu":
            from generators.kernels.bare_conv import whole_groups
            from generators.lab2pix_v2.tabled import FewPlacesEncoder
            from generators.spade.tabled_generator import TabledGenerator

            channels = whole_groups(self.condition_channels)
            return TabledGenerator(self, FewPlacesEncoder(cast(GlobalEncoder, self.global_encoder), channels))
        from generators.lab2pix_v2.inference import CoarseGlobalEncoder
        from generators.spade.merged import MergedGenerator

        return MergedGenerator(self, CoarseGlobalEncoder(cast(GlobalEncoder, self.global_encoder)))
