"""Bins to bands, and back."""

import pytest
import torch

from musicae.errors import MusicaeError
from musicae.models.layers.bands import BandMerge, BandSplit, FrameSplit, check_bands, lowest_bands

BANDS = [(8, 1), (4, 4), (2, 5)]
BINS = 34


def test_each_band_sees_its_own_bins_only():
    split = BandSplit(BANDS, features=3, width=6)
    x = torch.randn(2, 5, BINS, 3)
    changed = x.clone()
    changed[:, :, 8:12] += 1  # The first of the bands of four bins: the ninth of all.
    before, after = split(x), split(changed)
    assert before.shape == (2, 5, 14, 6)
    differs = (before != after).any(-1).any(0).any(0)
    assert differs.nonzero().flatten().tolist() == [8]


def test_each_bin_is_written_by_its_own_band_only():
    merge = BandMerge(BANDS, width=6, values=2)
    x = torch.randn(2, 5, 14, 6)
    changed = x.clone()
    changed[:, :, 13] += torch.randn(6)
    before, after = merge(x), merge(changed)
    assert before.shape == (2, 5, BINS, 2)
    assert (before != after).any(-1).any(0).any(0).nonzero().flatten().tolist() == list(range(29, 34))


@pytest.mark.parametrize("bins", [BINS, 32])
@pytest.mark.parametrize("batch", [1, 2])
def test_one_frame_is_split_as_several_are(bins, batch):
    split = BandSplit(BANDS, features=3, width=6)
    torch.nn.init.normal_(split.bias)
    x = torch.randn(batch, 1, bins, 3)
    with torch.no_grad():
        torch.testing.assert_close(FrameSplit(split, bins)(x), split(x), atol=2e-6, rtol=0)


def test_frames_stand_alone():
    split, merge = BandSplit(BANDS, 3, 6), BandMerge(BANDS, 6, 2)
    x = torch.randn(1, 4, BINS, 3)
    torch.testing.assert_close(merge(split(x))[:, 2:3], merge(split(x[:, 2:3])))


@pytest.mark.parametrize(("bins", "expected"), [(5, [(5, 1)]), (8, [(8, 1)]), (9, [(8, 1), (1, 4)]), (34, BANDS)])
def test_the_lowest_bands_cover_the_lowest_bins(bins, expected):
    assert lowest_bands(BANDS, bins) == expected


def test_bands_that_do_not_fit_are_one_line():
    assert check_bands([[8, 1], [4, 4], [2, 5]], 33) == BANDS
    for bands in ([[8, 1], [4, 4]], [[8, 1], [40, 2]]):
        with pytest.raises(MusicaeError, match="all 33 bins"):
            check_bands(bands, 33)
    for bands in ([], [[3]], [[0, 1]], [["a", 2]], 3):
        with pytest.raises(MusicaeError, match="must be pairs"):
            check_bands(bands, 33)
