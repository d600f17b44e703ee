"""A history of fakes: discriminators that also see old ones forget less."""

import torch
from torch import Tensor


class ImagePool:
    """Once full, each image is exchanged with probability one half for a stored one. Size 0 passes images through."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self._size = size
        self._stored: list[Tensor] = []
        self._rng = torch.Generator().manual_seed(seed)

    def memory(self) -> dict[str, Tensor]:
        """The stored images and where its random numbers stand."""
        return {"images": torch.stack(self._stored), "random": self._rng.get_state()} if self._stored else {}

    def recall(self, memory: dict[str, Tensor]) -> None:
        """Be as when `memory` was asked for."""
        self._stored = []
        if memory:
            self._stored = list(memory["images"].unbind())
            self._rng.set_state(memory["random"].cpu())

    def query(self, images_BCHW: Tensor) -> Tensor:
        if self._size == 0:
            return images_BCHW
        if self._stored and self._stored[0].shape != images_BCHW.shape[1:]:
            # Training went on at another resolution: old images can share no batch with the new ones.
            self._stored = []
        return torch.stack([self._exchange(image) for image in images_BCHW.detach()])

    def _exchange(self, image_CHW: Tensor) -> Tensor:
        if len(self._stored) < self._size:
            self._stored.append(image_CHW.clone())
            return image_CHW
        if torch.rand((), generator=self._rng) < 0.5:
            return image_CHW
        slot = int(torch.randint(self._size, (), generator=self._rng))
        old, self._stored[slot] = self._stored[slot], image_CHW.clone()
        return old
