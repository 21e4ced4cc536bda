"""Sound files of every kind, as paths and as streams: what is written comes back, and what is no sound is one line."""

import io
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from made_sounds import read, tones

from musicae.errors import MusicaeError, OutputError
from musicae.formats.sound import files as sound
from musicae.formats.sound.files import Kind

# --- what is written comes back --------------------------------------------------------------------------------------


@given(
    samples=st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=300),
    channels=st.integers(1, 3),
    suffix=st.sampled_from([".wav", ".flac", ".aiff", ".au", ".caf", ".w64", ".rf64"]),
    as_stream=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_sixteen_bits_come_back_to_the_bit(tmp_path_factory, samples, channels, suffix, as_stream):
    x = np.repeat(np.array(samples, np.float32)[:, None] / 32_768, channels, axis=1)
    path = tmp_path_factory.mktemp("sound") / f"a{suffix}"
    kind = sound.kind_like(Kind(8000, channels), path)
    file = io.BytesIO() if as_stream else path
    with sound.writing(file, kind) as opened:
        opened.write(x)
    with sound.reading(file) as opened:
        assert opened.kind == kind
        assert opened.length == len(x)
        assert np.array_equal(np.concatenate(list(opened.blocks(97))), x)
    if as_stream:
        assert sound.is_sound(file.getvalue()[:64])


@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=50))
@settings(max_examples=40, deadline=None)
def test_floating_point_comes_back_beyond_full_scale(samples):
    x, file = np.array(samples, np.float32)[:, None], io.BytesIO()
    with sound.writing(file, Kind(8000, 1, "WAV", "FLOAT")) as opened:
        opened.write(x)
    assert np.array_equal(read(file), x)
    assert opened.clipped == 0


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=50))
@settings(max_examples=40, deadline=None)
def test_integers_are_rounded_clipped_and_counted(samples):
    x, file = np.array(samples, np.float32)[:, None], io.BytesIO()
    with sound.writing(file, Kind(8000, 1)) as opened:
        opened.write(x)
    assert np.abs(read(file) - x.clip(-1, 1)).max() <= 1 / 32_768
    assert opened.clipped == int((np.abs(x) > 1).sum())
    assert (opened.remark() is None) == (opened.clipped == 0)


def test_samples_are_rounded_not_cut(tmp_path):
    x = np.array([0.4, 0.6, -0.4, -0.6, -1e-9, 40_000], np.float32)[:, None] / 32_768
    with sound.writing(tmp_path / "a.wav", Kind(8000, 1)) as file:
        file.write(x)
    assert soundfile.read(tmp_path / "a.wav", dtype="int16")[0].tolist() == [0, 1, 0, -1, 0, 32_767]


def test_what_is_too_loud_for_the_format_is_said(tmp_path):
    kind = Kind(8000, 1)
    with sound.writing(tmp_path / "a.wav", kind) as file:
        file.write(2 * tones())
    assert file.remark() is None  # 0.8 is not too loud.
    with sound.writing(tmp_path / "a.wav", kind) as file:
        file.write(5 * tones())
    assert "6.0 dB too loud for PCM_16" in file.remark()
    assert np.abs(soundfile.read(tmp_path / "a.wav")[0]).max() <= 1
    with sound.writing(tmp_path / "b.wav", Kind(8000, 1, subtype="FLOAT")) as file:
        file.write(5 * tones())
    assert file.remark() is None
    assert np.abs(soundfile.read(tmp_path / "b.wav")[0]).max() == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("name", ["a.ogg", "a.mp3", "a.opus"])
def test_lossy_streams_come_back_near(name):
    x, file = tones(48_000, 2, 48_000), io.BytesIO()
    with sound.writing(file, sound.kind_like(Kind(48_000, 2), Path(name))) as opened:
        opened.write(x)
    again = read(file)
    assert abs(len(again) - len(x)) < 2400
    if name != "a.mp3":
        assert np.abs(again[5000:40_000] - x[5000:40_000]).max() < 0.1


# --- kinds -----------------------------------------------------------------------------------------------------------


def test_what_a_wav_cannot_hold_becomes_rf64():
    assert sound.kind_like(Kind(48_000, 2, "WAV", "PCM_24"), Path("a.wav"), 600_000_000).format == "WAV"
    assert sound.kind_like(Kind(48_000, 2, "WAV", "PCM_24"), Path("a.wav"), 700_000_000).format == "RF64"
    assert sound.kind_like(Kind(48_000, 2, "RF64", "PCM_24"), Path("a.wav"), None).format == "RF64"


@pytest.mark.parametrize(
    ("was", "name", "expected"),
    [
        (("WAV", "PCM_24"), "x.wav", ("WAV", "PCM_24")),
        (("WAVEX", "PCM_24"), "x.wav", ("WAVEX", "PCM_24")),
        (("WAV", "FLOAT"), "x.flac", ("FLAC", "PCM_24")),
        (("FLAC", "PCM_16"), "x.wav", ("WAV", "PCM_16")),
        (("MP3", "MPEG_LAYER_III"), "x.wav", ("WAV", "PCM_16")),
        (("WAV", "PCM_16"), "x.ogg", ("OGG", "VORBIS")),
        (("WAV", "PCM_16"), "x.opus", ("OGG", "OPUS")),
        (("OGG", "OPUS"), "x.opus", ("OGG", "OPUS")),
        (("OGG", "VORBIS"), "x.opus", ("OGG", "OPUS")),
        (("WAV", "PCM_32"), "x.flac", ("FLAC", "PCM_24")),
        (("WAV", "IMA_ADPCM"), "x.wav", ("WAV", "PCM_16")),
    ],
)
def test_another_suffix_keeps_what_its_format_can(was, name, expected):
    made = sound.kind_like(Kind(48_000, 2, *was), Path(name))
    assert (made.format, made.subtype, made.rate, made.channels) == (*expected, 48_000, 2)


def test_a_stream_keeps_its_format_where_that_can_be_written():
    assert sound.kind_like(Kind(8000, 2, "FLAC", "PCM_24"), io.BytesIO()) == Kind(8000, 2, "FLAC", "PCM_24")
    assert sound.kind_like(Kind(8000, 2, "RAW", "PCM_16"), io.BytesIO()) == Kind(8000, 2, "WAV", "PCM_16")


# --- what cannot be written ------------------------------------------------------------------------------------------


def test_what_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path):
    with (
        pytest.raises(OutputError, match="there is no folder"),
        sound.writing(tmp_path / "no" / "a.wav", Kind(8000, 1)),
    ):
        pass
    with pytest.raises(MusicaeError, match="sound is written as"):
        sound.kind_like(Kind(8000, 1), tmp_path / "a.txt")
    kind = sound.kind_like(Kind(7999, 1), tmp_path / "a.opus")
    for file in (tmp_path / "a.opus", io.BytesIO()):
        with pytest.raises(MusicaeError, match="cannot be written as OGG OPUS"), sound.writing(file, kind):
            pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [200_000, 200_001, 270_000])
def test_rates_at_which_vorbis_would_crash_are_refused(tmp_path, rate):
    kind = sound.kind_like(Kind(rate, 1), tmp_path / "a.ogg")
    if rate <= 200_000:
        with sound.writing(tmp_path / "a.ogg", kind) as file:
            file.write(tones())
        assert len(read(tmp_path / "a.ogg")) == 4000
        return
    with (
        pytest.raises(MusicaeError, match=r"only up to 200000 Hz; name a \.wav"),
        sound.writing(tmp_path / "a.ogg", kind),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_stream_gets_all_or_nothing():
    held = io.BytesIO()

    def fail():
        with sound.writing(held, Kind(8000, 1)) as file:
            file.write(tones())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert held.getvalue() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit can be set")
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_a_full_disk_is_one_line_even_at_the_last_byte(tmp_path, name):
    import resource

    kind = sound.kind_like(Kind(44_100, 1), Path(name))
    with sound.writing(tmp_path / name, kind) as file:
        file.write(tones(50_000, 1, 44_100))
    size = (tmp_path / name).stat().st_size
    (tmp_path / name).unlink()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        for left in (100, size // 2, size - 1):
            resource.setrlimit(resource.RLIMIT_FSIZE, (left, limits[1]))
            with pytest.raises(OutputError, match="cannot be written"), sound.writing(tmp_path / name, kind) as file:
                file.write(tones(50_000, 1, 44_100))
            assert not list(tmp_path.iterdir())
        written = 0

        def write_for_long(file):
            nonlocal written
            for _ in range(100):
                file.write(tones(50_000, 1, 44_100))
                written += 1

        with pytest.raises(OutputError, match="cannot be written"), sound.writing(tmp_path / name, kind) as file:
            write_for_long(file)
        assert written < 50  # It is not said at the end of a long recording.
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("method", ["write", "seek"])
def test_being_told_to_end_while_the_library_calls_back_is_not_lost(tmp_path, monkeypatch, method):
    inside, told = getattr(sound._Sink, method), []

    def call(self, *given):
        if not told:
            told.append(os.kill(os.getpid(), signal.SIGTERM))
        return inside(self, *given)

    monkeypatch.setattr(sound._Sink, method, call)
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    try:
        with pytest.raises(SystemExit), sound.writing(tmp_path / "a.flac", Kind(8000, 1, "FLAC")) as file:
            file.write(tones(20_000))
        assert signal.getsignal(signal.SIGTERM) != before
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told
    assert not list(tmp_path.iterdir())
