"""A lossy file comes back at the bit rate and in the mode it had; read back by mutagen."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from mutagen.mp3 import MP3, BitrateMode
from mutagen.oggvorbis import OggVorbis

from musicae.formats.sound import bit_rates
from musicae.formats.sound.files import Kind, kind_like, kind_of, reading, writing

RATE = 44_100
SOUND = (0.2 * np.random.default_rng(0).standard_normal((RATE, 2))).astype("f4")


def write(path, rate=RATE, channels=2, **options):
    with soundfile.SoundFile(path, "w", rate, channels, **options) as file:
        file.write(SOUND[:, :channels])
    return path


def again(path, sound=SOUND):
    """Write the sound as a file like one; return the new path."""
    new = path.with_stem("new")
    with reading(path) as reader:
        kind = kind_like(reader.kind, new)
    with writing(new, kind) as file:
        file.write(sound[:, : kind.channels])
    return new


@pytest.mark.parametrize("kbits", [320, 256, 224, 192, 160, 128, 112, 96, 80, 64, 48, 32])
def test_mp3_of_a_constant_bit_rate_keeps_it(tmp_path, kbits):
    level = min((320 - kbits) / 288, 0.999)
    new = MP3(again(write(tmp_path / "a.mp3", bitrate_mode="CONSTANT", compression_level=level))).info
    assert round(new.bitrate / 1000) == kbits
    assert new.bitrate_mode == (BitrateMode.CBR if kbits >= 64 else BitrateMode.UNKNOWN)


@pytest.mark.parametrize(("rate", "channels", "level"), [(22_050, 1, 0.2), (22_050, 2, 0.7), (8000, 1, 0.1)])
def test_mp3_of_a_low_rate_keeps_its_bit_rate(tmp_path, rate, channels, level):
    old = write(tmp_path / "a.mp3", rate, channels, bitrate_mode="CONSTANT", compression_level=level)
    assert MP3(again(old)).info.bitrate == pytest.approx(MP3(old).info.bitrate, abs=10)


@pytest.mark.parametrize("quality", range(10))
def test_mp3_of_a_variable_bit_rate_keeps_its_quality(tmp_path, quality):
    old = write(tmp_path / "a.mp3", bitrate_mode="VARIABLE", compression_level=min(quality / 10, 0.999))
    new = MP3(again(old)).info
    assert new.bitrate_mode == BitrateMode.VBR
    assert new.encoder_settings == f"-V {quality}"


def test_mp3_without_a_header_keeps_about_its_bit_rate(tmp_path):
    data = write(tmp_path / "a.mp3", bitrate_mode="VARIABLE", compression_level=0.2).read_bytes()
    (tmp_path / "a.mp3").write_bytes(data[data.index(b"\xff\xfb", 100) :])
    new = MP3(again(tmp_path / "a.mp3")).info
    assert new.bitrate_mode == BitrateMode.VBR
    assert new.bitrate == pytest.approx(8 * len(data), rel=0.25)


def test_mp3_of_an_average_bit_rate_keeps_it(tmp_path):
    old = write(tmp_path / "a.mp3", bitrate_mode="AVERAGE", compression_level=0.4)
    new = MP3(again(old)).info
    assert new.bitrate_mode == BitrateMode.ABR
    assert new.bitrate == pytest.approx(MP3(old).info.bitrate, rel=0.05)


@pytest.mark.parametrize(("channels", "level"), [(2, 0.05), (2, 0.5), (1, 0.8)])
def test_vorbis_keeps_the_bit_rate_of_its_header(tmp_path, channels, level):
    old = write(tmp_path / "a.ogg", channels=channels, compression_level=level)
    assert OggVorbis(again(old)).info.bitrate == pytest.approx(OggVorbis(old).info.bitrate, rel=0.002)


@pytest.mark.parametrize(("channels", "level"), [(2, 0.3), (2, 0.8), (1, 0.9)])
def test_opus_keeps_about_its_bit_rate(tmp_path, channels, level):
    old = write(tmp_path / "a.opus", 48_000, channels, format="OGG", subtype="OPUS", compression_level=level)
    assert again(old).stat().st_size == pytest.approx(old.stat().st_size, rel=0.1)


def test_another_format_gets_its_usual_bit_rate(tmp_path):
    kind = Kind(RATE, 2, "MP3", "MPEG_LAYER_III", 320_000, "CONSTANT")
    assert kind_like(kind, tmp_path / "a.ogg").bitrate == 0
    assert kind_like(kind, tmp_path / "a.mp3") == kind
    assert bit_rates.encoder_options(kind_like(kind, tmp_path / "a.wav")) == {}


def test_a_stream_keeps_its_place(tmp_path):
    stream = io.BytesIO(write(tmp_path / "a.ogg").read_bytes())
    stream.seek(100)
    assert bit_rates.ogg_kind(Kind(RATE, 2, "OGG", "VORBIS"), stream, None).bitrate == 128_000
    assert stream.tell() == 100


def test_a_kind_from_before_bit_rates_is_read():
    assert kind_of({"rate": 8000, "channels": 1, "format": "MP3", "subtype": "x"}).bitrate == 0
