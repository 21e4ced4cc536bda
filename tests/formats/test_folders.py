"""The files of a folder, and which paths lead to the same one."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest

from musicae.errors import MusicaeError
from musicae.formats.folders import check_different, files_in, identity, paths_in


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("content")


def names(folder: Path, leave_out: Path | None = None) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files_in(folder, [".wav"], leave_out)]


def test_links_are_followed_and_nothing_is_listed_twice(tmp_path: Path) -> None:
    album, other = tmp_path / "album", tmp_path / "other"
    make(album, "b.wav", "cd/a.wav", "cd/notes.txt")
    make(other, "c.wav", "deep/d.WAV", "e.wav")
    (album / "a link").symlink_to(album / "cd")  # To what is there anyway, and before it in the alphabet.
    (album / "again.wav").symlink_to(album / "b.wav")
    (album / "cd" / "loop").symlink_to(album)
    (album / "up").symlink_to(tmp_path)
    (album / "gone.wav").symlink_to(tmp_path / "gone")
    (album / "round").symlink_to(album / "round")
    (album / "e.wav").symlink_to(other / "e.wav")
    (album / "other").symlink_to(other)
    (album / "other too").symlink_to(other)
    (other / "back").symlink_to(album)
    assert names(album) == ["b.wav", "cd/a.wav", "e.wav", "other/c.wav", "other/deep/d.WAV"]


def test_what_is_hidden_or_no_file_is_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a.wav", "._a.wav", ".git/b.wav", "Thumbs.db", "desktop.ini", "new\nline.wav", "results/a.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "device.wav").symlink_to("/dev/zero")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / os.fsdecode(b"\xff.wav")).touch()
    assert names(tmp_path) == ["a.wav", "new\nline.wav", "results/a.wav", "\udcff.wav"]
    assert names(tmp_path, tmp_path / "results") == ["a.wav", "new\nline.wav", "\udcff.wav"]
    assert names(tmp_path, tmp_path) == names(tmp_path)
    assert names(tmp_path / "folder.wav") == []


def test_a_folder_that_cannot_be_read_is_passed_over_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path, "a.wav", "shut/b.wav")
    scan = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with caplog.at_level(logging.WARNING):
        assert names(tmp_path) == ["a.wav"]
    assert f"{tmp_path / 'shut'} cannot be read and was left out: Permission denied" in caplog.text


def test_many_files_are_listed_at_once(tmp_path: Path) -> None:
    for i in range(2000):
        (tmp_path / f"{i}.wav").touch()
    started = time.perf_counter()
    assert len(files_in(tmp_path, [".wav"])) == 2000
    assert time.perf_counter() - started < 1


def test_the_same_file_has_one_identity(tmp_path: Path) -> None:
    make(tmp_path, "a.wav", "b.wav")
    (tmp_path / "soft.wav").symlink_to("a.wav")
    (tmp_path / "hard.wav").hardlink_to(tmp_path / "a.wav")
    (tmp_path / "here").symlink_to(tmp_path)
    same = ["a.wav", "soft.wav", "hard.wav", "here/a.wav"]
    assert len({identity(tmp_path / name) for name in same}) == 1
    assert identity(tmp_path / "here" / "new.wav") == identity(tmp_path / "new.wav") != identity(tmp_path / "a.wav")
    check_different(tmp_path / name for name in ("a.wav", "b.wav", "new.wav"))
    for name in same:
        with pytest.raises(MusicaeError, match="the input and all outputs must be different files"):
            check_different([tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / name])


def test_paths_as_texts_are_those_of_the_files(tmp_path: Path) -> None:
    for name in ("b/x.mid", "b.a/x.mid", "b/a/y.mid", "a.mid", "b-c/z.MID", "B/q.mid"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = paths_in(tmp_path, [".mid"])
    assert found == [str(path) for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    assert [Path(path) for path in found] == files_in(tmp_path, [".mid"])
