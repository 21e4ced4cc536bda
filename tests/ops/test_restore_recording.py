"""Recordings: from files, pipes and samples, into files, streams and memory."""

from __future__ import annotations

import base64
import io
import tracemalloc
from pathlib import Path
from typing import Any

import mutagen
import mutagen.flac
import mutagen.id3
import numpy as np
import pytest
import soundfile
import torch

import musicae
from musicae import codec as codecs
from musicae.codec import Codec
from musicae.errors import MusicaeError, OutputError
from musicae.ops.restored import RestoreOptions
from musicae.ops.stream import Denoiser

RATE = 11_025


def noisy(frames: int = 9000, channels: int = 2, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(frames)[:, None] / RATE)
    return (tone + 0.05 * rng.standard_normal((frames, channels))).astype(np.float32)


@pytest.fixture(scope="module")
def voice(tiny_voice: Path) -> Codec:
    return codecs.load(str(tiny_voice))


@pytest.fixture(scope="module")
def band(tiny_band: Path) -> Codec:
    return codecs.load(str(tiny_band))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "rec.wav", noisy(), RATE, "FLOAT")
    return tmp_path / "rec.wav"


class Pipe(io.RawIOBase):
    """A stream that gives a few bytes at a time, and cannot seek."""

    def __init__(self, content: bytes = b"") -> None:
        self.left, self.written = content, b""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        part, self.left = self.left[: min(size, 3001)], self.left[min(size, 3001) :]
        return part

    def write(self, data: Any) -> int:
        self.written += bytes(data)
        return len(data)


def test_in_memory_it_is_what_the_denoiser_makes_of_each_channel(recording: Path, voice: Codec) -> None:
    made = musicae.denoise(recording, preset=voice)
    assert made.sample is not None
    assert made.given is not None
    denoiser = Denoiser(voice, RATE, 2)
    wanted = np.concatenate([denoiser.process(noisy()), denoiser.flush()]).T
    assert np.abs(made.sample.tensor.numpy() - wanted).max() < 1e-6
    assert np.array_equal(made.given.tensor.numpy(), noisy().T)
    assert made.seconds == pytest.approx(9000 / RATE)
    assert made.sample.meta["kind"]["rate"] == RATE
    assert made.remarks[0] == "denoised by the preset 'tiny-voice'"


def test_file_stream_and_memory_are_alike(tmp_path: Path, recording: Path, voice: Codec) -> None:
    made = musicae.denoise(recording, tmp_path / "a.wav", preset=voice)
    assert (made.path, made.sample) == (tmp_path / "a.wav", None)
    samples = soundfile.read(tmp_path / "a.wav", dtype="float32")[0]
    in_memory = musicae.denoise(recording, preset=voice)
    in_memory.save(tmp_path / "b.wav")
    stream = io.BytesIO()
    assert musicae.denoise(io.BytesIO(recording.read_bytes()), stream, preset=voice).path is None
    for file in (tmp_path / "b.wav", io.BytesIO(stream.getvalue())):
        assert np.array_equal(soundfile.read(file, dtype="float32")[0], samples)
    assert soundfile.info(tmp_path / "b.wav").subtype == "FLOAT"


def test_a_stream_gets_the_kind_of_its_source(tmp_path: Path, voice: Codec) -> None:
    soundfile.write(tmp_path / "rec.flac", noisy(), RATE)
    for source in (tmp_path / "rec.flac", io.BytesIO((tmp_path / "rec.flac").read_bytes())):
        stream = Pipe()
        musicae.denoise(source, stream, preset=voice)
        assert stream.written[:4] == b"fLaC"


def test_a_pipe_gives_what_a_file_gives(recording: Path, voice: Codec) -> None:
    wanted = musicae.denoise(recording, preset=voice).sample
    assert wanted is not None
    stream = Pipe()
    made = musicae.denoise(Pipe(recording.read_bytes()), stream, preset=voice)
    piped = soundfile.read(io.BytesIO(stream.written), dtype="float32")[0]
    assert np.abs(piped - wanted.tensor.numpy().T).max() < 1e-5
    assert made.seconds == pytest.approx(9000 / RATE)
    bare = Pipe()
    musicae.denoise(Pipe(noisy().tobytes()), bare, preset=voice, raw=f"{RATE}:2:f32")
    assert np.abs(np.frombuffer(bare.written, "<f4").reshape(-1, 2) - piped).max() < 1e-5
    # Into memory or a file, and from a stream that could seek.
    sample = musicae.denoise(io.BytesIO(noisy().tobytes()), preset=voice, raw=f"{RATE}:2:f32").sample
    assert sample is not None
    assert np.abs(sample.tensor.numpy() - piped.T).max() < 1e-5


def test_a_pipe_chooses_by_its_rate(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", noisy(3000, 1), 8000)
    assert musicae.denoise(Pipe((tmp_path / "x.wav").read_bytes()), Pipe()).preset == "denoise-speech"


def test_a_pipe_that_ends_early(tmp_path: Path, recording: Path, voice: Codec) -> None:
    cut = recording.read_bytes()[:-8000]
    stream = Pipe()
    with pytest.raises(MusicaeError, match="ended before the sound did"):
        musicae.denoise(Pipe(cut), stream, preset=voice)
    assert len(soundfile.read(io.BytesIO(stream.written))[0]) == 8000
    with pytest.raises(MusicaeError, match="no sound on stdin"):
        musicae.denoise(Pipe(), Pipe(), preset=voice)
    with pytest.raises(MusicaeError, match="ended before the sound did"):
        musicae.denoise(Pipe(noisy().tobytes()[:-3]), tmp_path / "x.wav", preset=voice, raw=f"{RATE}:2:f32")
    assert not (tmp_path / "x.wav").exists()


def test_samples_are_taken_as_they_are_or_at_the_adapters_rate(recording: Path, voice: Codec, tmp_path: Path) -> None:
    wanted = musicae.denoise(recording, preset=voice).sample
    as_is = voice.adapter.read(recording, as_is=True)
    made = musicae.denoise(as_is, preset=voice).sample
    assert wanted is not None
    assert made is not None
    assert torch.equal(made.tensor, wanted.tensor)
    mono = voice.adapter.read(recording)
    made = musicae.denoise(mono, preset=voice).sample
    assert made is not None
    assert made.tensor.shape == mono.tensor.shape
    assert (made.tensor - voice.restore_any_size(mono.tensor)).abs().max() < 1e-6
    musicae.denoise(mono, tmp_path / "b.wav", preset=voice)
    assert (soundfile.info(tmp_path / "b.wav").samplerate, soundfile.info(tmp_path / "b.wav").channels) == (RATE, 2)


def test_what_was_removed_and_the_picture(recording: Path, voice: Codec, tmp_path: Path) -> None:
    seen: list[tuple[float, float]] = []
    made = musicae.denoise(
        recording,
        tmp_path / "a.wav",
        preset=voice,
        strength=0.5,
        noise=tmp_path / "noise.wav",
        picture=tmp_path / "p.png",
        report=lambda done, of: seen.append((done, of)),
    )
    parts = [soundfile.read(tmp_path / name, dtype="float32")[0] for name in ("a.wav", "noise.wav")]
    assert np.abs(noisy() - parts[0] - parts[1]).max() < 1e-6
    assert (tmp_path / "p.png").read_bytes()[1:4] == b"PNG"
    assert seen[-1] == (pytest.approx(made.seconds), pytest.approx(9000 / RATE))


def test_a_recording_is_upscaled(tmp_path: Path, recording: Path, band: Codec) -> None:
    made = musicae.upscale(recording, tmp_path / "a.flac", preset=band)
    info = soundfile.info(tmp_path / "a.flac")
    assert (info.frames, info.samplerate, info.channels) == (18_000, 2 * RATE, 2)
    assert made.notices[-1:] == ["the preset 'tiny-band' is for 4000 Hz, rec.wav has 11025 Hz"]
    assert made.remarks == ["upscaled by the preset 'tiny-band': 11025 Hz became 22050 Hz"]
    in_memory = musicae.upscale(recording, preset=band)
    assert in_memory.sample is not None
    assert in_memory.given is not None
    assert in_memory.sample.tensor.shape == in_memory.given.tensor.shape == (2, 18_000)
    stream = Pipe()
    musicae.upscale(Pipe(recording.read_bytes()), stream, preset=band)
    piped, rate = soundfile.read(io.BytesIO(stream.written), dtype="float32")
    assert rate == 2 * RATE
    assert np.abs(piped.T - in_memory.sample.tensor.numpy()).max() < 1e-5
    options = RestoreOptions(strength=0.5)
    with pytest.raises(MusicaeError, match="upscaling takes no noise off"):
        musicae.restore(recording, verb="upscale", preset=band, options=options)


def test_loud_results_are_said(recording: Path, voice: Codec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(recording, noisy(), RATE)
    inside = voice.model.stream
    monkeypatch.setattr(voice.model, "stream", lambda x, state: (9 * (made := inside(x, state))[0], made[1]))
    made = musicae.denoise(recording, tmp_path / "a.wav", preset=voice)
    assert len(made.notices) == 1
    assert made.notices[0].startswith("a.wav: ")
    assert "dB too loud for PCM_16" in made.notices[0]


def test_bad_sources_and_targets_are_one_line(tmp_path: Path, recording: Path, voice: Codec) -> None:
    (tmp_path / "text.wav").write_text("hello")
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 1)), RATE)
    for source, said in (("no.wav", "there is no file"), ("text.wav", "is not a sound file"), ("empty.wav", "samples")):
        with pytest.raises(MusicaeError, match=said):
            musicae.denoise(tmp_path / source, tmp_path / "x.wav", preset=voice)
    with pytest.raises(MusicaeError, match="sound is written as"):
        musicae.denoise(recording, tmp_path / "x.txt", preset=voice)
    with pytest.raises(OutputError, match="there is no folder"):
        musicae.denoise(recording, tmp_path / "none" / "x.wav", preset=voice)
    with pytest.raises(MusicaeError, match="restored as it is; leave out 'bars'"):
        musicae.denoise(recording, preset=voice, bars="1-2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.wav", "rec.wav", "text.wav"]


def test_memory_does_not_grow_with_the_length(tmp_path: Path, voice: Codec) -> None:
    peaks = []
    for seconds in (10, 40):
        soundfile.write(tmp_path / "long.wav", noisy(8000 * seconds, 1), 8000)
        tracemalloc.start()
        musicae.denoise(tmp_path / "long.wav", tmp_path / "out.wav", preset=voice)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_in_memory_there_is_a_limit_and_into_a_file_there_is_none(
    tmp_path: Path, recording: Path, voice: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSICAE_MEMORY", "100K")
    assert musicae.denoise(recording, tmp_path / "out.wav", preset=voice).path == tmp_path / "out.wav"
    for source in (recording, Pipe(recording.read_bytes())):
        with pytest.raises(MusicaeError, match="of memory, the limit is 100 KB"):
            musicae.denoise(source, preset=voice)


@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".ogg", ".wav", ".aiff"])
def test_tags_and_cover_are_kept_in_a_file_in_memory_and_in_a_stream(voice: Codec, tmp_path: Path, suffix: str) -> None:
    old = tmp_path / f"old{suffix}"
    soundfile.write(old, noisy(), RATE)
    tag(old)
    musicae.denoise(old, tmp_path / f"a{suffix}", preset=voice)
    musicae.denoise(old, preset=voice).save(tmp_path / f"b{suffix}")
    out = io.BytesIO()
    musicae.denoise(io.BytesIO(old.read_bytes()), out, preset=voice)
    (tmp_path / f"c{suffix}").write_bytes(out.getvalue())
    sample = voice.adapter.read(old, as_is=True)
    musicae.denoise(sample, tmp_path / f"d{suffix}", preset=voice)
    for name in "abcd":
        assert (title_and_cover(tmp_path / f"{name}{suffix}")) == ("Stück", b"jpeg" * 999), name


def test_what_is_upscaled_keeps_its_tags_and_says_what_it_cannot(band: Codec, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "old.wav", noisy(), RATE)
    data = (tmp_path / "old.wav").read_bytes() + b"iXML\4\0\0\0<x/>"
    (tmp_path / "old.wav").write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    tag(tmp_path / "old.wav")
    done = musicae.upscale(tmp_path / "old.wav", tmp_path / "new.wav", preset=band)
    assert any("iXML" in notice for notice in done.notices)
    assert title_and_cover(tmp_path / "new.wav") == ("Stück", b"jpeg" * 999)


def test_damaged_tags_are_said_in_one_line(voice: Codec, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.mp3", noisy(), RATE)
    damaged = b"ID3\3\0\0\0\0\0\x20" + b"\xfe" * 32
    (tmp_path / "a.mp3").write_bytes(damaged + (tmp_path / "a.mp3").read_bytes())
    done = musicae.denoise(tmp_path / "a.mp3", tmp_path / "b.mp3", preset=voice)
    assert [notice for notice in done.notices if "tags" in notice] == [
        "b.mp3: left out of the tags: tags that are damaged"
    ]


def tag(path: Path) -> None:
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    picture = mutagen.flac.Picture()
    picture.data, picture.type, picture.mime = b"jpeg" * 999, 3, "image/jpeg"
    if isinstance(file.tags, mutagen.id3.ID3):
        file.tags.add(mutagen.id3.Frames["TIT2"](3, ["Stück"]))
        file.tags.add(mutagen.id3.Frames["APIC"](3, "image/jpeg", 3, "", picture.data))
    else:
        file["title"] = "Stück"
        if isinstance(file, mutagen.flac.FLAC):
            file.add_picture(picture)
        else:
            file["metadata_block_picture"] = base64.b64encode(picture.write()).decode()
    file.save()


def title_and_cover(path: Path) -> tuple[str, bytes]:
    file = mutagen.File(path)
    if isinstance(file.tags, mutagen.id3.ID3):
        return str(file.tags["TIT2"]), file.tags.getall("APIC")[0].data
    if isinstance(file, mutagen.flac.FLAC):
        return file["title"][0], file.pictures[0].data
    picture = mutagen.flac.Picture(base64.b64decode(file["metadata_block_picture"][0]))
    return file["title"][0], picture.data
