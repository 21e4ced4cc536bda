"""Cleaning recordings from the command line: files, folders, pipes."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image as Pillow

from musicae.cli import results

RATE = 11_025


def noisy(frames: int = 12_000, channels: int = 2, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(frames)[:, None] / RATE)
    return (tone + 0.05 * rng.standard_normal((frames, channels))).astype(np.float32)


@pytest.fixture
def denoise(tiny_voice: Path) -> tuple[str, ...]:
    return ("denoise", "--preset", str(tiny_voice))


@pytest.fixture
def studio(shell: Any) -> Any:
    """A folder with a noisy recording, and a folder `tapes` of three at two depths."""
    soundfile.write("rec.wav", noisy(), RATE, "PCM_24")
    Path("tapes/deep").mkdir(parents=True)
    for i, name in enumerate(("a.wav", "b.flac", "deep/c.wav")):
        soundfile.write(f"tapes/{name}", noisy(3000, 1, i), RATE)
    return shell


def test_a_recording_keeps_its_length_rate_channels_and_kind(studio: Any, denoise: tuple[str, ...]) -> None:
    before = studio.files()
    assert studio.ok(*denoise, "rec.wav") == "rec-denoised.wav"
    assert studio.new(before) == ["rec-denoised.wav"]
    made = soundfile.info("rec-denoised.wav")
    assert (made.frames, made.samplerate, made.channels, made.subtype) == (12_000, RATE, 2, "PCM_24")
    assert studio.files()["rec.wav"] == before["rec.wav"]
    assert "exists already; -f overwrites it" in studio.fails(*denoise, "rec.wav")
    assert studio.ok(*denoise, "rec.wav", "-o", "x.flac") == "x.flac"
    assert soundfile.info("x.flac").subtype == "PCM_24"


def test_noise_and_picture_are_kept_where_asked_for(studio: Any, denoise: tuple[str, ...]) -> None:
    words = (*denoise, "rec.wav", "--keep-noise", "noise.wav", "--png", "--strength", "0.5")
    assert studio.ok(*words).splitlines() == ["rec-denoised.wav", "noise.wav", "rec-denoised.png"]
    parts = [soundfile.read(name)[0] for name in ("rec.wav", "rec-denoised.wav", "noise.wav")]
    assert np.abs(parts[0] - parts[1] - parts[2]).max() < 1e-5
    assert np.abs(parts[2]).max() > 1e-4
    with Pillow.open("rec-denoised.png") as image:
        assert min(image.size) > 500
    found = json.loads(studio.ok(*words, "-f", "--json"))
    assert found["noise"] == "noise.wav"
    assert found["picture"] == "rec-denoised.png"
    assert found["seconds"] == pytest.approx(12_000 / RATE)
    assert studio.ok(*denoise, "rec.wav", "--strength", "0", "-f")
    assert np.array_equal(soundfile.read("rec-denoised.wav")[0], parts[0])


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As many threads as a process of several has: sums are rounded in the order that threads make."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_folder_keeps_its_tree_and_goes_on_where_it_stopped(studio: Any, denoise: tuple[str, ...]) -> None:
    names = [str(Path("out") / name) for name in ("a.wav", "b.flac", "deep/c.wav")]
    assert studio.ok(*denoise, "tapes", "-o", "out").splitlines() == names
    once = studio.files()
    Path("out/b.flac").unlink()
    Path("tapes/bad.wav").write_text("hello")
    result = studio(*denoise, "tapes", "-o", "out", "-j", "2")
    assert (result.exit_code, result.stdout.splitlines()) == (1, names[1:2])
    assert result.stderr.splitlines() == [
        "3 of 4 are done already; -f makes them anew".replace("3 of 4", "2 of 4"),
        f"{Path('tapes/bad.wav')} is no sound file that can be read: Format not recognised",
        "musicae: 1 of 4 files could not be read and were left out",
    ]
    for name in names:
        assert studio.files()[name] == once[name]  # In a process of its own it is the same.


def test_what_is_not_for_several_files_or_for_pictures_is_one_line(
    studio: Any, denoise: tuple[str, ...], tiny_denoise: Path
) -> None:
    assert "are for one file" in studio.fails(*denoise, "tapes", "-o", "out", "--png")
    assert "must be different files" in studio.fails(*denoise, "rec.wav", "--keep-noise", "rec-denoised.wav")
    assert "must be different files" in studio.fails(*denoise, "rec.wav", "-f", "-o", "rec.wav")
    assert "sound is written as" in studio.fails(*denoise, "rec.wav", "-o", "x.txt")
    Pillow.new("L", (8, 8)).save("p.png")
    assert "are for sound" in studio.fails("denoise", "--preset", tiny_denoise, "p.png", "--strength", "0.5")
    for words in (("rec.wav",), ("rec.wav", "tapes/a.wav")):
        assert "is an input itself" in studio.fails(*denoise, *words, "-o", ".", "-f")
    assert "--raw is for" in studio.fails(*denoise, "rec.wav", "--raw", "8000:1:s16")
    assert "into stdout, alone" in studio.fails(*denoise, "-", "-o", "x.wav")
    assert "sound alone to stdout" in studio.fails(*denoise, "rec.wav", "-o", "-", "--json")
    assert "are for files" in studio.fails(*denoise, "-", "-o", "-", "--keep-noise", "noise.wav")
    assert "is an input itself" in studio.fails(*denoise, "tapes", "-o", "tapes")


def test_an_album_is_cleaned_each_file_by_the_preset_for_it(studio: Any, repository: Path) -> None:
    Path("album").mkdir()
    soundfile.write("album/song.wav", noisy(800), RATE)
    Pillow.new("L", (28, 28)).save("album/cover.png")
    shutil.copy(repository / "data" / "twinkle.mid", "album/tune.mid")
    found = json.loads(studio.ok("denoise", "album", "--json", "-o", "."))
    assert found["presets"] == {"cover.png": "photo-denoise", "song.wav": "denoise-speech"}
    assert soundfile.info("song.wav").frames == 800
    result = studio("denoise", "album", "--strength", "0.5")
    assert (result.exit_code, result.stdout.splitlines()) == (1, [str(Path("album-denoised/song.wav"))])
    assert "--strength is for sound; album" in result.stderr


@pytest.mark.usefixtures("one_thread")
def test_a_recording_goes_to_stdout_as_well(studio: Any, denoise: tuple[str, ...]) -> None:
    studio.ok(*denoise, "rec.wav")
    command = [sys.executable, "-m", "musicae", *denoise, "rec.wav", "-o", "-"]
    one = {**os.environ, "OMP_NUM_THREADS": "1"}
    made = subprocess.run(command, capture_output=True, check=True, env=one).stdout
    assert made == Path("rec-denoised.wav").read_bytes()


def test_what_came_of_a_pipe_that_ended_early_is_cleaned_to_its_end(studio: Any, denoise: tuple[str, ...]) -> None:
    soundfile.write("whole.wav", noisy(6000), RATE, "PCM_16")
    cut = Path("whole.wav").read_bytes()[:-4000]
    made = subprocess.run([sys.executable, "-m", "musicae", *denoise, "-", "-o", "-"], input=cut, capture_output=True)
    assert (made.returncode, made.stderr.count(b"\n")) == (1, 1)
    assert b"ended before the sound did" in made.stderr
    assert soundfile.read(io.BytesIO(made.stdout))[0].shape == (5000, 2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_stdout_is_one_line(studio: Any, denoise: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        for words in ((*denoise, "rec.wav", "-o", "-"), ("presets",)):
            command = [sys.executable, "-m", "musicae", *words]
            made = subprocess.run(command, stdout=full, stderr=subprocess.PIPE)
            assert (made.returncode, made.stderr.count(b"\n")) == (1, 1)
            assert b"stdout cannot be written: No space left" in made.stderr


def test_a_name_that_is_too_long_is_one_line(studio: Any, denoise: tuple[str, ...]) -> None:
    long = f"{'a' * 300}.wav"
    for words in ((*denoise, long), ("denoise", long), ("upscale", long), (*denoise, "rec.wav", "-o", long)):
        said = studio.fails(*words)
        assert long in said


def test_the_time_left_is_shown_and_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter((0.0, 10.0, 40.0))
    monkeypatch.setattr(results.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with results.time_left() as report:
        report(60.0, 240.0)
        report(239.0, 0.0)
    assert capsys.readouterr().err == "\r\x1b[K1:00 of 4:00, 0:30 left\r\x1b[K3:59\r\x1b[K"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_names_that_are_no_text_or_long_stop_nothing(studio: Any, denoise: tuple[str, ...]) -> None:
    Path("odd").mkdir()
    names = [os.fsdecode(b"a\xe9.wav"), "b" * 250 + ".wav", "c" * 240 + ".wav"]
    for name in names:
        soundfile.write(os.fsencode(f"odd/{name}"), noisy(800), RATE)
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    command = [sys.executable, "-m", "musicae", *denoise, "odd"]
    made = subprocess.run([*command, "-o", "out"], capture_output=True, check=True, env=strict)
    assert made.stdout == b"".join(os.fsencode(f"out/{name}\n") for name in names)
    made = subprocess.run([*command, "-o", "again", "--json"], capture_output=True, check=True, env=strict)
    assert json.loads(made.stdout)["paths"] == [f"again/{name}" for name in names]
    # Beside it, the name would be longer than a name may be: that file alone is left out.
    made = subprocess.run([*command[:-1], *(f"odd/{name}" for name in names)], capture_output=True, env=strict)
    assert (made.returncode, made.stdout.count(b"\n")) == (1, 2)
    assert b"File name too long" in made.stderr
    assert "File name too long" in studio.fails(*denoise, f"odd/{names[1]}")


@pytest.mark.parametrize("broken", ["", "RIFF", "nothing of the kind at all"])
def test_what_is_no_sound_on_stdin_is_one_line(studio: Any, denoise: tuple[str, ...], broken: str) -> None:
    result = studio(*denoise, "-", "-o", "-", input=broken)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1


def test_a_pipe_gives_what_a_file_gives(studio: Any, denoise: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "musicae", *denoise]
    studio.ok(*denoise, "rec.wav")
    made = subprocess.run([*command, "-", "-o", "-"], input=Path("rec.wav").read_bytes(), capture_output=True)
    assert (made.returncode, made.stderr) == (0, b"")
    piped = soundfile.read(io.BytesIO(made.stdout))[0]
    assert np.abs(piped - soundfile.read("rec-denoised.wav")[0]).max() < 1e-5
    raw = (noisy() * 32_768).astype("<i2").tobytes()
    bare = subprocess.run([*command, "-", "-o", "-", "--raw", f"{RATE}:2:s16"], input=raw, capture_output=True)
    assert len(bare.stdout) == len(raw)
    assert np.abs(np.frombuffer(bare.stdout, "<i2").reshape(-1, 2) / 32_768 - piped).max() < 1e-3


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_ctrl_c_ends_a_folder_in_several_processes_and_leaves_whole_files(
    studio: Any, denoise: tuple[str, ...]
) -> None:
    for i in range(12):
        soundfile.write(f"tapes/long{i}.wav", np.tile(noisy(400_000, 1, i), (5, 1)), RATE)
    command = [sys.executable, "-m", "musicae", *denoise, "tapes", "-o", "out", "-j", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stdout
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)  # As a terminal does: all of them get it.
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    made = [path for path in Path("out").rglob("*") if path.is_file()]
    assert 0 < len(made) < 15
    assert all(path.name in ("a.wav", "b.flac", "c.wav") or path.name.startswith("long") for path in made)
    assert all(soundfile.info(path).frames in (3000, 2_000_000) for path in made)


def test_a_loud_result_is_said(studio: Any, denoise: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    from musicae.models.dualpath import DualPath

    inside = DualPath.stream
    monkeypatch.setattr(
        DualPath, "stream", lambda self, x, state=None: (9 * (made := inside(self, x, state))[0], made[1])
    )
    for words in (("rec.wav",), ("rec.wav", "tapes/a.wav", "-o", "out")):
        result = studio(*denoise, *words)
        assert result.exit_code == 0
        assert "too loud for PCM_24 and were cut at full scale" in result.stderr


@pytest.mark.parametrize("rate", [4000, 11_025])
def test_upscale_doubles_the_rate_and_keeps_what_is_there(studio: Any, tiny_band: Path, rate: int) -> None:
    soundfile.write("low.flac", noisy(3001), rate, "PCM_24")
    result = studio("upscale", "--preset", tiny_band, "low.flac")
    assert (result.exit_code, result.stdout) == (0, "low-upscaled.flac\n")
    made = soundfile.info("low-upscaled.flac")
    assert (made.frames, made.samplerate, made.channels, made.subtype) == (6002, 2 * rate, 2, "PCM_24")
    said = f"the preset 'tiny-band' is for 4000 Hz, low.flac has {rate} Hz"
    assert (said in result.stderr) == (rate != 4000)
    was, now = soundfile.read("low.flac")[0], soundfile.read("low-upscaled.flac")[0]
    spectra = [np.abs(np.fft.rfft(x[:, 0], n=size)) for x, size in ((was, 3000), (now, 6000))]
    assert np.abs(spectra[1][160:166] / 2 - spectra[0][160:166]).max() < 0.05 * spectra[0].max()


def test_a_preset_does_what_it_was_trained_for(studio: Any, tiny_voice: Path, tiny_band: Path) -> None:
    assert "does not upscale" in studio.fails("upscale", "--preset", tiny_voice, "rec.wav")
    assert "takes no noise off" in studio.fails("denoise", "--preset", tiny_band, "rec.wav")
    assert "upscales by 2, not by 4" in studio.fails("upscale", "--preset", tiny_band, "rec.wav", "--scale", "4")


def test_the_preset_nearest_in_rate_is_chosen(studio: Any) -> None:
    from musicae import inputs

    for rate, name in ((8000, "upscale-audio-speech"), (22_050, "upscale-audio"), (16_000, "upscale-audio")):
        soundfile.write("x.wav", noisy(100), rate)
        assert inputs.upscaling_preset(Path("x.wav"), 2) == name


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_recording_of_a_folder_chooses_its_preset(studio: Any, jobs: str) -> None:
    soundfile.write("tapes/music.wav", noisy(200_000), 44_100)
    Path("tapes/bad.wav").write_text("no sound")
    result = studio("denoise", "tapes", "-o", "out", "-j", jobs, "--json", "-v")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert list(found["skipped"]) == ["tapes/bad.wav"]
    assert found["presets"] == {
        "out/a.wav": "denoise-speech", "out/b.flac": "denoise-speech", "out/deep/c.wav": "denoise-speech",
        "out/music.wav": "denoise",
    }  # fmt: skip
    assert result.stderr.count("cleaned by the preset 'denoise'") == 1
    soundfile.write("high.wav", noisy(200_000), 48_000)
    assert "cleaned by the preset 'denoise'" in studio("denoise", "high.wav", "-v").stderr


def test_sounds_are_interpolated_varied_and_made_up(studio: Any, tiny_drum: Path) -> None:
    for name, frequency in (("kick", 100), ("snare", 900), ("hat", 2500), ("tom", 300)):
        time = np.arange(2000) / 8000
        soundfile.write(f"{name}.wav", 0.5 * np.sin(2 * np.pi * frequency * time) * np.exp(-20 * time), 8000)
    words = ("--preset", str(tiny_drum))
    made = studio.ok("interpolate", "kick.wav", "snare.wav", *words, "--steps", "3", "--png").splitlines()
    assert made == ["kick-to-snare.wav", "kick-to-snare.png"]
    assert soundfile.info(made[0]).frames == 3 * 32 * 64
    assert len(studio.ok("interpolate", "kick.wav", "snare.wav", *words, "--steps", "3", "--split").splitlines()) == 3
    square = ("kick.wav", "snare.wav", "hat.wav", "tom.wav")
    assert studio.ok("interpolate", *square, *words, "--grid", "--steps", "2", "-o", "grid.wav") == "grid.wav"
    assert soundfile.info("grid.wav").frames == 4 * 32 * 64
    for verb in (("vary", "kick.wav"), ("reconstruct", "kick.wav"), ("sample",)):
        (path,) = studio.ok(*verb, *words, "-o", f"{verb[0]}.flac").splitlines()
        assert soundfile.info(path).frames == 32 * 64
