"""Prepared data sets on disk."""

import os

import pytest
import torch

from musicae.adapters.image import Image
from musicae.core import Windows
from musicae.datasets.shared import cache
from musicae.errors import MusicaeError


def again():
    pytest.fail("made again")


def test_all_parts_of_windows_are_kept():
    made = Windows(
        torch.arange(18, dtype=torch.uint8).view(2, 1, 3, 3),
        torch.arange(2),
        1,
        ["a", "b"],
        torch.tensor([4, 7]),
        255,
        torch.arange(10.0).view(2, 5, 1).expand(-1, -1, 3),
    )
    assert cache.cached("key", lambda: made) is made
    found = cache.cached("key", again)
    assert torch.equal(found.data, made.data)
    assert torch.equal(found.pieces, made.pieces.int())
    assert (found.channels, found.names, found.levels) == (1, ["a", "b"], 255)
    assert found.labels.tolist() == [4, 7]
    assert torch.equal(found.cond, made.cond)


def test_what_windows_do_not_have_is_none():
    plain = Windows(torch.zeros(2, 4, dtype=torch.uint8), torch.arange(2), 5)
    cache.cached("plain", lambda: plain)
    found = cache.cached("plain", again)
    assert found.labels is None
    assert found.cond is None


def test_a_damaged_or_unwritable_cache_is_passed_over(monkeypatch, tmp_path):
    made = Windows(torch.zeros(2, 4), torch.arange(2), 5)
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path))
    cache.cached("key", lambda: made)
    (tmp_path / "key.safetensors").write_bytes(b"damaged")
    assert cache.cached("key", lambda: made) is made
    assert torch.equal(cache.cached("key", again).data, made.data)
    (tmp_path / "file").touch()
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path / "file"))
    for _ in range(2):
        assert cache.cached("key", lambda: made) is made


def test_a_fingerprint_changes_with_files_settings_and_adapters(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    os.utime(path, (0, 0))

    def key(**settings):
        return cache.fingerprint([path], tmp_path, **settings)

    first = key(size=1, adapter=Image())
    assert first == key(size=1, adapter=Image())
    others = [
        key(size=2, adapter=Image()),
        key(size=1, adapter=Image(width=30)),
        key(size=1, adapter=Image(flips=True)),
    ]
    os.utime(path, (0, 5))
    others.append(key(size=1, adapter=Image()))
    path.write_bytes(b"three")
    os.utime(path, (0, 0))
    others.append(key(size=1, adapter=Image()))
    assert len({first, *others}) == 6


def test_folders_are_named_or_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSICAE_DATA", str(tmp_path))
    assert cache.data_folder() == tmp_path
    with pytest.raises(MusicaeError, match="'songs' needs a folder of scores; name it with --data DIR"):
        cache.own_folder(None, "songs", "scores")
    (tmp_path / "songs").mkdir()
    assert cache.own_folder(None, "songs", "scores") == tmp_path / "songs"
    assert cache.own_folder(tmp_path, "songs", "scores") == tmp_path
    with pytest.raises(MusicaeError, match="no folder"):
        cache.own_folder(tmp_path / "none", "songs", "scores")
