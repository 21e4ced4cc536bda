"""What a file of sound is by how it begins."""

import io

import pytest

from musicae.formats.sound import heads


@pytest.mark.parametrize(
    ("head", "yes"),
    [
        (b"RIFF\0\0\0\0WAVEfmt ", True),
        (b"RIFF\0\0\0\0WEBPVP8 ", False),
        (b"FORM\0\0\0\0AIFFCOMM", True),
        (b"OggS" + bytes(12), True),
        (b"ID3\x04" + bytes(12), True),
        (b"\xff\xfb\x90\x64" + bytes(12), True),  # MPEG-1 layer III.
        (b"\xff\xf1\x50\x80" + bytes(12), True),  # AAC.
        (b"\xff\xd8\xff\xe0" + bytes(12), False),  # JPEG.
        (b"\xff\xfeh\0i\0" + bytes(12), False),  # Text in UTF-16.
        (b"\0\0\0\x20ftypM4A " + bytes(12), True),
        (b"\0\0\0\x20ftypheic" + bytes(12), False),
        (b"MThd\0\0\0\6" + bytes(12), False),
        (b"", False),
    ],
)
def test_sound_is_recognised_by_how_it_begins(head, yes):
    assert heads.is_sound(head) == yes


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"RIFF\0\0\0\0WAVEfmt ", "wav"),
        (b"RIFF\0\0\0\0AVI LIST", "avi"),
        (b"RIFF\0\0\0\0RMIDdata", ""),
        (b"\0\0\0\x14ftypqt  ", "mov"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "mov"),
        (b"\0\0\0\x20ftypavif", ""),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81", "matroska"),
        (b"\x0b\x77\x5c\x35\x14\x40\x43", "ac3"),
        (b"\x0b\x77\x01\x7f\x34\x87\xc0", "eac3"),
        (b"\x7f\xfe\x80\x01\xfc\x3c", "dts"),
        (b"\xff\xfd\xe4\x04\x88", "mp3"),  # Layer II.
        (b"\xff\xfb\x90\x64\0", "mp3"),
        (b"MAC \x96\x0f", "ape"),
        (b"#!AMR\n", "amr"),
        (b"G" + bytes(187) + b"G" + bytes(187) + b"G", "mpegts"),
        (b"G" * 20, ""),
        (b"#EXTM3U\nfile:///etc/passwd", ""),
        (b"ffconcat version 1.0\nfile a.wav\n", ""),
    ],
)
def test_the_format_is_known_by_how_a_file_begins(head, name):
    assert heads.format_of(head + bytes(20) * (len(head) < 300)) == name


def test_sound_begins_after_tags(tmp_path):
    tag = b"ID3\x04\0\0" + bytes([0, 0, 2, 3]) + bytes(2 * 128 + 3)
    for content in (tag + tag + b"fLaC and more", b"fLaC and more"):
        (tmp_path / "a").write_bytes(content)
        stream = io.BytesIO(content)
        assert heads.sound_head(tmp_path / "a") == heads.sound_head(stream) == b"fLaC and more"
        assert stream.tell() == 0
    assert heads.sound_head(io.BytesIO(b"ID3")) == b"ID3"
    assert heads.sound_head(io.BytesIO(tag[:20])) == b""


def test_only_a_bare_stream_goes_by_its_suffix(tmp_path):
    assert heads.raw_format(tmp_path / "a.G722") == "g722"
    assert heads.raw_format(tmp_path / "a.wav") == heads.raw_format(io.BytesIO()) == ""
