"""What a pixel shows a network of its label map, as one number: its label, with an edge beside it or not."""

from torch import Tensor, nn

from generators.conditioning import check_channels, edge_map


def looks_of(labels_BHW: Tensor, instances_BHW: Tensor, num_classes: int, edges: bool) -> Tensor:
    """B x H x W, int32."""
    check_channels(labels_BHW, num_classes)
    if not edges:
        return labels_BHW.int()
    return labels_BHW.int() * 2 + edge_map(instances_BHW)[:, 0].int()


def table_of(weight: Tensor) -> nn.Embedding:
    """Rows to look up, rounded where other weights are."""
    table = nn.Embedding(weight.shape[0], weight.shape[1])
    table.weight = nn.Parameter(weight.contiguous())
    return table
