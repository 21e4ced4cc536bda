"""Archives of MIDI files, unpacked once."""

import io
import tarfile

import pytest

from musicae.datasets.shared import unpack
from musicae.datasets.shared.cache import cache_folder
from musicae.errors import MusicaeError

NUL = "a\0" + 120 * "b" + ".mid"  # So long that it is stored whole.


def pack(path, files, mode="w:xz"):
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def test_midi_files_are_unpacked_once(tmp_path, monkeypatch):
    archive = pack(tmp_path / "midi.tar.xz", {"x/a.mid": b"a", "x/y/b.MID": b"b", "x/run.sh": b"c"})
    folder = unpack.unpacked(archive)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == {"x/a.mid": b"a", "x/y/b.MID": b"b"}
    monkeypatch.setattr(unpack, "_extract", lambda *given: pytest.fail("unpacked again"))
    assert unpack.unpacked(archive) == folder
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_nothing_is_left_of_what_fails(tmp_path, monkeypatch):
    whole = pack(tmp_path / "midi.tar.xz", {f"{i}.mid": bytes(range(256)) * 40 for i in range(9)}).read_bytes()
    for damaged in (b"", b"no archive", whole[: len(whole) // 2], whole[:-40] + b"damage" + whole[-34:]):
        archive = tmp_path / "damaged.tar.xz"
        archive.write_bytes(damaged)
        with pytest.raises(MusicaeError, match=r"damaged.tar.xz is damaged \(.*\); get it again"):
            unpack.unpacked(archive)
    monkeypatch.setattr(unpack, "_MOST_FILES", 3)
    with pytest.raises(MusicaeError, match="unpacks to over"):
        unpack.unpacked(tmp_path / "midi.tar.xz")
    assert not list((cache_folder() / "unpacked").iterdir())


def test_a_break_leaves_nothing(tmp_path, monkeypatch):
    archive = pack(tmp_path / "midi.tar.xz", {"a.mid": b"a"})

    def interrupted(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(unpack, "_extract", interrupted)
        with pytest.raises(KeyboardInterrupt):
            unpack.unpacked(archive)
    assert not list((cache_folder() / "unpacked").iterdir())
    assert (unpack.unpacked(archive) / "a.mid").is_file()


@pytest.mark.parametrize("name", ["../../escaped.mid", "a/../../../escaped.mid", "{folder}/escaped.mid", NUL])
def test_no_file_leaves_the_folder(tmp_path, name):
    """By a way up, an absolute path, or a name that no file has."""
    archive = pack(tmp_path / "midi.tar.xz", {name.format(folder=tmp_path): b"a"})
    with pytest.raises(MusicaeError, match="is damaged"):
        unpack.unpacked(archive)
    assert not list(tmp_path.parent.rglob("escaped.mid"))


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path / "file"))
    with pytest.raises(MusicaeError, match=r"set MUSICAE_CACHE to a folder where .* can be unpacked"):
        unpack.unpacked(pack(tmp_path / "midi.tar.xz", {"a.mid": b"a"}))
