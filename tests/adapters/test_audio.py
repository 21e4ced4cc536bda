"""Sound files: every kind comes back as it was, and what is no sound is one line."""

import os
import signal
import struct
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from musicae.adapters import sound
from musicae.adapters.audio import Audio
from musicae.adapters.mpeg import samples_in
from musicae.core import Sample
from musicae.errors import MusicaeError, OutputError
from musicae.testing import check_adapter


def tones(frames=4000, channels=1, rate=8000):
    time = np.arange(frames)[:, None] / rate
    return (0.4 * np.sin(2 * np.pi * time * (220 + 110 * np.arange(channels)))).astype(np.float32)


def test_it_keeps_its_promises(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tones(5000, 1), 8000, "FLOAT")
    check_adapter(Audio(rate=8000, size=1024), path)
    check_adapter(Audio(rate=8000, size=1024))


@pytest.mark.parametrize(
    ("name", "subtype", "channels", "rate", "near"),
    [
        ("a.wav", "PCM_16", 1, 8000, 1e-4),
        ("a.wav", "PCM_24", 2, 8000, 1e-4),
        ("a.wav", "FLOAT", 8, 44_100, 0.02),
        ("a.wav", "PCM_U8", 1, 8000, 0.01),
        ("a.flac", "PCM_24", 2, 192_000, 0.02),
        ("a.aiff", "PCM_16", 1, 22_050, 0.02),
        ("a.ogg", "VORBIS", 2, 44_100, 0.1),
        ("a.opus", "OPUS", 1, 48_000, 0.1),
        ("a.mp3", "MPEG_LAYER_III", 2, 44_100, 0.1),
    ],
)
def test_what_is_written_is_as_what_was_read(tmp_path, name, subtype, channels, rate, near):
    source, target = tmp_path / name, tmp_path / f"again-{name}"
    x = np.repeat(tones(rate // 2, 1, rate), channels, axis=1)
    soundfile.write(source, x, rate, subtype, format="OGG" if name.endswith("opus") else None)
    adapter = Audio(rate=8000, size=1024)
    sample = adapter.read(source)
    assert sample.tensor.shape[0] == 1
    adapter.write(sample, target)
    was, made = soundfile.info(source), soundfile.info(target)
    assert (made.samplerate, made.channels, made.subtype, made.format) == (
        was.samplerate, was.channels, was.subtype, was.format,
    )  # fmt: skip
    assert abs(made.frames - was.frames) <= (1200 if name.endswith("mp3") else 0)
    middle = slice(rate // 8, rate // 4)
    if not name.endswith("mp3"):
        assert np.abs(soundfile.read(target, always_2d=True)[0][middle] - x[middle]).max() < near


def test_an_mp3_that_says_less_than_it_holds_is_read_whole(tmp_path, monkeypatch):
    whole, headless = tmp_path / "a.mp3", tmp_path / "b.mp3"
    x = tones(8 * 16_000, 1, 16_000) * np.linspace(0, 1, 8 * 16_000)[:, None]
    with soundfile.SoundFile(
        whole, "w", 16_000, 1, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5
    ) as file:
        file.write(x)
    data = whole.read_bytes()
    first = data.index(b"\xff\xf3", 10)  # Without the frame that has the length in it.
    headless.write_bytes(b"ID3\x04\0\0\0\0\0\x40" + bytes(0x40) + data[first:])
    assert abs(samples_in(whole) - len(x)) < 3000
    assert abs(samples_in(headless) - len(x)) < 3000
    assert samples_in(Path(__file__)) == 0
    (tmp_path / "c.mp3").write_bytes(data[first:] * 3)
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        assert Audio().read(whole).tensor.shape[1] == len(x)
        with pytest.raises(MusicaeError, match="says that it is shorter than it is, and needs PyAV"):
            Audio().read(tmp_path / "c.mp3")
    pytest.importorskip("av")
    assert abs(Audio().read(tmp_path / "c.mp3").tensor.shape[1] - 3 * len(x)) < 9000


def test_g722_and_the_like_are_read_by_av(tmp_path, monkeypatch):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tones(16_000, 1, 16_000).T, format="fltp", layout="mono")
        frame.rate = 16_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    sample = Audio(rate=16_000).read(tmp_path / "a.m4a")
    assert abs(sample.tensor.shape[1] - 16_000) < 2100
    assert 0.2 < sample.tensor.square().mean().sqrt() < 0.32
    (tmp_path / "bad.g722").write_bytes(b"")
    with pytest.raises(MusicaeError, match="is empty"):
        Audio().read(tmp_path / "bad.g722")
    (tmp_path / "bad.m4a").write_bytes(b"hello there")
    with pytest.raises(MusicaeError, match="no sound file"):
        Audio().read(tmp_path / "bad.m4a")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MusicaeError, match=r"musicae\[av\]"):
        Audio().read(tmp_path / "a.m4a")


def test_bad_files_are_one_line(tmp_path):
    adapter = Audio()
    nan = tones()
    nan[1000] = np.nan
    soundfile.write(tmp_path / "nan.wav", nan, 8000, "FLOAT")
    soundfile.write(tmp_path / "none.wav", nan[:0], 8000)
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("no sound at all")
    soundfile.write(tmp_path / "whole.flac", tones(40_000), 8000)
    (tmp_path / "cut.flac").write_bytes((tmp_path / "whole.flac").read_bytes()[:20_000])
    for name, match in (
        ("nan.wav", r"no number at 0\.125 s"), ("none.wav", "has no samples"), ("empty.wav", "is empty"),
        ("text.wav", "no sound file"), ("cut.flac", "cut short|damaged"), ("gone.wav", "there is no file"),
        (".", "is a folder"),
    ):  # fmt: skip
        with pytest.raises(MusicaeError, match=match) as caught:
            adapter.read(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_wrong_length_in_the_header_of_a_wav_is_no_harm(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tones(4000), 8000)
    data = bytearray(path.read_bytes())
    data[40:44] = struct.pack("<I", 0x7FFFFFFF)
    path.write_bytes(data)
    assert Audio(rate=8000).read(path).tensor.shape == (1, 4000)


def test_what_is_too_loud_for_the_format_is_said(tmp_path):
    kind = sound.Kind(8000, 1)
    with sound.writing(tmp_path / "a.wav", kind) as file:
        file.write(2 * tones())
    assert file.remark() is None  # 0.8 is not too loud.
    with sound.writing(tmp_path / "a.wav", kind) as file:
        file.write(5 * tones())
    assert "6.0 dB too loud for PCM_16" in file.remark()
    assert np.abs(soundfile.read(tmp_path / "a.wav")[0]).max() <= 1
    with sound.writing(tmp_path / "b.wav", sound.Kind(8000, 1, subtype="FLOAT")) as file:
        file.write(5 * tones())
    assert file.remark() is None
    assert np.abs(soundfile.read(tmp_path / "b.wav")[0]).max() == pytest.approx(2, abs=0.01)


def test_what_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path):
    adapter = Audio(rate=8000)
    sample = Sample(torch.zeros(1, 100), adapter.blank())
    with pytest.raises(OutputError, match="there is no folder"):
        adapter.write(sample, tmp_path / "no" / "a.wav")
    with pytest.raises(MusicaeError, match="sound is written as"):
        adapter.write(sample, tmp_path / "a.txt")
    odd = Sample(torch.zeros(1, 100), {"kind": asdict(sound.Kind(7999, 1))})
    with pytest.raises(MusicaeError, match="cannot be written as OGG OPUS"):
        adapter.write(odd, tmp_path / "a.opus")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="no limit can be set")
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_a_full_disk_is_one_line_even_at_the_last_byte(tmp_path, name):
    import resource

    kind = sound.kind_like(sound.Kind(44_100, 1), Path(name))
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


def test_samples_are_rounded_not_cut(tmp_path):
    x = np.array([0.4, 0.6, -0.4, -0.6, -1e-9, 40_000], np.float32)[:, None] / 32_768
    with sound.writing(tmp_path / "a.wav", sound.Kind(8000, 1)) as file:
        file.write(x)
    assert soundfile.read(tmp_path / "a.wav", dtype="int16")[0].tolist() == [0, 1, 0, -1, 0, 32_767]


def test_numbers_that_are_no_sound_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([0.0, 1e19]), 8000, "FLOAT")
    with pytest.raises(MusicaeError, match="no number"):
        Audio().read(tmp_path / "a.wav")


def test_a_file_that_says_more_than_it_has_is_read_and_said(tmp_path):
    x = np.random.default_rng(0).standard_normal(100_000).clip(-1, 1)
    soundfile.write(tmp_path / "a.mp3", x, 44_100)
    data = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(data[: len(data) // 2])
    sample = Audio(rate=44_100).read(tmp_path / "a.mp3")
    assert sample.tensor.shape[1] < 60_000
    assert "its end may be missing" in sample.remarks[0]


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_a_name_of_any_bytes_can_be_read(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    with path.open("wb") as file:
        soundfile.write(file, tones(), 8000, format="WAV")
    assert Audio(rate=8000).read(path).tensor.shape == (1, 4000)


def test_what_a_wav_cannot_hold_becomes_rf64():
    assert sound.kind_like(sound.Kind(48_000, 2, "WAV", "PCM_24"), Path("a.wav"), 600_000_000).format == "WAV"
    assert sound.kind_like(sound.Kind(48_000, 2, "WAV", "PCM_24"), Path("a.wav"), 700_000_000).format == "RF64"
    assert sound.kind_like(sound.Kind(48_000, 2, "RF64", "PCM_24"), Path("a.wav"), None).format == "RF64"


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
    made = sound.kind_like(sound.Kind(48_000, 2, *was), Path(name))
    assert (made.format, made.subtype, made.rate, made.channels) == (*expected, 48_000, 2)


def test_augmenting_cuts_and_levels():
    adapter = Audio(rate=8000, size=1000, speed=0.1, quietest=-30, loudest=-20)
    batch = torch.from_numpy(tones(1500)).T[None].repeat(8, 1, 1)
    rng = torch.Generator().manual_seed(0)
    made = adapter.augment(batch, rng)
    assert made.shape == (8, 1, 1000)
    levels = 10 * made.square().mean(-1).log10()
    assert levels.min() > -30.5
    assert levels.max() < -19.5
    assert levels.std() > 1
    assert torch.equal(made, adapter.augment(batch, torch.Generator().manual_seed(0)))
    assert torch.equal(Audio(size=1000).augment(batch[..., :1000], rng), batch[..., :1000])
    with pytest.raises(MusicaeError, match="quietest"):
        Audio(quietest=0.0, loudest=-3.0)


def test_augmenting_filters_each_sound_in_its_own_way_and_keeps_its_level():
    adapter = Audio(rate=8000, size=4000, tilt=3.0, bumps=3.0)
    batch = 0.1 * torch.randn(1, 1, 4000, generator=torch.Generator().manual_seed(1)).repeat(6, 1, 1)
    made = adapter.augment(batch, torch.Generator().manual_seed(0))
    torch.testing.assert_close(made.square().mean(-1), batch.square().mean(-1), rtol=1e-3, atol=0)
    spectra = torch.fft.rfft(made[:, 0]).abs() / torch.fft.rfft(batch[:, 0]).abs()
    bands = 20 * spectra.unflatten(1, (3, 667)).mean(2).log10()
    assert bands.std(0).min() > 1
    with pytest.raises(MusicaeError, match="tilt and bumps"):
        Audio(tilt=-1.0)


def test_a_picture_shows_when_and_how_high(tmp_path):
    rate = 8000
    x = np.sin(2 * np.pi * 2000 * np.arange(rate) / rate)
    x[: rate // 2] = 0
    picture = Audio(rate=rate).picture(torch.tensor(x, dtype=torch.float32)[None])
    assert picture.shape[:2] == (1, 513)
    assert 0 <= picture.min() < 0.01
    assert picture.max() == 1
    columns = picture.shape[2]
    assert picture[0, :, : columns // 3].max() == 0
    assert abs(int(picture[0, :, 3 * columns // 4].argmax()) - 256) <= 1  # 2,000 of 4,000 Hz: half way up.
    assert Audio(rate=rate).picture(torch.zeros(1, 10)).max() == 0
    assert Audio(rate=rate).picture(torch.zeros(1, 4_000_000)).shape[2] < 1100


def test_an_excerpt_passes_over_silence_and_is_of_the_louder_channel(tmp_path):
    silence, loud = np.zeros((12_000, 2), np.float32), tones(20_000, 2) * (0.5, 1)
    soundfile.write(tmp_path / "a.wav", np.concatenate([silence, loud]), 8000, "FLOAT")
    found, rate = Audio.excerpt(tmp_path / "a.wav", 1.5)
    assert rate == 8000
    assert np.array_equal(found, loud[:12_000, 1].astype(np.float32))
    soundfile.write(tmp_path / "b.wav", silence, 8000)
    assert len(Audio.excerpt(tmp_path / "b.wav", 1.5)[0]) == 0
    soundfile.write(tmp_path / "c.wav", np.concatenate([np.tile(silence, (250, 1)), loud]), 8000)
    assert len(Audio.excerpt(tmp_path / "c.wav", 1.5)[0]) == 0  # What is five minutes away is not looked for.


@pytest.mark.parametrize(("frames", "long"), [(100, False), (16_000, False), (16_001, True), (50_000, True)])
def test_what_does_not_say_how_long_it_is_is_counted(tmp_path, monkeypatch, frames, long):
    soundfile.write(tmp_path / "a.wav", tones(frames), 8000)
    assert Audio.accepts(tmp_path / "a.wav") == long
    inside = sound._SoundFile.__init__

    def unknown(self, *given):
        inside(self, *given)
        self.length = None

    monkeypatch.setattr(sound._SoundFile, "__init__", unknown)
    assert Audio.accepts(tmp_path / "a.wav") == long


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
        with pytest.raises(SystemExit), sound.writing(tmp_path / "a.flac", sound.Kind(8000, 1, "FLAC")) as file:
            file.write(tones(20_000))
        assert signal.getsignal(signal.SIGTERM) != before
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told
    assert not list(tmp_path.iterdir())
