"""The command denoise: where results go, what is said of files that cannot be read, pipes and processes."""

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

from musicae.adapters.image import Image
from musicae.core import Sample
from musicae.errors import OutputError

RATE = 11_025  # Of what `Shell.record` writes.


def size(path: str | Path) -> tuple[int, int]:
    with Pillow.open(path) as image:
        return image.size


@pytest.fixture
def denoise(tiny_denoise: Path) -> tuple[str, ...]:
    return ("denoise", "--preset", str(tiny_denoise))


@pytest.fixture
def upscale(tiny_upscale: Path) -> tuple[str, ...]:
    return ("upscale", "--preset", str(tiny_upscale))


def convert(source: str, target: str) -> None:
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    with Pillow.open(source) as image:
        image.save(target)


@pytest.fixture
def album(gallery: Any) -> Any:
    """A folder `album` with pictures at two depths, and a text."""
    convert("scene.png", "album/scene.jpg")
    convert("three.png", "album/deep/three.png")
    (gallery.folder / "album" / "notes.txt").write_text("hello")
    return gallery


def test_the_result_is_of_the_kind_of_the_input(gallery: Any, denoise: tuple[str, ...]) -> None:
    convert("scene.png", "scene.jpg")
    before = gallery.files()
    assert gallery.ok(*denoise, "scene.jpg") == "scene-denoised.jpg"
    assert gallery.new(before) == ["scene-denoised.jpg"]
    with Pillow.open("scene-denoised.jpg") as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", size("scene.png"))
    assert "exists already; -f overwrites it" in gallery.fails(*denoise, "scene.jpg")
    assert gallery.ok(*denoise, "scene.jpg", "-o", "x.webp") == "x.webp"
    assert gallery("denoise", "scene.jpg", *denoise[1:], "-o", "-").stdout_bytes[:3] == b"\xff\xd8\xff"
    found = json.loads(gallery.ok(*denoise, "scene.jpg", "-f", "--json"))
    assert found["paths"] == ["scene-denoised.jpg"]
    assert "the preset undoes noise" in found["remarks"]


def test_a_folder_keeps_its_tree(album: Any, denoise: tuple[str, ...]) -> None:
    before = album.files()
    lines = album.ok(*denoise, "album", "-o", "out").splitlines()
    assert lines == [str(Path("out") / name) for name in ("deep/three.png", "scene.jpg")]
    assert album.new(before) == ["out", "out/deep", "out/deep/three.png", "out/scene.jpg"]
    assert album.ok(*denoise, "album").splitlines()[1] == str(Path("album-denoised/scene.jpg"))
    done = album(*denoise, "album", "-o", "out")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "2 of 2 are done already; -f restores them again\n"
    Path("out/scene.jpg").unlink()
    assert album.ok(*denoise, "album", "-o", "out") == str(Path("out/scene.jpg"))
    assert len(album.ok(*denoise, "album", "-o", "out", "-f").splitlines()) == 2


def test_an_output_inside_the_input_is_no_input(album: Any, denoise: tuple[str, ...]) -> None:
    for _ in range(2):
        assert len(album.ok(*denoise, "album", "-o", "album/out", "-f").splitlines()) == 2


def test_several_files_lie_beside_their_inputs_or_in_a_folder(gallery: Any, denoise: tuple[str, ...]) -> None:
    pair = ("three.png", "seven.png")
    assert gallery.ok(*denoise, *pair).splitlines() == ["three-denoised.png", "seven-denoised.png"]
    assert gallery.ok(*denoise, *pair, "-o", "d").splitlines() == [str(Path("d") / name) for name in pair]
    assert gallery.ok(*denoise, "scene.png", "-o", "d") == str(Path("d/scene.png"))
    assert "is a file; name a folder" in gallery.fails(*denoise, *pair, "-o", "scene.png")
    assert "writes one file to stdout" in gallery.fails(*denoise, *pair, "-o", "-")
    assert "would both be written to" in gallery.fails(*denoise, "three.png", "three.png", "-o", "e")


def test_an_unreadable_file_among_many_is_skipped_counted_and_named(album: Any, denoise: tuple[str, ...]) -> None:
    (album.folder / "album" / "bad.png").write_bytes(b"hello")
    (album.folder / "album" / "deep" / "empty.png").write_bytes(b"")
    result = album(*denoise, "album", "-o", "out")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    lines = result.stderr.splitlines()
    assert lines[0].startswith(f"{Path('album/bad.png')} is not a picture")
    assert lines[1].startswith(f"{Path('album/deep/empty.png')} is empty (0 bytes)")
    assert lines[2:] == ["musicae: 2 of 4 files could not be read and were left out"]
    result = album(*denoise, "album", "-o", "out", "-f", "--json")
    assert (result.exit_code, len(json.loads(result.stdout)["skipped"])) == (1, 2)


def test_a_disk_that_is_full_ends_it_with_one_line(
    album: Any, denoise: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Image, sample: Sample, path: Path) -> None:
        raise OutputError(f"{path} cannot be written: No space left on device")

    monkeypatch.setattr(Image, "write", full)
    line = album.fails(*denoise, "album", "-o", "out")
    assert line == f"{Path('out/deep/three.png')} cannot be written: No space left on device"
    assert album.fails(*denoise, "scene.png") == "scene-denoised.png cannot be written: No space left on device"


def test_outputs_are_checked_before_anything_is_computed(
    album: Any, denoise: tuple[str, ...], upscale: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(*args: Any, **settings: Any) -> None:
        raise AssertionError("it was computed before the output was checked")

    monkeypatch.setattr("musicae.ops.restore.restore", computed)
    for words in (denoise, upscale):
        assert "exists already" in album.fails(*words, "scene.png", "-o", "three.png")
        assert "makes ends in .png" in album.fails(*words, "scene.png", "-o", "x.txt")


# --- recordings ----------------------------------------------------------------------------------------------------


@pytest.fixture
def voice(tiny_voice: Path) -> tuple[str, ...]:
    return ("denoise", "--preset", str(tiny_voice))


def test_a_recording_keeps_its_length_rate_channels_and_kind(studio: Any, voice: tuple[str, ...]) -> None:
    before = studio.files()
    assert studio.ok(*voice, "rec.wav") == "rec-denoised.wav"
    assert studio.new(before) == ["rec-denoised.wav"]
    made = soundfile.info("rec-denoised.wav")
    assert (made.frames, made.samplerate, made.channels, made.subtype) == (12_000, RATE, 2, "PCM_24")
    assert studio.files()["rec.wav"] == before["rec.wav"]
    assert "exists already; -f overwrites it" in studio.fails(*voice, "rec.wav")
    assert studio.ok(*voice, "rec.wav", "-o", "x.flac") == "x.flac"
    assert soundfile.info("x.flac").subtype == "PCM_24"


def test_noise_and_picture_are_kept_where_asked_for(studio: Any, voice: tuple[str, ...]) -> None:
    words = (*voice, "rec.wav", "--keep-noise", "noise.wav", "--png", "--strength", "0.5")
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
    assert studio.ok(*voice, "rec.wav", "--strength", "0", "-f")
    assert np.array_equal(soundfile.read("rec-denoised.wav")[0], parts[0])


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As many threads as a process of several has: sums are rounded in the order that threads make."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_folder_keeps_its_tree_and_goes_on_where_it_stopped(studio: Any, voice: tuple[str, ...]) -> None:
    names = [str(Path("out") / name) for name in ("a.wav", "b.flac", "deep/c.wav")]
    assert studio.ok(*voice, "tapes", "-o", "out").splitlines() == names
    once = studio.files()
    Path("out/b.flac").unlink()
    Path("tapes/bad.wav").write_text("hello")
    result = studio(*voice, "tapes", "-o", "out", "-j", "2")
    assert (result.exit_code, result.stdout.splitlines()) == (1, names[1:2])
    assert result.stderr.splitlines() == [
        "3 of 4 are done already; -f restores them again".replace("3 of 4", "2 of 4"),
        f"{Path('tapes/bad.wav')} is not a sound file that can be read: Format not recognised",
        "musicae: 1 of 4 files could not be read and were left out",
    ]
    for name in names:
        assert studio.files()[name] == once[name]  # In a process of its own it is the same.


def test_what_is_not_for_several_files_or_for_pictures_is_one_line(
    studio: Any, voice: tuple[str, ...], tiny_denoise: Path
) -> None:
    assert "are for one file" in studio.fails(*voice, "tapes", "-o", "out", "--png")
    assert "must be different files" in studio.fails(*voice, "rec.wav", "--keep-noise", "rec-denoised.wav")
    assert "must be different files" in studio.fails(*voice, "rec.wav", "-f", "-o", "rec.wav")
    (studio.folder / "hard.wav").hardlink_to(studio.folder / "rec.wav")
    assert "must be different files" in studio.fails(*voice, "rec.wav", "-f", "-o", "hard.wav")
    (studio.folder / "hard.wav").unlink()
    assert "makes ends in .wav; name a file that does" in studio.fails(*voice, "rec.wav", "-o", "x.txt")
    Pillow.new("L", (8, 8)).save("p.png")
    line = studio.fails("denoise", "--preset", tiny_denoise, "p.png", "--strength", "0.5")
    assert line == "--strength is for sound; p.png is none"
    for words in (("rec.wav",), ("rec.wav", "tapes/a.wav")):
        assert "is an input itself" in studio.fails(*voice, *words, "-o", ".", "-f")
    assert "--raw is for" in studio.fails(*voice, "rec.wav", "--raw", "8000:1:s16")
    assert "stdin goes to stdout, alone" in studio.fails(*voice, "-", "-o", "x.wav")
    assert "result alone to stdout" in studio.fails(*voice, "rec.wav", "-o", "-", "--json")
    assert "are for files" in studio.fails(*voice, "-", "-o", "-", "--keep-noise", "noise.wav")
    assert "is an input itself" in studio.fails(*voice, "tapes", "-o", "tapes")


def test_an_album_is_cleaned_each_file_by_the_preset_for_it(studio: Any, repository: Path) -> None:
    Path("album").mkdir()
    studio.record("album/song.wav", 800)
    Pillow.new("L", (28, 28)).save("album/cover.png")
    shutil.copy(repository / "data" / "twinkle.mid", "album/tune.mid")
    found = json.loads(studio.ok("denoise", "album", "--json", "-o", "."))
    assert found["presets"] == {"cover.png": "photo-denoise", "song.wav": "denoise-speech"}
    assert soundfile.info("song.wav").frames == 800
    result = studio("denoise", "album", "--strength", "0.5")
    assert (result.exit_code, result.stdout.splitlines()) == (1, [str(Path("album-denoised/song.wav"))])
    assert "--strength is for sound; album" in result.stderr


@pytest.mark.usefixtures("one_thread")
def test_a_recording_goes_to_stdout_as_well(studio: Any, voice: tuple[str, ...]) -> None:
    studio.ok(*voice, "rec.wav")
    command = [sys.executable, "-m", "musicae", *voice, "rec.wav", "-o", "-"]
    one = {**os.environ, "OMP_NUM_THREADS": "1"}
    made = subprocess.run(command, capture_output=True, check=True, env=one).stdout
    assert made == Path("rec-denoised.wav").read_bytes()


def test_what_came_of_a_pipe_that_ended_early_is_cleaned_to_its_end(studio: Any, voice: tuple[str, ...]) -> None:
    studio.record("whole.wav", 6000, subtype="PCM_16")
    cut = Path("whole.wav").read_bytes()[:-4000]
    made = subprocess.run([sys.executable, "-m", "musicae", *voice, "-", "-o", "-"], input=cut, capture_output=True)
    assert (made.returncode, made.stderr.count(b"\n")) == (1, 1)
    assert b"ended before the sound did" in made.stderr
    assert soundfile.read(io.BytesIO(made.stdout))[0].shape == (5000, 2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_stdout_is_one_line(studio: Any, voice: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        for words in ((*voice, "rec.wav", "-o", "-"), ("presets",)):
            command = [sys.executable, "-m", "musicae", *words]
            made = subprocess.run(command, stdout=full, stderr=subprocess.PIPE)
            assert (made.returncode, made.stderr.count(b"\n")) == (1, 1)
            assert b"stdout cannot be written: No space left" in made.stderr


def test_a_name_that_is_too_long_is_one_line(studio: Any, voice: tuple[str, ...]) -> None:
    long = f"{'a' * 300}.wav"
    for words in ((*voice, long), ("denoise", long), ("upscale", long), (*voice, "rec.wav", "-o", long)):
        said = studio.fails(*words)
        assert long in said


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_names_that_are_no_text_or_long_stop_nothing(studio: Any, voice: tuple[str, ...]) -> None:
    Path("odd").mkdir()
    names = [os.fsdecode(b"a\xe9.wav"), "b" * 250 + ".wav", "c" * 240 + ".wav"]
    for name in names:
        studio.record(f"odd/{name}", 800)
    strict = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    command = [sys.executable, "-m", "musicae", *voice, "odd"]
    made = subprocess.run([*command, "-o", "out"], capture_output=True, check=True, env=strict)
    assert made.stdout == b"".join(os.fsencode(f"out/{name}\n") for name in names)
    made = subprocess.run([*command, "-o", "again", "--json"], capture_output=True, check=True, env=strict)
    assert json.loads(made.stdout)["paths"] == [f"again/{name}" for name in names]
    # Beside it, the name would be longer than a name may be: that file alone is left out.
    made = subprocess.run([*command[:-1], *(f"odd/{name}" for name in names)], capture_output=True, env=strict)
    assert (made.returncode, made.stdout.count(b"\n")) == (1, 2)
    assert b"File name too long" in made.stderr
    assert "File name too long" in studio.fails(*voice, f"odd/{names[1]}")


@pytest.mark.parametrize("broken", ["", "RIFF", "nothing of the kind at all"])
def test_what_is_no_sound_on_stdin_is_one_line(studio: Any, voice: tuple[str, ...], broken: str) -> None:
    result = studio(*voice, "-", "-o", "-", input=broken)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1


def test_a_pipe_gives_what_a_file_gives(studio: Any, voice: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "musicae", *voice]
    studio.ok(*voice, "rec.wav")
    made = subprocess.run([*command, "-", "-o", "-"], input=Path("rec.wav").read_bytes(), capture_output=True)
    assert (made.returncode, made.stderr) == (0, b"")
    piped = soundfile.read(io.BytesIO(made.stdout))[0]
    assert np.abs(piped - soundfile.read("rec-denoised.wav")[0]).max() < 1e-5
    raw = soundfile.read("rec.wav", dtype="int16")[0].astype("<i2").tobytes()
    bare = subprocess.run([*command, "-", "-o", "-", "--raw", f"{RATE}:2:s16"], input=raw, capture_output=True)
    assert len(bare.stdout) == len(raw)
    assert np.abs(np.frombuffer(bare.stdout, "<i2").reshape(-1, 2) / 32_768 - piped).max() < 1e-3


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_ctrl_c_ends_a_folder_in_several_processes_and_leaves_whole_files(studio: Any, voice: tuple[str, ...]) -> None:
    for i in range(12):
        studio.record(f"tapes/long{i}.wav", 2_000_000, 1, i)
    command = [sys.executable, "-m", "musicae", *voice, "tapes", "-o", "out", "-j", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stdout
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)  # As a terminal does: all of them get it.
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    made = [path for path in Path("out").rglob("*") if path.is_file()]
    assert 0 < len(made) < 15
    foreign = [path.name for path in made if path.name not in ("a.wav", "b.flac", "c.wav") and path.name[:4] != "long"]
    assert foreign == []
    assert all(soundfile.info(path).frames in (3000, 2_000_000) for path in made)


def test_a_loud_result_is_said(studio: Any, voice: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    from musicae.models.dual_path import DualPath

    inside = DualPath.stream
    monkeypatch.setattr(DualPath, "stream", lambda self, x, state: (9 * (made := inside(self, x, state))[0], made[1]))
    for words in (("rec.wav",), ("rec.wav", "tapes/a.wav", "-o", "out")):
        result = studio(*voice, *words)
        assert result.exit_code == 0
        assert "too loud for PCM_24 and were clipped" in result.stderr


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_recording_of_a_folder_chooses_its_preset(studio: Any, jobs: str) -> None:
    studio.record("tapes/music.wav", 200_000, rate=44_100)
    Path("tapes/bad.wav").write_text("no sound")
    result = studio("denoise", "tapes", "-o", "out", "-j", jobs, "--json", "-v")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert list(found["skipped"]) == ["tapes/bad.wav"]
    assert found["presets"] == {
        "out/a.wav": "denoise-speech", "out/b.flac": "denoise-speech", "out/deep/c.wav": "denoise-speech",
        "out/music.wav": "denoise",
    }  # fmt: skip
    assert result.stderr.count("denoised by the preset 'denoise'") == 1
    studio.record("high.wav", 200_000, rate=48_000)
    assert "denoised by the preset 'denoise'" in studio("denoise", "high.wav", "-v").stderr


def test_a_file_on_stdin_is_a_pipe_too(studio: Any, voice: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "musicae", *voice, "-", "-o", "-"]
    piped = subprocess.run(command, input=Path("rec.wav").read_bytes(), capture_output=True, check=True)
    with Path("rec.wav").open("rb") as file:  # It could seek, and say how long it is.
        redirected = subprocess.run(command, stdin=file, capture_output=True, check=True)
    assert redirected.stdout == piped.stdout
    nothing = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    assert nothing.returncode == 1
    assert b"there was no sound on stdin" in nothing.stderr
