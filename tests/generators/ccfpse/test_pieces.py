"""Maps in pieces: all of them, and an image's share never depends on its place."""

import pytest
import torch

from generators.ccfpse.pieces import evenly, pieces


@pytest.mark.parametrize(("batch", "most", "size"), [(4, 3, 2), (4, 9, 4), (5, 4, 1), (6, 4, 3), (1, 0, 1)])
def test_groups_of_images_are_all_of_one_size(batch, most, size):
    assert evenly(batch, most) == size


def test_pieces_cover_every_row_of_every_image_once():
    x = torch.empty(4, 1, 640, 448, dtype=torch.bfloat16, device="meta")
    found = list(pieces(x, 9 * 64))
    assert {piece.last - piece.first for piece in found} == {2}
    rows = [(image, row) for p in found for image in range(p.first, p.last) for row in range(p.top, p.bottom)]
    assert sorted(rows) == [(image, row) for image in range(4) for row in range(640)]
