"""Any folder of MIDI files as a data set."""

import shutil
from pathlib import Path

import pytest

from musicae import registry
from musicae.adapters.drums import Drums
from musicae.adapters.melody import Melody
from musicae.datasets.midi_files import midi_files
from musicae.errors import MusicaeError

DATA = Path(__file__).parents[2] / "data"
SONGS = ["band.mid", "korobeiniki.mid", "saints.mid"]


def test_the_registry_names_it():
    assert registry.lookup("datasets", "midi-files") is midi_files


def test_a_folder_is_read_by_either_adapter():
    for adapter, names in (
        (Melody(), {*SONGS, "greensleeves.mid", "ode-to-joy.mid", "twinkle.mid"}),
        (Drums(), {*SONGS, "bossa.mid", "rock.mid"}),
    ):
        windows = midi_files(adapter, "train", DATA, test=0.0, validation=0.0)
        assert set(windows.names) == names
        assert windows.channels == adapter.spec.channels
        assert len(midi_files(adapter, "test", DATA, test=1.0)) == len(windows)


def test_a_track_is_chosen_in_each():
    bass = midi_files(Melody(), "train", DATA, test=0.0, validation=0.0, track="bass")
    assert sorted(bass.names) == SONGS


def test_without_a_folder_it_is_that_of_the_users_data(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSICAE_DATA", str(tmp_path))
    with pytest.raises(MusicaeError, match="the data set 'midi-files' needs a folder of MIDI files"):
        midi_files(Melody(), "train", None)
    (tmp_path / "midi-files").mkdir()
    shutil.copy(DATA / "twinkle.mid", tmp_path / "midi-files")
    assert midi_files(Melody(), "train", None, test=0.0, validation=0.0).names == ["twinkle.mid"]
    with pytest.raises(MusicaeError, match="no folder"):
        midi_files(Melody(), "train", tmp_path / "gone")
