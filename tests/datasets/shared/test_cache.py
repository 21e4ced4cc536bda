"""The user's folders, and the keys of what is prepared."""

import os

import pytest

from musicae.adapters.image import Image
from musicae.datasets.shared import cache
from musicae.errors import MusicaeError


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


def test_a_file_that_is_gone_has_no_size(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert (cache.size_of(tmp_path / "a"), cache.size_of(tmp_path / "b")) == (3, -1)
