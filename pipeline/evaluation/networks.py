"""Which segmentation network measures: its name on the command line, and how it is built and taught."""

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import torch

from generators.inference.device import Precision, choose_device, choose_precision
from generators.segmenter import SegmentationNetwork, Segmenter, SegmenterTraining, pad_to_stride, to_network
from label_editing.catalog import Catalog
from label_editing.names import nearest
from pipeline.console import Progress
from pipeline.errors import InputError
from pipeline.evaluation.segformer import SIZES, build_segformer

SMALL = "small"
SEGFORMER = "segformer"
_DEFAULT_SIZE = "b0"
_RATES = {SMALL: 4e-3, SEGFORMER: 6e-4}

# Images B x H x W x 3 and their label channels B x H x W.
Batch = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]


def is_trained_here(name: str) -> bool:
    """Whether the name means a network that is trained from scratch, not a published checkpoint."""
    return _kind(name) in _RATES


def build_network(name: str, num_channels: int, width: int, seed: int) -> SegmentationNetwork:
    """A network with fresh weights: `small`, `segformer`, or a size of it as in `segformer-b2`."""
    # Weights are drawn apart from whatever else uses torch's own generator.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if _kind(name) == SMALL:
            return Segmenter(num_channels, width)
        size = name.partition("-")[2] or _DEFAULT_SIZE
        return build_segformer(size, num_channels)


def check_name(name: str) -> None:
    """InputError for what is neither a network of ours nor looks like a path or hub id."""
    known = [SMALL, SEGFORMER, *(f"{SEGFORMER}-{size}" for size in SIZES)]
    if name in known or "/" in name or name.startswith("."):
        return
    guess = nearest(name, known)
    hint = f"; did you mean {guess!r}?" if guess else f"; known: {', '.join(known)}, or a hub id or folder"
    raise InputError(f"unknown segmenter {name!r}{hint}")


def teach(
    network: SegmentationNetwork,
    name: str,
    batches: Iterable[Batch],
    steps: int,
    ignored: Sequence[int],
    progress: Progress,
    precision: Precision,
) -> SegmentationNetwork:
    """Train the network on these batches, one a step; it comes back on its device, ready to predict."""
    network = network.to(choose_device("auto"))
    dtype = choose_precision(precision, network.device)
    training = SegmenterTraining(network, steps, tuple(ignored), _RATES[_kind(name)], dtype)
    for images, channels in batches:
        # Padded as images are.
        labels_BHW = (
            pad_to_stride(torch.from_numpy(channels.astype(np.float32))[:, None])[:, 0].long().to(network.device)
        )
        loss = training.step(to_network(images).to(network.device), labels_BHW)
        progress.advance(note=f"loss {loss:.3f}")
    return network.eval()


def precision_here(asked: str = "auto") -> Precision:
    """What networks learn in; `auto`: bfloat16 where this machine's device multiplies it in hardware, else float32."""
    bfloat16 = choose_precision(cast(Precision, asked), choose_device("auto")) == torch.bfloat16
    return "bfloat16" if bfloat16 else "float32"


def ignored_channels(catalog: Catalog) -> tuple[int, ...]:
    """The channels that neither teach nor count."""
    return tuple(rank for rank, spec in enumerate(catalog.classes) if spec.void)


def _kind(name: str) -> str:
    return SEGFORMER if name == SEGFORMER or name.removeprefix(f"{SEGFORMER}-") in SIZES else name
