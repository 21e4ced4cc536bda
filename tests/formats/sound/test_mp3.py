"""How long an MP3 is, counted over its frames."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicae.formats.sound.mp3 import frames_in, is_frame


def mp3(path, seconds=4, rate=16_000):
    x = 0.3 * np.sin(2 * np.pi * 300 * np.arange(seconds * rate) / rate)
    with soundfile.SoundFile(path, "w", rate, 1, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5) as file:
        file.write(x)
    return len(x)


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000])
def test_all_frames_count_whatever_stands_before_and_between(tmp_path, rate):
    length = mp3(tmp_path / "a.mp3", rate=rate)
    data = (tmp_path / "a.mp3").read_bytes()
    tag = b"ID3\x04\0\0\0\0\0\x40" + bytes(0x40)
    (tmp_path / "b.mp3").write_bytes(tag + data + b"junk" + data)
    assert frames_in(tmp_path / "a.mp3").samples == pytest.approx(length, abs=3500)
    assert frames_in(tmp_path / "b.mp3").samples == 2 * frames_in(tmp_path / "a.mp3").samples


def test_a_stream_is_counted_and_left_where_it_was(tmp_path):
    mp3(tmp_path / "a.mp3")
    stream = io.BytesIO((tmp_path / "a.mp3").read_bytes())
    stream.seek(100)
    assert frames_in(stream).samples == frames_in(tmp_path / "a.mp3").samples
    assert stream.tell() == 100


@pytest.mark.parametrize("junk", [b"\xff", b"\xff\xfb\x1c", b"\xff\xfb"])
def test_megabytes_of_what_is_nearly_a_frame_are_passed_over_at_once(tmp_path, junk):
    mp3(tmp_path / "a.mp3")
    data, frames = (tmp_path / "a.mp3").read_bytes(), frames_in(tmp_path / "a.mp3").samples
    start = time.perf_counter()
    assert frames_in(io.BytesIO(data + junk * (2_000_000 // len(junk)) + data)).samples == 2 * frames
    assert time.perf_counter() - start < 2


def test_what_is_no_mp3_has_no_samples():
    assert frames_in(Path(__file__)).samples == 0
    assert frames_in(io.BytesIO(b"\xff" * 50)).samples == 0


@pytest.mark.parametrize(
    ("header", "yes"),
    [
        (b"\xff\xfb\x90\x64", True),
        (b"\xff\xf3\x40\xc4", True),  # MPEG-2.
        (b"\xff\xfd\x90\x64", False),  # Layer II.
        (b"\xff\xfb\xf0\x64", False),  # No such bit rate.
        (b"\xff\xfb\x9c\x64", False),  # No such sample rate.
        (b"\xff\xfb", False),
    ],
)
def test_a_frame_begins_with_its_sync_word(header, yes):
    assert is_frame(header) == yes


@pytest.mark.parametrize(("mode", "level"), [("CONSTANT", 2 / 3), ("VARIABLE", 0.2), ("AVERAGE", 0.5)])
def test_frames_tell_mode_and_quality(tmp_path, mode, level):
    sound = np.random.default_rng(0).standard_normal((44_100, 2)) / 10
    options = {"format": "MP3", "bitrate_mode": mode, "compression_level": level}
    with soundfile.SoundFile(tmp_path / "a.mp3", "w", 44_100, 2, **options) as file:
        file.write(sound)
    frames = frames_in(tmp_path / "a.mp3")
    assert (frames.constant, frames.average) == (mode == "CONSTANT", mode == "AVERAGE")
    assert frames.size <= (tmp_path / "a.mp3").stat().st_size
    if mode == "CONSTANT":
        assert frames.kbits == (128,)
    if mode == "VARIABLE":
        assert frames.quality == 2
