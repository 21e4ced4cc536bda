"""The data set mma-bands."""

import pytest

from musicae import registry
from musicae.adapters.melody import Melody
from musicae.datasets.mma_bands import mma_bands
from musicae.errors import MusicaeError


def names_of(windows):
    return {windows.names[int(piece)] for piece in windows.pieces}


def test_a_download_is_read(download):
    assert registry.lookup("datasets", "mma-bands") is mma_bands
    folder = download("mma-bands")
    splits = [
        names_of(mma_bands(Melody(), split, folder, test=0.3, validation=0.2))
        for split in ("train", "validation", "test")
    ]
    assert sum(map(len, splits)) == len(set().union(*splits)) == 24


def test_where_to_get_it_is_said(tmp_path):
    for folder in (None, tmp_path):
        with pytest.raises(
            MusicaeError, match=r"no MIDI files of mma-bands in .*; get .*OpenEWLD.* --data mma-bands=DIR"
        ):
            mma_bands(Melody(), "train", folder)
