"""The instance-wise feature encoder: what each object of a real image looks like, as a few numbers a pixel."""

from torch import nn

from generators.blocks import normalise_over_layer, tanh_head
from generators.family import LabelSpace
from generators.pix2pixhd.config import Pix2PixHDConfig
from generators.pix2pixhd.generator import GlobalTrunk


class FeatureEncoder(nn.Sequential):
    """G1's hourglass without residual blocks, image to features in [-1, 1]; pooled per instance outside."""

    def __init__(self, base_channels: int, num_downsamplings: int, out_channels: int) -> None:
        trunk = GlobalTrunk(3, base_channels, num_downsamplings, num_blocks=0)
        super().__init__(trunk, tanh_head(base_channels, out_channels))


def build_encoder(config: Pix2PixHDConfig, space: LabelSpace) -> FeatureEncoder | None:
    if config.feature_channels == 0:
        return None
    encoder = FeatureEncoder(config.encoder_channels, config.encoder_downsamplings, config.feature_channels)
    if config.norm == "layer":
        normalise_over_layer(encoder)
    return encoder
