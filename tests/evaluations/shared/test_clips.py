"""Clips of sound from folders: the same for the same seed, of every piece."""

import numpy as np
import pytest
import soundfile
import torch

from musicae.adapters.audio import Audio
from musicae.errors import MusicaeError
from musicae.evaluations.shared import clips


@pytest.fixture
def adapter():
    return Audio(sample_rate=8000, size=512)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "many").mkdir()
    for name, length in (("a.wav", 3000), ("many/x.wav", 1000), ("many/y.wav", 1000)):
        soundfile.write(tmp_path / name, 0.1 * rng.standard_normal(length), 8000)
    return tmp_path


def test_every_file_and_every_folder_is_a_group(adapter, folder):
    found = clips.groups_of(adapter, folder)
    assert {name: [path.name for path in paths] for name, paths in found.items()} == {
        "a": ["a.wav"], "many": ["x.wav", "y.wav"],
    }  # fmt: skip


def test_clips_are_the_same_for_a_seed_and_of_the_length_asked_for(adapter, folder):
    first, again, other = (clips.clips_of(adapter, folder, 2, 700, seed) for seed in (0, 0, 1))
    assert len(first) == 4
    assert all(one.shape == (700,) for one in first)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[0], first[1])


def test_a_file_that_is_too_short_is_repeated(adapter, folder):
    (clip,) = clips.clips_of(adapter, folder, 1, 7000, 0)[:1]
    assert torch.equal(clip[:4000], clip[3000:])


def test_what_was_read_is_kept_as_far_as_there_is_room(adapter, folder, monkeypatch):
    monkeypatch.setattr(clips, "_cache", {})
    paths = sorted(folder.rglob("*.wav"))
    sizes = [len(clips._read(adapter, path)) for path in paths]
    assert len(clips._cache) == 3
    assert clips._read(adapter, paths[0]) is clips._cache[adapter, paths[0]]
    monkeypatch.setattr(clips, "_MAX_CACHED", sizes[0] + sizes[2])
    clips._read(adapter, paths[0])
    assert [path for _, path in clips._cache] == [paths[2], paths[0]]


def test_missing_and_silent_folders_are_one_line(adapter, tmp_path):
    with pytest.raises(MusicaeError, match="name it with --data speech=DIR"):
        clips.folder_of({"noise": tmp_path}, "speech")
    with pytest.raises(MusicaeError, match="no sound files under"):
        clips.clips_of(adapter, tmp_path, 1, 100, 0)
    soundfile.write(tmp_path / "silence.wav", np.zeros(1000), 8000)
    with pytest.raises(MusicaeError, match="only silence"):
        clips.clips_of(adapter, tmp_path, 1, 100, 0)
