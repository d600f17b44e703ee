"""A convolution of one-hot labels as what it is: a sum of look-ups, one a tap. Equal, without the one-hot tensor."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Taps of so many pixels are looked up at a time: their indices stay within a few megabytes.
_PIXELS_AT_ONCE = 2**17


class LabelLookup(nn.Module):
    """The part of a size-preserving, stride-1 convolution that reads the first `num_channels`, one-hot, input channels.

    Reflection padding reflects the label map; zero padding looks up a row of zeros. The bias is left to the caller.
    """

    table: Tensor

    def __init__(self, conv: nn.Conv2d, num_channels: int) -> None:
        super().__init__()
        if conv.stride != (1, 1) or conv.kernel_size[0] != conv.kernel_size[1] or conv.kernel_size[0] % 2 == 0:
            raise ValueError(f"only size-preserving convolutions can be looked up, not {conv}")
        self.kernel = conv.kernel_size[0]
        self.reflects = conv.padding_mode == "reflect"
        self.num_rows = num_channels + 1
        rows_TKC = conv.weight.detach()[:, :num_channels].permute(2, 3, 1, 0).flatten(0, 1)
        self.register_buffer("table", F.pad(rows_TKC, (0, 0, 0, 1)).flatten(0, 1).contiguous(), persistent=False)

    def forward(self, labels_BHW: Tensor) -> Tensor:
        """B x C x H x W, channels last."""
        batch, height, width = labels_BHW.shape
        windows = self._padded(labels_BHW).unfold(1, self.kernel, 1).unfold(2, self.kernel, 1)
        taps = torch.arange(self.kernel**2, dtype=torch.int32, device=labels_BHW.device) * self.num_rows
        out_BHWC = self.table.new_empty(batch, height, width, self.table.shape[1])
        rows = max(1, _PIXELS_AT_ONCE // width)
        for image_HWkk, out_HWC in zip(windows, out_BHWC, strict=True):
            for top in range(0, height, rows):
                indices = image_HWkk[top : top + rows].flatten(2).flatten(0, 1) + taps
                sums = F.embedding_bag(indices, self.table, mode="sum")
                out_HWC[top : top + rows] = sums.view(-1, width, sums.shape[1])
        return out_BHWC.permute(0, 3, 1, 2)

    def _padded(self, labels_BHW: Tensor) -> Tensor:
        border = [self.kernel // 2] * 4
        # Padding is defined for floats alone; labels are small integers, which float32 holds exactly.
        if self.reflects:
            return F.pad(labels_BHW.float(), border, mode="reflect").int()
        return F.pad(labels_BHW.float(), border, value=self.num_rows - 1).int()


def halved_one_hot(labels_BHW: Tensor, num_channels: int) -> Tensor:
    """What pix2pixHD's pyramid step (`blocks.halve`) makes of one-hot labels, without them ever being there.

    Whole counts divided by how many lie inside the image: the same numbers to the bit. Channels last.
    """
    batch, height, width = labels_BHW.shape
    # Outside the image lies one more class, which is then left out.
    padded = F.pad(labels_BHW.float(), [1, 1, 1, 1], value=num_channels).long()
    rows, columns = (height + 1) // 2, (width + 1) // 2
    counts_BHWC = torch.zeros(batch, rows, columns, num_channels + 1, device=labels_BHW.device)
    one = counts_BHWC.new_ones(1, 1, 1, 1).expand(batch, rows, columns, 1)
    for tap in range(9):
        down, right = divmod(tap, 3)
        seen = padded[:, down : down + 2 * rows - 1 : 2, right : right + 2 * columns - 1 : 2]
        counts_BHWC.scatter_add_(3, seen.unsqueeze(3), one)
    inside_BHW1 = 9 - counts_BHWC[..., num_channels:]
    return (counts_BHWC[..., :num_channels] / inside_BHW1).permute(0, 3, 1, 2)
