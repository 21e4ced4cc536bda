"""The data set pop-melody."""

import shutil
from pathlib import Path

import pytest

from musicae import registry
from musicae.adapters.drums import Drums
from musicae.adapters.melody import Melody
from musicae.datasets.pop_melody import pop_melody
from musicae.errors import MusicaeError

DATA = Path(__file__).parents[2] / "data"


def names_of(windows):
    return {windows.names[int(piece)] for piece in windows.pieces}


def test_a_download_is_read(download):
    assert registry.lookup("datasets", "pop-melody") is pop_melody
    folder = download("pop-melody")
    splits = [
        names_of(pop_melody(Melody(), split, folder, test=0.3, validation=0.2))
        for split in ("train", "validation", "test")
    ]
    assert sum(map(len, splits)) == len(set().union(*splits)) == 22


def test_where_to_get_it_is_said(tmp_path):
    for folder in (None, tmp_path):
        with pytest.raises(
            MusicaeError,
            match=r"no MIDI files of pop-melody in .*; get .*MelodyTrackIdentification.* --data pop-melody=DIR",
        ):
            pop_melody(Melody(), "train", folder)


def test_files_of_which_little_is_known_are_used_at_will(download):
    folder = download("pop-melody")
    everything = pop_melody(Melody(), "train", folder, test=0.0, validation=0.0, grid=0.0, single=0.0)
    assert len(names_of(everything)) == 24
    assert len(names_of(pop_melody(Melody(), "train", folder, test=0.0, validation=0.0, single=0.0))) == 23


def test_the_melody_is_the_track_of_that_name(tmp_path):
    shutil.copy(DATA / "bossa.mid", tmp_path)
    with pytest.raises(MusicaeError, match="no track 'Melody'"):
        pop_melody(Melody(), "train", tmp_path)
    hits = pop_melody(Drums(), "train", tmp_path, test=0.0, validation=0.0)
    assert names_of(hits) == {"bossa.mid"}
