"""The table of sizes in docs/generators.md, counted from the networks themselves.

python -m generators.parameter_table            writes it into the page
python -m generators.parameter_table --check    fails when the page says something else
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from generators.families import FAMILIES
from generators.family import LabelSpace

PAGE = Path(__file__).parents[1] / "docs" / "generators.md"
BEGIN, END = "<!-- sizes: made by `python -m generators.parameter_table` -->", "<!-- end of sizes -->"
_CITYSCAPES = LabelSpace(35)
_SIZES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("pix2pixhd", "with features, as in the paper", {}),
    ("pix2pixhd", "no features", {"feature_channels": 0}),
    ("pix2pixhd", "no features, one local enhancer (2048x1024)", {"feature_channels": 0, "num_enhancers": 1}),
    ("spade", "no VAE", {}),
    ("spade", "no VAE, upsampling most", {"upsampling": "most"}),
    ("spade", "VAE at 512x256", {"use_vae": True}),
    ("ccfpse", "no VAE", {}),
    ("lab2pix_v1", "at 512x256", {}),
    ("lab2pix_v2", "no VAE", {}),
    ("oasis", "as in the paper", {}),
    ("pix2pix", "as in the paper", {}),
    ("crn", "at 512x256", {}),
)


def table() -> str:
    """Family, variant, stride and parameters of generator and encoder, for the 35 classes of Cityscapes."""
    rows = ["| family | variant | sides in multiples of | generator | style encoder |", "|---|---|---|---|---|"]
    return "\n".join([*rows, *_rows()])


def filled(page: str) -> str:
    """The page with its table made anew."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the page has no place for the table: {BEGIN!r} to {END!r}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _rows() -> Iterator[str]:
    for name, variant, settings in _SIZES:
        family = FAMILIES[name]
        config = family.config(**settings)
        with torch.device("meta"):
            generator = family.build_generator(config, _CITYSCAPES)
            encoder = family.build_encoder(config, _CITYSCAPES)
        yield f"| {name} | {variant} | {generator.stride} | {_count(generator)} | {_count(encoder)} |"


def _count(module: nn.Module | None) -> str:
    return "-" if module is None else f"{sum(weight.numel() for weight in module.parameters()):,}"


def main(arguments: list[str]) -> int:
    """Write or check the page; the exit code."""
    page = PAGE.read_text()
    made = filled(page)
    if "--check" in arguments:
        print("docs/generators.md is " + ("what the code says" if made == page else "stale"))
        return int(made != page)
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
