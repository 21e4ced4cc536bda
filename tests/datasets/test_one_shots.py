"""Folders of single sounds."""

import numpy as np
import pytest
import soundfile

from musicae.adapters.audio import Audio
from musicae.adapters.mel import Mel
from musicae.datasets.one_shots import one_shots
from musicae.errors import MusicaeError


@pytest.fixture
def folder(tmp_path):
    for kit in range(8):
        (tmp_path / "set" / f"kit{kit}").mkdir(parents=True)
        for i in range(3):
            x = np.full(700, 0.1 * (kit + 1) + 0.001 * i, np.float32)
            soundfile.write(tmp_path / "set" / f"kit{kit}" / f"{i}.wav", np.concatenate([x, np.zeros(600)]), 8000)
    return tmp_path / "set"


ADAPTER = Mel(sample_rate=8000, n_fft=64, hop_length=32, n_mels=8, frames=16)


def test_single_sounds_are_a_window_each(folder, caplog):
    (folder / "kit0" / "bad.wav").write_text("hello")
    soundfile.write(folder / "kit1" / "long.wav", np.full(9000, 0.5), 8000)
    soundfile.write(folder / "kit1" / "silent.wav", np.zeros(500), 8000)
    splits = [one_shots(ADAPTER, split, folder, test=0.3, validation=0.2) for split in ("train", "validation", "test")]
    assert sum(len(split) for split in splits) == 24
    assert "sounds under" in caplog.text
    assert "1 longer than max_length, 4 windows of 0.064 s (long.wav)" in caplog.text
    assert "1 silent (silent.wav)" in caplog.text
    assert "bad.wav is not a sound file" in caplog.text
    assert sum(len(split.names) for split in splits) == 8
    assert splits[0].data.shape[1:] == (1, 8, 16)
    assert len(one_shots(ADAPTER, "train", folder, test=0.0, validation=0.0, max_length=100.0)) == 25
    shorter = one_shots(Audio(8000, 20_000), "train", folder, test=0.0, validation=0.0)
    assert shorter.data.shape == (25, 1, 20_000)


def test_a_piece_is_a_kit_or_a_file(folder):
    kits = one_shots(ADAPTER, "train", folder, test=0.0, validation=0.0)
    assert sorted(kits.names) == [f"kit{i}" for i in range(8)]
    files = one_shots(ADAPTER, "train", folder, test=0.0, validation=0.0, split_by="file")
    assert len(files.names) == len(files) == 24


def test_what_was_read_once_is_kept(folder, monkeypatch):
    first = one_shots(ADAPTER, "train", folder)
    monkeypatch.setattr(Mel, "read", lambda *a: pytest.fail("read again although nothing changed"))
    same = Mel(sample_rate=8000, n_fft=64, hop_length=32, n_mels=8, frames=16)
    assert one_shots(same, "train", folder).values().equal(first.values())


def test_wrong_folders_and_settings_are_one_line(folder):
    with pytest.raises(MusicaeError, match="'one-shots' needs a folder"):
        one_shots(ADAPTER, "train", None)
    with pytest.raises(MusicaeError, match="split_by must be 'file' or 'folder', not 'drum'"):
        one_shots(ADAPTER, "train", folder, split_by="drum")
