"""The data set touhou."""

import pytest

from musicae import registry
from musicae.adapters.melody import Melody
from musicae.datasets.touhou import touhou
from musicae.errors import MusicaeError


def names_of(windows):
    return {windows.names[int(piece)] for piece in windows.pieces}


def test_a_download_is_read(download):
    assert registry.lookup("datasets", "touhou") is touhou
    folder = download("touhou")
    splits = [
        names_of(touhou(Melody(), split, folder, test=0.3, validation=0.2)) for split in ("train", "validation", "test")
    ]
    assert sum(map(len, splits)) == len(set().union(*splits)) == 23


def test_where_to_get_it_is_said(tmp_path):
    for folder in (None, tmp_path):
        with pytest.raises(
            MusicaeError, match=r"no MIDI files of touhou in .*; get .*touhou-midi-collection.* --data touhou=DIR"
        ):
            touhou(Melody(), "train", folder)
