"""Styles of scenes to the tensors that generators take."""

from collections.abc import Sequence

import torch
from torch import Tensor

from generators.conditioning import paint
from generators.style import Style, StyleKind


class Styles:
    """What a generator's style is, on its device."""

    def __init__(self, kind: StyleKind, dim: int, device: torch.device) -> None:
        self._kind, self._dim, self._device = kind, dim, device

    def check(self, styles: Sequence[Style | None]) -> None:
        """Raise ValueError for a style of another generator."""
        for style in styles:
            if self._kind != StyleKind.NONE and style is not None and style.vectors.shape[1] != self._dim:
                raise ValueError(
                    f"a style vector has {style.vectors.shape[1]} numbers; this generator takes {self._dim}"
                )

    def batch(self, styles: Sequence[Style | None], instances_BHW: Tensor) -> Tensor | None:
        """The styles of as many scenes: codes, or maps painted over their instances."""
        if self._kind == StyleKind.NONE:
            return None
        if self._kind == StyleKind.GLOBAL:
            codes = [torch.zeros(self._dim) if one is None else torch.from_numpy(one.vectors[0]) for one in styles]
            return torch.stack(codes).to(self._device)
        maps = [self._paint(style, ids) for style, ids in zip(styles, instances_BHW, strict=True)]
        if self._kind == StyleKind.NOISE and all(painted.shape[1:] == (1, 1) for painted in maps):
            return torch.stack(maps)
        return torch.stack([painted.expand(-1, *instances_BHW.shape[1:]) for painted in maps])

    def _paint(self, style: Style | None, instances_HW: Tensor) -> Tensor:
        """dim x H x W; dim x 1 x 1 where it is the same everywhere."""
        if style is None:
            return torch.zeros(self._dim, 1, 1, device=self._device)
        vectors = torch.from_numpy(style.vectors).to(self._device)
        if style.ids is None:
            return vectors[0, :, None, None]
        return paint(torch.from_numpy(style.ids).to(self._device), vectors, instances_HW)
