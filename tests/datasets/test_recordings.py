"""Recordings as windows: split by piece, without silence, read by the adapter."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from musicae.adapters.audio import Audio
from musicae.adapters.image import Image
from musicae.adapters.mel import Mel
from musicae.datasets.recordings import recordings
from musicae.errors import MusicaeError


@pytest.fixture
def folder(tmp_path):
    for speaker in range(8):
        (tmp_path / "set" / f"s{speaker}").mkdir(parents=True)
        for i in range(3):
            x = np.full(700, 0.1 * (speaker + 1) + 0.001 * i, np.float32)
            soundfile.write(tmp_path / "set" / f"s{speaker}" / f"{i}.wav", np.concatenate([x, np.zeros(600)]), 8000)
    return tmp_path / "set"


ADAPTER = Audio(sample_rate=8000, size=200)


def test_all_pieces_are_in_one_split_each(folder):
    splits = {
        split: recordings(ADAPTER, split, folder, split_by="folder", test=0.3, validation=0.3)
        for split in ("train", "validation", "test")
    }
    names = [set(windows.names) for windows in splits.values()]
    assert set().union(*names) == {f"s{i}" for i in range(8)}
    assert sum(map(len, names)) == 8
    assert splits["train"].data.shape[1:] == (1, 300)
    assert splits["test"].data.shape[1:] == (1, 200)
    for windows in splits.values():
        levels = windows.batch(torch.arange(len(windows))).amax((1, 2)) * 10
        for level, piece in zip(levels, windows.pieces, strict=True):
            assert round(level.item()) == int(windows.names[piece][1]) + 1


def test_silence_is_left_out_and_a_short_piece_is_repeated(folder, tmp_path):
    windows = recordings(ADAPTER, "train", folder, test=0.0, validation=0.0)
    assert len(windows.names) == 24
    assert len(windows) == 24 * 3  # Of 700 samples and silence after them: two windows and a part of one.
    (tmp_path / "short").mkdir()
    soundfile.write(tmp_path / "short" / "a.wav", np.full(10, 0.5), 8000)
    short = recordings(ADAPTER, "train", tmp_path / "short", test=0.0, validation=0.0)
    assert (short.batch(torch.tensor([0])) - 0.5).abs().max() < 1e-3
    most = recordings(ADAPTER, "train", folder, test=0.0, validation=0.0, max_windows=10)
    assert len(most) == 10
    assert most.pieces.tolist() == sorted(most.pieces.tolist())


def test_of_very_many_windows_few_are_held_and_each_is_as_likely(folder, tmp_path, monkeypatch):
    held = []
    cat = torch.cat
    monkeypatch.setattr(torch, "cat", lambda parts, *rest: held.append(sum(map(len, parts))) or cat(parts, *rest))
    drawn = [
        recordings(ADAPTER, "train", folder, test=0.0, validation=0.0, max_windows=10, seed=seed) for seed in range(40)
    ]
    assert max(held) < 3 * 10 + 4  # Of 72, and a piece has three.
    early = sum(int((windows.pieces < 12).sum()) for windows in drawn)
    assert 0.4 * 400 < early < 0.6 * 400


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_names_that_are_no_text_are_trained_on(tmp_path):
    place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    place.mkdir()
    with (place / os.fsdecode(b"\xe9.wav")).open("wb") as file:
        soundfile.write(file, np.full(700, 0.5), 8000, format="WAV")
    for split_by in ("file", "folder"):
        assert len(recordings(ADAPTER, "train", tmp_path, split_by=split_by, test=0.0, validation=0.0)) == 2


def test_a_folder_that_is_not_named_is_looked_for_among_the_users(folder, monkeypatch):
    monkeypatch.setenv("MUSICAE_DATA", str(folder.parent))
    with pytest.raises(MusicaeError, match="'recordings' needs a folder of sound files"):
        recordings(ADAPTER, "train", None)
    folder.rename(folder.parent / "recordings")
    assert len(recordings(ADAPTER, "train", None, test=0.0, validation=0.0)) == 72


def test_unreadable_files_are_passed_over_and_said(folder, caplog):
    (folder / "s0" / "bad.wav").write_text("hello")
    windows = recordings(ADAPTER, "train", folder, test=0.0, validation=0.0)
    assert "1 of 25 recordings under" in caplog.text
    assert "bad.wav is not a sound file" in caplog.text
    assert len(windows) == 72


def test_the_same_file_counts_once_and_a_piece_gives_so_many_at_most(folder):
    (folder / "s0" / "again.wav").write_bytes((folder / "s1" / "0.wav").read_bytes())
    windows = recordings(ADAPTER, "train", folder, test=0.0, validation=0.0, split_by="folder", max_per_piece=4)
    assert torch.bincount(windows.pieces).tolist() == [4] * 8
    assert len(recordings(ADAPTER, "train", folder, test=0.0, validation=0.0)) == 72


def test_rumble_and_noisy_windows_are_left_out(tmp_path):
    time = np.arange(8000) / 8000
    rng = np.random.default_rng(0)
    (tmp_path / "set").mkdir()
    words = 0.3 * np.sin(2 * np.pi * 500 * time) * (np.sin(2 * np.pi * 3 * time) > 0)
    soundfile.write(tmp_path / "set" / "clean.wav", words + 0.3 * np.sin(2 * np.pi * 15 * time), 8000)
    soundfile.write(tmp_path / "set" / "noisy.wav", words + 0.1 * rng.standard_normal(8000), 8000)
    adapter = Audio(sample_rate=8000, size=2000)
    both = recordings(adapter, "train", tmp_path / "set", test=0.0, validation=0.0)
    assert set(both.pieces.tolist()) == {0, 1}
    good = recordings(
        adapter, "train", tmp_path / "set", test=0.0, validation=0.0, high_pass_hz=80.0, min_dynamic_range_db=25.0
    )
    assert set(good.pieces.tolist()) == {0}
    spectrum = torch.fft.rfft(good.batch(torch.arange(len(good)))).abs().mean((0, 1))
    assert spectrum[:12].max() < 0.2 * spectrum.max()  # Up to 32 Hz.


def test_wrong_folders_and_settings_are_one_line(folder, tmp_path):
    (tmp_path / "none").mkdir()
    for arguments, settings, match in (
        ((ADAPTER, "train", None), {}, "needs a folder"),
        ((ADAPTER, "train", tmp_path / "gone"), {}, "no folder"),
        ((ADAPTER, "train", tmp_path / "none"), {}, "no sound files"),
        ((ADAPTER, "train", folder), {"split_by": "speaker"}, "'file' or 'folder'"),
        ((ADAPTER, "train", folder), {"high_pass_hz": 4000.0}, "below 4000 Hz, not 4000"),
        ((Image(), "train", folder), {}, "use it with the adapter 'audio'"),
        ((Mel(), "train", folder), {}, "use it with the adapter 'audio'"),
    ):
        with pytest.raises(MusicaeError, match=match):
            recordings(*arguments, **settings)
