"""Tensors of any size, tile by tile."""

import pytest
import torch

from musicae.tensors import tiling


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(tiling, "_TILE", 16)
    monkeypatch.setattr(tiling, "_CONTEXT", 4)


def blur(x):
    """Return means over five places along each axis, those beyond the edge mirrored."""
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2), mode="reflect")
    return torch.nn.functional.avg_pool2d(padded, 5, 1)


@pytest.mark.parametrize("size", [(40, 40), (33, 71), (5, 100)])
@pytest.mark.parametrize("in_place", [False, True])
def test_bytes_are_what_values_are_rounded_to(size, in_place):
    values = torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    expected = tiling.in_tiles(values / 255, blur, 2)
    # As a picture lies in memory, its channels last.
    x = values.movedim(0, -1).contiguous().movedim(-1, 0)
    made = tiling.in_tiles(x, blur, 2, in_place=in_place)
    assert made.dtype == torch.uint8
    assert torch.equal(made, (255 * expected).round().to(torch.uint8))
    assert torch.equal(x, made if in_place else values)


def test_what_goes_beyond_white_and_black_is_clipped():
    x = torch.tensor([[[0, 128, 255]]], dtype=torch.uint8).expand(1, 4, 3).contiguous()
    made = tiling.in_tiles(x, lambda tile: 3 * tile - 1, 1)
    assert made[0, 0].tolist() == [0, 129, 255]


def test_every_tile_is_told_and_of_whole_grains():
    told, sizes = [], set()

    def work(tile):
        sizes.add(tuple(size % 4 for size in tile.shape[2:]))
        return tile

    x = torch.rand(1, 30, 17)
    assert torch.equal(tiling.in_tiles(x, work, 4, lambda done, of: told.append((done, of))), x)
    assert sizes == {(0, 0)}
    assert told == [(i, 4) for i in range(5)]
