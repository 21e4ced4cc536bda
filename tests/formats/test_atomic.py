"""Files appear whole or not at all."""

import os

import pytest

from musicae.errors import MusicaeError, OutputError
from musicae.formats.atomic import atomic_folder, atomic_write, make_folder


def test_a_file_is_replaced_when_the_block_ends(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == tmp_path
    assert path.read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, MusicaeError])
def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write():
        with atomic_write(path) as temporary:
            temporary.write_text("half of")
            raise error("stop")

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_what_cannot_be_written_is_one_line(tmp_path):
    def write(path):
        with atomic_write(path) as temporary:
            temporary.write_text("x")

    with pytest.raises(OutputError, match=r"there is no folder .*gone; make it first"):
        write(tmp_path / "gone" / "a.txt")
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="taken cannot be written"):
        write(tmp_path / "taken")
    with pytest.raises(MusicaeError, match="cannot be written: File name too long") as caught:
        write(tmp_path / ("a" * 300))
    assert not isinstance(caught.value, OutputError)  # Other files can still be written there.
    write(tmp_path / ("a" * 255))
    assert sorted(len(one.name) for one in tmp_path.iterdir()) == [5, 255]


def test_folders_are_made_or_refused(tmp_path, monkeypatch):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"cannot write in .*file.*; name another place with -o"):
        make_folder(tmp_path / "file")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="Permission denied"):
        make_folder(tmp_path / "a")


def test_a_folder_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "a"
    with atomic_folder(path) as temporary:
        (temporary / "x").write_text("new")
        assert not path.exists()
    assert [str(one.relative_to(tmp_path)) for one in sorted(tmp_path.rglob("*"))] == ["new", "new/a", "new/a/x"]


def test_files_of_a_folder_that_is_there_are_replaced(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    for name in "xy":
        (path / name).write_text("old")
    with atomic_folder(path) as temporary:
        (temporary / "x").write_text("new")
    assert [(path / name).read_text() for name in "xy"] == ["new", "old"]


def test_an_error_leaves_no_folder(tmp_path):
    def write():
        with atomic_folder(tmp_path / "a") as temporary:
            (temporary / "x").write_text("half of")
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"), atomic_folder(tmp_path / "b") as temporary:
        (temporary / "x").write_text("new")
