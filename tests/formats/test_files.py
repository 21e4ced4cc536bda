"""Paths and streams: checked, named, and written all at once."""

import io
import os
from pathlib import Path

import pytest

from musicae.errors import MusicaeError, OutputError
from musicae.formats.files import check_input, name_of, output, suffix_of


def test_names_and_suffixes(tmp_path):
    assert name_of(tmp_path / "A.WAV") == str(tmp_path / "A.WAV")
    assert name_of(io.BytesIO()) == "the stream"
    assert suffix_of(tmp_path / "A.WAV") == ".wav"
    assert suffix_of(io.BytesIO()) == ""


class Pipe(io.RawIOBase):
    def seek(self, place, whence=0):
        raise io.UnsupportedOperation("seek")


def test_what_cannot_be_read_is_one_line(tmp_path):
    (tmp_path / "empty").touch()
    for file, match in (
        (tmp_path, "is a folder; name a picture in it"),
        (tmp_path / "gone", "there is no file .*; check the name"),
        (tmp_path / "empty", r"empty is empty \(0 bytes\); give a picture"),
        (tmp_path / "empty" / "x", "cannot be read|there is no file"),
        (io.BytesIO(), "the stream is empty"),
        (Pipe(), "the stream cannot seek"),
    ):
        with pytest.raises(MusicaeError, match=match):
            check_input(file, "a picture")


def test_a_stream_is_rewound():
    stream = io.BytesIO(b"hello")
    stream.read()
    assert check_input(stream, "text") == len(stream.getbuffer())
    assert stream.read() == b"hello"


@pytest.mark.skipif(os.name == "nt", reason="it has no such pipes")
def test_a_pipe_and_a_device_are_one_line(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(MusicaeError, match=f"{file} is a pipe or a device; name a file"):
            check_input(file, "a picture")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything can be read")
def test_a_file_without_permission_is_one_line(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "a").chmod(0)
    with pytest.raises(MusicaeError, match="cannot be read: Permission denied"):
        check_input(tmp_path / "a", "text")


def test_an_output_is_there_whole_or_not_at_all(tmp_path):
    for file in (tmp_path / "a", io.BytesIO(b"")):
        with output(file) as opened:
            opened.write(b"hello")
            opened.seek(0)
            opened.write(b"J")
        assert (file.getvalue() if isinstance(file, io.BytesIO) else file.read_bytes()) == b"Jello"

    def fail(file):
        with output(file) as opened:
            opened.write(b"hello")
            raise RuntimeError

    stream = io.BytesIO()
    for file in (tmp_path / "b", stream):
        with pytest.raises(RuntimeError):
            fail(file)
    assert stream.getvalue() == b""
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_stream_that_is_full_is_one_line_and_a_closed_pipe_is_passed_on():
    class Broken(io.RawIOBase):
        def __init__(self, error):
            self.error = error

        def write(self, data):
            raise self.error

    with (
        pytest.raises(OutputError, match="the stream cannot be written: No space"),
        output(Broken(OSError(28, "No space left on device"))),
    ):
        pass
    with pytest.raises(BrokenPipeError), output(Broken(BrokenPipeError())):
        pass
