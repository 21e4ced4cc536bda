"""Reading sound: what is sound is recognised, what is odd is read, and what is no sound is one line."""

import importlib.util
import io
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicae.errors import MusicaeError
from musicae.formats import sound_files as sound


def tones(frames=4000, channels=1, rate=8000):
    time = np.arange(frames)[:, None] / rate
    return (0.4 * np.sin(2 * np.pi * time * (220 + 110 * np.arange(channels)))).astype(np.float32)


def read(file):
    with sound.reading(file) as opened:
        return np.concatenate(list(opened.blocks()))


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
    assert sound.is_sound(head) == yes


def test_bad_files_are_one_line(tmp_path):
    nan = tones()
    nan[1000] = np.nan
    soundfile.write(tmp_path / "nan.wav", nan, 8000, "FLOAT")
    soundfile.write(tmp_path / "none.wav", nan[:0], 8000)
    soundfile.write(tmp_path / "huge.wav", np.array([0.0, 1e19]), 8000, "FLOAT")
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("no sound at all")
    soundfile.write(tmp_path / "whole.flac", tones(40_000), 8000)
    (tmp_path / "cut.flac").write_bytes((tmp_path / "whole.flac").read_bytes()[:20_000])
    for name, match in (
        ("nan.wav", r"not a number at 0\.125 s"),
        ("huge.wav", "not a number"),
        ("none.wav", "has no samples"),
        ("empty.wav", "is empty"),
        ("text.wav", "not a sound file"),
        ("cut.flac", "cut short|damaged"),
        ("gone.wav", "there is no file"),
        (".", "is a folder"),
    ):
        with pytest.raises(MusicaeError, match=match) as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value)
    for content, match in ((b"", "the stream is empty"), (b"no sound at all", "the stream is not a sound file")):
        with pytest.raises(MusicaeError, match=match):
            read(io.BytesIO(content))


def test_a_wrong_length_in_the_header_of_a_wav_is_no_harm(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tones(4000), 8000)
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", 0x7FFFFFFF)
    path.write_bytes(data)
    assert len(read(path)) == 4000


def test_a_file_whose_header_says_more_than_it_has_is_read_with_a_remark(tmp_path):
    x = np.random.default_rng(0).standard_normal(100_000).clip(-1, 1)
    soundfile.write(tmp_path / "a.mp3", x, 44_100)
    data = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(data[: len(data) // 2])
    with sound.reading(tmp_path / "a.mp3") as opened:
        assert sum(map(len, opened.blocks())) < 60_000
        assert "its end may be missing" in opened.remarks[0]


def test_an_mp3_whose_header_says_less_than_it_has_is_read_to_its_end(tmp_path, monkeypatch):
    x = tones(8 * 16_000, 1, 16_000) * np.linspace(0, 1, 8 * 16_000)[:, None]
    with soundfile.SoundFile(
        tmp_path / "a.mp3", "w", 16_000, 1, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5
    ) as file:
        file.write(x)
    data = (tmp_path / "a.mp3").read_bytes()
    first = data.index(b"\xff\xf3", 10)  # Without the frame that has the length in it.
    (tmp_path / "c.mp3").write_bytes(data[first:] * 3)
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None)
        assert len(read(tmp_path / "a.mp3")) == len(x)
        assert len(read(io.BytesIO(data))) == len(x)
        with pytest.raises(MusicaeError, match="is longer than its header says, and needs PyAV"):
            read(tmp_path / "c.mp3")
    pytest.importorskip("av")
    assert abs(len(read(tmp_path / "c.mp3")) - 3 * len(x)) < 9000


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_a_name_of_any_bytes_can_be_read(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    with path.open("wb") as file:
        soundfile.write(file, tones(), 8000, format="WAV")
    assert len(read(path)) == 4000
