"""Reading sound: by its content, whatever it is called; what is odd is read, and what is no sound is one line."""

import importlib.util
import io
import os
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_sounds import read, tones

from musicae.errors import MusicaeError
from musicae.formats.sound import files as sound
from musicae.formats.sound.files import Kind


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


# --- the content decides ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".m4a", ".flac", ".ogg", ".g722", ".mkv", ""])
@pytest.mark.parametrize(("form", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", None)])
def test_the_content_decides_and_not_the_suffix(tmp_path, form, subtype, suffix):
    soundfile.write(tmp_path / f"a{suffix}", tones(8000), 8000, format=form, subtype=subtype)
    with sound.reading(tmp_path / f"a{suffix}") as opened:
        assert (opened.kind.format, opened.kind.rate) == (form, 8000)
        assert np.square(np.concatenate(list(opened.blocks()))).mean() == pytest.approx(0.08, rel=0.1)


@pytest.mark.parametrize("suffix", [".wave", ".bwf", ".snd", ".oga", ".mpga"])
def test_other_suffixes_are_written_as_what_they_mean(tmp_path, suffix):
    kind = sound.kind_like(Kind(16_000, 1), tmp_path / f"a{suffix}")
    with sound.writing(tmp_path / f"a{suffix}", kind) as file:
        file.write(tones(16_000, 1, 16_000))
    with sound.reading(tmp_path / f"a{suffix}") as opened:
        assert replace(opened.kind, bitrate=0, bitrate_mode="") == kind
    assert kind.format == {".wave": "WAV", ".bwf": "WAV", ".snd": "AU", ".oga": "OGG", ".mpga": "MP3"}[suffix]


@pytest.mark.parametrize("name", ["a.au", "a.snd", "a.gsm", "a.vox", "a.mp3", "a.m4a", "a.txt"])
@pytest.mark.parametrize("text", ["no sound at all", "#EXTM3U\nb.wav\n", "ffconcat version 1.0\nfile b.wav\n"])
def test_text_is_never_sound(tmp_path, name, text):
    soundfile.write(tmp_path / "b.wav", tones(), 8000)
    (tmp_path / name).write_text(text)
    with pytest.raises(MusicaeError, match="not a sound file"):
        read(tmp_path / name)


@pytest.mark.parametrize("rate", [1, 999, 768_001, 900_000_000])
def test_rates_that_no_sound_has_are_refused(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", tones(), rate)
    with pytest.raises(MusicaeError, match=f"has {rate} samples a second; sound has 1000 to 768000 Hz"):
        read(tmp_path / "a.wav")


def test_more_channels_than_sound_has_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", tones(10, 65), 8000)
    with pytest.raises(MusicaeError, match="has 65 channels; 1 to 64"):
        read(tmp_path / "a.wav")


def test_what_libsndfile_does_not_decode_goes_to_pyav_or_says_so(tmp_path, monkeypatch):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("ac3", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tones(1536, 1, 48_000).T, format="fltp", layout="mono")
        frame.rate = 48_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    assert len(read(tmp_path / "a.wav")) >= 1536
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MusicaeError, match=r"pip install 'musicae\[av\]'"):
        read(tmp_path / "a.wav")
