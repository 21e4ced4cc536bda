"""Did a change of the code change what the commands make? Record the outputs of every verb, and compare two records.

    python tests/bench/compare_outputs.py record before --python "/old/bin/python -m musicae"
    python tests/bench/compare_outputs.py record after
    python tests/bench/compare_outputs.py compare before after

A record has a folder for each case: the files that the commands wrote, what they printed, and their exit codes. The
inputs are the files in data/, and sounds and pictures that are synthesised here. Everything runs on one thread, so the
same arithmetic gives the same bits. `compare` says for each case whether its files are the same to the byte, measures
what differs, and exits with 1 if anything does.
"""

from __future__ import annotations

import argparse
import fnmatch
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import mido
import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image, ImageSequence

Audio = NDArray[np.float64]

DATA = Path(__file__).resolve().parents[2] / "data"
RENAMED = {"mnist-vq": "mnist-fsq"}  # The old name of a preset, and the new one that records use.
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")
PICTURES = (".png", ".jpg", ".gif", ".tif", ".webp")
MELODIES = "twinkle.mid ode-to-joy.mid"
DIGITS = ("mnist-aae", "mnist-ae", "mnist-fsq", "mnist-sparse", "mnist-vae", "mnist-vae-2d")

# Commands that are separated by ; run one after another in one folder.
CASES = {
    "interpolate-melody": f"interpolate {MELODIES} -v",
    "interpolate-json": f"interpolate {MELODIES} --steps 5 --json",
    "interpolate-png": f"interpolate {MELODIES} --steps 5 --png -o out.mid -v",
    "interpolate-split": f"interpolate {MELODIES} --steps 4 --split -o parts",
    "interpolate-exact-endpoints": f"interpolate {MELODIES} --steps 4 --exact-endpoints",
    "interpolate-uneven": f"interpolate {MELODIES} --steps 6 --uneven",
    "interpolate-lerp": f"interpolate {MELODIES} --steps 6 --uneven --lerp",
    "interpolate-temperature": f"interpolate {MELODIES} --steps 4 --temperature 1 --seed 3",
    "interpolate-bars": f"interpolate {MELODIES} --steps 4 --bars 3-6 -v",
    "interpolate-sound": "interpolate twinkle.mid twinkle.mid --steps 2 --bars 1-2 --wav -o out.mid -v",
    "interpolate-loop": "interpolate greensleeves.mid twinkle.mid --steps 3 --align loop -v",
    "interpolate-pad": "interpolate greensleeves.mid twinkle.mid --steps 3 --align pad -v",
    "interpolate-trim": "interpolate greensleeves.mid twinkle.mid --steps 3 --align trim -v",
    "interpolate-grid": f"interpolate {MELODIES} greensleeves.mid band.mid --grid --steps 3 --png -v",
    "interpolate-track": "interpolate band.mid band.mid --track Lead --steps 2 -v",
    "interpolate-pipe": f"interpolate {MELODIES} --steps 3 -o -",
    "interpolate-drums": "interpolate rock.mid bossa.mid --steps 5 --png -v",
    "interpolate-digits": "interpolate three.png seven.png -v --json",
    "interpolate-digits-grid": "interpolate three.png seven.png noisy3.png seven.png --grid --steps 4",
    "interpolate-digits-gif": "interpolate three.png seven.png --steps 6 -o x.gif",
    "interpolate-digits-split": "interpolate three.png seven.png --steps 3 --split --exact-endpoints",
    "interpolate-digits-pad": "interpolate three.png scene.png --steps 3 --fit pad -v",
    "interpolate-hits": "interpolate kick.wav snare.wav --steps 4 --png -v",
    "interpolate-hits-split": "interpolate kick.wav snare.wav --steps 3 --split --exact-endpoints",
    "interpolate-recordings": "interpolate chords.wav voice.wav --steps 3 -v --png",
    "reconstruct-melody": "reconstruct twinkle.mid --json",
    "reconstruct-melody-png": "reconstruct greensleeves.mid --png -v",
    "reconstruct-band": "reconstruct band.mid -v",
    "reconstruct-band-track": "reconstruct band.mid --track 1 --bars 2-4 -v",
    "reconstruct-drums": "reconstruct bossa.mid --png --json",
    "reconstruct-drums-of-band": "reconstruct band.mid --preset drums-2bar -v",
    "reconstruct-scene": "reconstruct scene.png --fit scale -v",
    "reconstruct-label": "reconstruct three.png --preset mnist-cvae --label 3 --json",
    "reconstruct-hit": "reconstruct snare.wav --png -v",
    "reconstruct-recording": "reconstruct music.wav -v --json",
    "vary-melody": "vary twinkle.mid -n 3 --seed 2",
    "vary-melody-far": "vary twinkle.mid --similarity 0.2 -n 2 --split -o varied --json",
    "vary-drums": "vary rock.mid -n 2 --similarity 0.5 -v",
    "vary-digit": "vary three.png -n 4",
    "vary-label": "vary seven.png --preset mnist-cvae --label 7 -n 3 --seed 5",
    "vary-hit": "vary kick.wav -n 2 --seed 1",
    "vary-recording": "vary voice.wav --similarity 0.9",
    "codes-melody": "encode twinkle.mid; decode twinkle.npz --png --json",
    "codes-several": "encode twinkle.mid greensleeves.mid -o codes.npz; decode codes.npz --temperature 1 --seed 4",
    "codes-drums": "encode bossa.mid -o c.npz; decode c.npz -o d.mid",
    "codes-digits": "encode digits -o c.npz; decode c.npz",
    "codes-hit": "encode kick.wav; decode kick.npz",
    "codes-recording": "encode chords.wav --preset sound; decode chords.npz",
    "denoise-scene": "denoise noisy-scene.png -v",
    "denoise-scene-json": "denoise noisy-scene.png --json",
    "denoise-scene-pipe": "denoise noisy-scene.png -o -",
    "denoise-scene-with-digits": "denoise noisy-scene.png --preset mnist-denoise -v",
    "denoise-kinds": "denoise grey16.png; denoise clear.png -v; denoise p.jpg; denoise p.tif; denoise p.webp",
    "denoise-digit": "denoise noisy3.png --preset mnist-denoise -v",
    "denoise-digit-shifted": "denoise noisy3.png --preset mnist-denoise-shifted -v",
    "denoise-music": "denoise music.wav -v --json",
    "denoise-music-noise": "denoise music.wav --strength 0.6 --keep-noise taken.wav --png",
    "denoise-music-with-speech": "denoise music.wav --preset denoise-speech -v",
    "denoise-voice": "denoise voice.wav -v",
    "denoise-voice-with-music": "denoise voice.wav --preset denoise -o v.wav -v",
    "denoise-voice-noise": "denoise voice.wav --strength 0.5 --keep-noise taken.wav --png p.png",
    "denoise-voice-strength-0": "denoise voice.wav --strength 0",
    "denoise-voice-wide": "denoise voice44.wav -v",
    "denoise-narrow": "denoise voice8.wav -v",
    "denoise-kinds-of-sound": "denoise voice.flac -v; denoise deep.wav -v; denoise float.wav -v; denoise music.ogg -v",
    "denoise-other-kind": "denoise voice.wav -o v.flac; denoise voice.flac -o v.wav",
    "denoise-stdout": "denoise voice.wav -o -",
    "denoise-pipe-wav": "denoise - -o - -v < music.wav",
    "denoise-pipe-voice": "denoise - -o - --strength 0.7 < voice.wav",
    "denoise-pipe-raw": "denoise - -o - --raw 44100:2:s16 < music.s16",
    "denoise-pipe-raw-preset": "denoise - -o - --raw 16000:1:f32 --preset denoise-speech < voice.f32",
    "denoise-folder": "denoise tapes -v; denoise tapes -v",
    "denoise-folder-jobs": "denoise tapes -o cleaned -j 2 --json",
    "denoise-broken": "denoise voice.wav broken.wav -o cleaned",
    "upscale-x2": "upscale scene.png -v",
    "upscale-x4": "upscale scene.png --scale 4 --json",
    "upscale-kinds": "upscale grey16.png -v; upscale clear.png -v; upscale p.jpg",
    "upscale-digit": "upscale three.png --preset mnist-upscale -v",
    "upscale-8k": "upscale voice8.wav -v",
    "upscale-22k": "upscale music22.wav -v --json",
    "upscale-other-kind": "upscale voice8.wav -o v.flac",
    "refused-suffix": "interpolate twinkle.mid README.md",
    "refused-kind": "interpolate three.png twinkle.mid",
    "refused-missing": "vary none.mid",
    "refused-steps": f"interpolate {MELODIES} --steps 1",
    "refused-existing": f"interpolate {MELODIES} -o twinkle.mid",
    "refused-preset": "reconstruct twinkle.mid --preset melody-2bra",
    "refused-label": "sample mnist-cvae --label 12",
    "refused-option": "denoise noisy-scene.png --strength 0.5",
    "refused-scale": "upscale scene.png --scale 3",
    "sample-default": "sample --json",
    "sample-split": "sample drums-2bar -n 3 --split --temperature 0.6 --png",
    "sample-label": "sample mnist-cvae -n 3 --label 7 --seed 2",
}
CASES |= {f"interpolate-{name}": f"interpolate three.png seven.png --steps 5 --preset {name}" for name in DIGITS}
CASES |= {f"reconstruct-{name}": f"reconstruct three.png --json --preset {name}" for name in DIGITS}
CASES |= {f"codes-{name}": f"encode three.png --preset {name}; decode three.npz" for name in DIGITS}


# --- inputs -----------------------------------------------------------------------------------------------------------


def tones(rate: int, seconds: float, *pitches: float) -> Audio:
    """Return ``(frames,)`` of notes at `pitches` in Hz, one after another, each with five partials that fade."""
    length = round(rate * seconds / len(pitches))
    t = np.arange(length) / rate
    notes = [sum(np.sin(2 * np.pi * pitch * k * t) / k**1.5 for k in range(1, 6)) for pitch in pitches]
    return np.concatenate([0.2 * note * np.exp(-2 * t) * np.minimum(1, 200 * t) for note in notes])


def speech(rate: int, seconds: float, rng: np.random.Generator) -> Audio:
    """Return ``(frames,)`` like speech: pulses of a gliding pitch through two formants, in syllables with pauses."""
    t = np.arange(round(rate * seconds)) / rate
    phase = np.cumsum(110 + 25 * np.sin(2 * np.pi * 0.7 * t) + 8 * np.sin(2 * np.pi * 3 * t)) / rate
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.02 * rng.standard_normal(len(t))
    out = np.zeros(len(t))
    for first, second, syllable in ((700, 1200, 0), (300, 2300, 1), (450, 900, 2)):
        ring = np.arange(round(0.03 * rate)) / rate
        formants = sum((np.sin(2 * np.pi * hertz * ring) for hertz in (first, second, 2700)), np.zeros(len(ring)))
        voiced = pulses * ((4 * t % 3).astype(int) == syllable)
        out += np.convolve(voiced, np.exp(-90 * ring) * formants)[: len(t)]
    out *= np.maximum(0, np.sin(2 * np.pi * 2 * t)) ** 0.5 * (t % 1.6 < 1.3)
    return np.asarray(0.3 * out / np.abs(out).max())


def hit(rate: int, seconds: float, pitch: float, noise: float, rng: np.random.Generator) -> Audio:
    """Return ``(frames,)`` like a drum: a tone that falls to `pitch` in Hz, and a share of noise."""
    t = np.arange(round(rate * seconds)) / rate
    tone = np.sin(2 * np.pi * (pitch * t + 4 * (1 - np.exp(-30 * t))))
    rattle = rng.standard_normal(len(t)) * np.exp(-18 * t) / 3
    return np.asarray(0.7 * ((1 - noise) * tone * np.exp(-9 * t) + noise * rattle))


def make_inputs(folder: Path) -> None:
    """Copy the files of data/ into `folder`, and write sounds and pictures beside them, always the same."""
    for path in DATA.iterdir():
        shutil.copy(path, folder)
    rng = np.random.default_rng(7)
    left, right = tones(44_100, 3, 220, 330, 277, 440, 165, 247), tones(44_100, 3, 110, 165, 139, 110)
    music = np.stack([left, 0.5 * left + right], 1)
    noisy = music + 0.01 * rng.standard_normal(music.shape)
    voice = speech(16_000, 3, rng)
    wide = speech(44_100, 3, rng)
    deep = tones(48_000, 2, 196, 294, 392)
    sounds = {
        "music.wav": (noisy, 44_100, "PCM_16"),
        "music.ogg": (noisy[:44_100], 44_100, "VORBIS"),
        "music22.wav": (left[::2], 22_050, "PCM_16"),
        "chords.wav": (tones(16_000, 2.5, 262, 330, 392) + tones(16_000, 2.5, 131, 196, 165), 16_000, "PCM_16"),
        "voice.wav": (voice + 0.01 * rng.standard_normal(len(voice)), 16_000, "PCM_16"),
        "voice.flac": (voice[:24_000] + 0.02 * rng.standard_normal(24_000), 16_000, "PCM_16"),
        "voice44.wav": (wide + 0.01 * rng.standard_normal(len(wide)), 44_100, "PCM_16"),
        "voice8.wav": (speech(8000, 3, rng), 8000, "PCM_16"),
        "deep.wav": (deep + 0.005 * rng.standard_normal(len(deep)), 48_000, "PCM_24"),
        "float.wav": (1.5 * music[:44_100, :1] + 0.01 * rng.standard_normal((44_100, 1)), 44_100, "FLOAT"),
        "kick.wav": (hit(44_100, 0.5, 50, 0.05, rng), 44_100, "PCM_16"),
        "snare.wav": (hit(44_100, 0.4, 185, 0.7, rng), 44_100, "PCM_16"),
        "tapes/a.wav": (noisy[:44_100, 0], 44_100, "PCM_16"),
        "tapes/deep/b.flac": (voice[:16_000] + 0.02 * rng.standard_normal(16_000), 16_000, "PCM_16"),
    }
    for name, (samples, rate, subtype) in sounds.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, samples, rate, subtype)
    (folder / "music.s16").write_bytes((noisy * 32_767).astype("<i2").tobytes())
    (folder / "voice.f32").write_bytes(voice.astype("<f4").tobytes())
    (folder / "broken.wav").write_bytes(b"RIFF and nothing else")
    _make_pictures(folder, rng)


def _make_pictures(folder: Path, rng: np.random.Generator) -> None:
    with Image.open(folder / "noisy-scene.png") as opened:
        scene = opened.crop((30, 30, 110, 90)).copy()
    grey = np.asarray(scene.convert("L")).astype(np.uint16)
    Image.fromarray(grey * 257).save(folder / "grey16.png")
    clear = scene.convert("RGBA")
    clear.putalpha(Image.fromarray((255 - grey // 2).astype(np.uint8)))
    clear.save(folder / "clear.png")
    scene.save(folder / "p.jpg", quality=90, dpi=(144, 144))
    scene.save(folder / "p.tif")
    scene.save(folder / "p.webp", lossless=True)
    with Image.open(folder / "three.png") as opened:
        three = np.asarray(opened) + rng.normal(0, 127, (28, 28))
    Image.fromarray(np.clip(three, 0, 255).astype(np.uint8)).save(folder / "noisy3.png")
    (folder / "digits").mkdir()
    for name in ("three.png", "seven.png", "noisy3.png"):
        shutil.copy(folder / name, folder / "digits")
    shutil.copy(folder / "noisy-scene.png", folder / "tapes")


# --- record -----------------------------------------------------------------------------------------------------------


@dataclass
class Recorder:
    """Runs commands of musicae, each case in a folder of its own.

    Parameters
    ----------
    command : the words that start musicae.
    inputs : a folder with what `make_inputs` writes.
    environment : of the commands.
    presets : the names of the trained presets that this musicae has.
    """

    command: list[str]
    inputs: Path
    environment: dict[str, str]
    presets: set[str] = field(default_factory=set)

    def run(self, words: list[str], folder: Path, stdin: Path | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run one command in `folder`."""
        given = stdin.read_bytes() if stdin else b""
        return subprocess.run(
            [*self.command, *words], cwd=folder, input=given, capture_output=True, env=self.environment, check=False
        )

    def record(self, commands: str, out: Path) -> list[int]:
        """Run the commands of a case, and put into `out` what they printed and wrote. Return their exit codes."""
        codes = []
        with tempfile.TemporaryDirectory(prefix="compare-") as name:
            folder = Path(name) / "work"
            shutil.copytree(self.inputs, folder)
            before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            for number, text in enumerate(commands.split(";"), start=1):
                line, _, stdin = text.partition(" < ")
                done = self.run(self._named(shlex.split(line)), folder, folder / stdin.strip() if stdin else None)
                codes.append(done.returncode)
                kind = ".txt" if _is_text(done.stdout) else ".wav" if done.stdout[:4] == b"RIFF" else _kind_of(line)
                (out / f"stdout-{number}{kind}").write_bytes(_normal(done.stdout, name))
                (out / f"stderr-{number}.txt").write_bytes(_normal(done.stderr, name))
            for path in sorted(folder.rglob("*")):
                if path.is_file() and before.get(path) != path.read_bytes():
                    place = out / "files" / _normal(path.relative_to(folder).as_posix().encode(), name).decode()
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, place)
        (out / "exit.txt").write_text(f"{' '.join(map(str, codes))}\n")
        return codes

    def _named(self, words: list[str]) -> list[str]:
        """Return `words` with the names that presets have in this musicae."""
        olds = {new: old for old, new in RENAMED.items() if new not in self.presets and old in self.presets}
        return [olds.get(word, word) for word in words]


def _kind_of(line: str) -> str:
    """Return the suffix of what is written to stdout by a command whose output is no text."""
    return {"s16": ".s16", "f32": ".f32", "png": ".png", "mid": ".mid"}.get(
        next((kind for kind in ("s16", "f32", "png", "mid") if kind in line), ""), ".bin"
    )


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _normal(content: bytes, temporary: str) -> bytes:
    """Return text without what is another at each run: temporary folders, and old names of presets."""
    if not _is_text(content):
        return content
    text = content.decode().replace(temporary, "TEMPORARY")
    text = re.sub(r"\.?musicae-[a-z0-9_]{8}\b", "musicae-TEMPORARY", text)
    for old, new in RENAMED.items():
        text = text.replace(old, new)
    return text.encode()


def record(target: Path, command: str, only: str) -> None:
    """Run all cases whose names fit the pattern `only`, into a folder each in `target`."""
    first, *rest = shlex.split(command)
    starter = str(Path(first).absolute()) if Path(first).parent != Path() else first  # Commands run in other folders.
    one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    environment = {**os.environ, **one_thread, "CUDA_VISIBLE_DEVICES": "", "COLUMNS": "100", "PYTHONHASHSEED": "0"}
    target.mkdir(parents=True, exist_ok=True)
    inputs = target / "inputs"
    shutil.rmtree(inputs, ignore_errors=True)
    inputs.mkdir()
    make_inputs(inputs)
    recorder = Recorder([starter, *rest], inputs, environment)
    listed = recorder.run(["presets", "--json"], target)
    if listed.returncode:
        sys.exit(f"{command} does not run: {listed.stderr.decode(errors='replace').strip()}")
    recorder.presets = {row["name"] for row in json.loads(listed.stdout) if row["trained"]}
    cases = dict(CASES)
    for name in sorted(RENAMED.get(name, name) for name in recorder.presets):
        cases[f"sample-{name}"] = f"sample {name} -n 2 --seed 5 -v"  # Of those without a code: that it is refused.
    for case, commands in cases.items():
        if fnmatch.fnmatch(case, only):
            started = time.perf_counter()
            codes = recorder.record(commands, target / "cases" / case)
            spent = time.perf_counter() - started
            sys.stderr.write(f"{case}: exit {' '.join(map(str, codes))}, {spent:.1f} s\n")


# --- compare ----------------------------------------------------------------------------------------------------------


def compare(before: Path, after: Path, files_only: bool) -> int:
    """Report on each case of two records; return how many differ.

    With `files_only` what was printed to stderr or as text to stdout is left out. A case that only `after` has, such as
    that of a new preset, is named but does not count.
    """
    for line in _differences(before / "inputs", after / "inputs", files_only):
        sys.stdout.write(f"inputs: {line}\n")
    names = sorted({path.name for root in (before, after) for path in (root / "cases").iterdir()})
    differing = 0
    for name in names:
        one, other = before / "cases" / name, after / "cases" / name
        if not one.is_dir():
            sys.stdout.write(f"{name}: only in {after}\n")
            continue
        lines = list(_differences(one, other, files_only)) if other.is_dir() else [f"only in {before}"]
        differing += any(not line.startswith("(") for line in lines)
        sys.stdout.write("".join(f"{name}: {line}\n" for line in lines or ["identical"]))
    sys.stdout.write(f"{len(names)} cases, {differing} differ\n")
    return differing


def _differences(one: Path, other: Path, files_only: bool) -> Iterator[str]:
    """Give a line for each file that is not the same to the byte; in brackets if its content is the same."""
    names = sorted({path.relative_to(root) for root in (one, other) for path in root.rglob("*") if path.is_file()})
    for name in names:
        a, b = one / name, other / name
        if files_only and name.suffix == ".txt" and name.name.startswith("std"):
            continue
        if not a.is_file() or not b.is_file():
            yield f"{name} only in {one if a.is_file() else other}"
        elif a.read_bytes() != b.read_bytes():
            same, how = measure(a, b)
            yield f"({name}: {how})" if same else f"{name} differs: {how}"


def measure(a: Path, b: Path) -> tuple[bool, str]:
    """Return whether two files hold the same all the same, and how they differ.

    Sound files may: their writer puts the time, or a random number, into the headers of some kinds.
    """
    try:
        if a.suffix in (*SOUNDS, ".s16", ".f32"):
            return _sounds(a, b)
        if a.suffix == ".mid":
            return False, _music(a, b)
        if a.suffix in PICTURES:
            return False, _pictures(a, b)
        if a.suffix == ".npz":
            return _arrays(a, b)
        return False, _texts(a.read_text(), b.read_text())
    except (OSError, ValueError, EOFError, soundfile.LibsndfileError) as error:
        return False, f"{a.stat().st_size} and {b.stat().st_size} bytes that cannot be compared ({error})"


def _sounds(a: Path, b: Path) -> tuple[bool, str]:
    (kind, x), (other, y) = _sound(a), _sound(b)
    if kind != other or x.shape != y.shape:
        return False, f"{kind} {x.shape} became {other} {y.shape}"
    error = y - x
    if not error.any():
        return True, "the same samples, another header"
    # Roux et al., SDR - half-baked or well done?, ICASSP 2019.
    scale = (x * y).sum() / max((x * x).sum(), 1e-12)
    ratio = ((scale * x) ** 2).sum() / max(((y - scale * x) ** 2).sum(), 1e-24)
    return False, f"SI-SDR {10 * np.log10(max(ratio, 1e-12)):.1f} dB, by up to {np.abs(error).max():.3g}"


def _sound(path: Path) -> tuple[str, Audio]:
    if path.suffix in (".s16", ".f32"):
        raw = np.frombuffer(path.read_bytes(), "<i2" if path.suffix == ".s16" else "<f4")
        return "raw", raw / (32_768.0 if path.suffix == ".s16" else 1.0)
    with soundfile.SoundFile(io.BytesIO(path.read_bytes())) as file:
        return f"{file.format} {file.subtype} {file.samplerate} Hz", file.read(always_2d=True)


def _music(a: Path, b: Path) -> str:
    (notes, others), (new_notes, new_others) = _midi(a), _midi(b)
    lost, found = (sum(x.values()) for x in (notes - new_notes, new_notes - notes))
    rest = sum(((others - new_others) + (new_others - others)).values())
    return f"{max(lost, found)} of {sum(notes.values())} notes changed, {rest} other messages"


def _midi(path: Path) -> tuple[Counter[Any], Counter[Any]]:
    """Return the notes ``(track, channel, pitch, velocity, start, end)`` in quarters, and all other messages."""
    file = mido.MidiFile(str(path))
    notes: Counter[Any] = Counter()
    others: Counter[Any] = Counter()
    for number, track in enumerate(file.tracks):
        now, sounding = 0, {}
        for message in track:
            now += message.time
            at = Fraction(now, file.ticks_per_beat)
            if message.type not in ("note_on", "note_off"):
                others[number, at, str(message.copy(time=0))] += 1
            elif message.type == "note_on" and message.velocity:
                sounding[message.channel, message.note] = (at, message.velocity)
            elif begun := sounding.pop((message.channel, message.note), None):
                notes[number, message.channel, message.note, begun[1], begun[0], at] += 1
    return notes, others


def _pictures(a: Path, b: Path) -> str:
    kinds, frames = [], []
    for path in (a, b):
        with Image.open(path) as picture:
            kinds.append(f"{picture.mode} {picture.size[0]}x{picture.size[1]}")
            wide = "RGBA" if picture.mode in ("P", "RGBA", "LA") else picture.mode
            frames.append([np.asarray(one.convert(wide)).astype(int) for one in ImageSequence.Iterator(picture)])
    if kinds[0] != kinds[1] or len(frames[0]) != len(frames[1]):
        return f"{kinds[0]}, {len(frames[0])} frames became {kinds[1]}, {len(frames[1])} frames"
    away = max(int(np.abs(x - y).max()) for x, y in zip(*frames, strict=True))
    return f"a pixel by up to {away}"


def _arrays(a: Path, b: Path) -> tuple[bool, str]:
    with np.load(a) as first, np.load(b) as second:
        x, y = dict(first), dict(second)
    said = [f"{name} only in {a if name in x else b}" for name in sorted(x.keys() ^ y.keys())]
    for name in sorted(x.keys() & y.keys()):
        if x[name].shape != y[name].shape or x[name].dtype.kind != y[name].dtype.kind:
            said.append(f"{name} {x[name].dtype} {x[name].shape} became {y[name].dtype} {y[name].shape}")
        elif x[name].dtype.kind in "fiu":
            away = np.abs(x[name].astype(float) - y[name].astype(float)).max(initial=0.0)
            said += [f"{name} by up to {away:.3g}"] if away else []
        elif [RENAMED.get(v, v) for v in x[name].ravel().tolist()] != [
            RENAMED.get(v, v) for v in y[name].ravel().tolist()
        ]:
            said.append(f"{name} {x[name].tolist()} became {y[name].tolist()}")
    return not said, "; ".join(said) or "the same arrays"


_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def _texts(x: str, y: str) -> str:
    """Return how far the numbers are apart if only those differ, else the first lines that differ."""
    if _NUMBER.sub("#", x) == _NUMBER.sub("#", y):
        pairs = [(float(p), float(q)) for p, q in zip(_NUMBER.findall(x), _NUMBER.findall(y), strict=True)]
        return f"only numbers, by up to {max(abs(p - q) for p, q in pairs):.3g}"
    before, after = ([line for line in text.splitlines() if line not in other] for text, other in ((x, y), (y, x)))
    return f"{' | '.join(before[:3])!r} became {' | '.join(after[:3])!r}"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    recording = verbs.add_parser("record", help="run every case")
    recording.add_argument("folder", type=Path)
    recording.add_argument(
        "--python", "--command", dest="command", metavar="CMD", default=f"{sys.executable} -m musicae",
        help="how musicae is started (by default: with the Python that runs this)",
    )  # fmt: skip
    recording.add_argument("--only", default="*", metavar="PATTERN", help="cases with such names, as 'denoise-*'")
    comparing = verbs.add_parser("compare", help="compare two records")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    comparing.add_argument("--files-only", action="store_true", help="leave out what was printed")
    given = parser.parse_args()
    if given.verb == "record":
        record(given.folder, given.command, given.only)
    else:
        sys.exit(1 if compare(given.before, given.after, given.files_only) else 0)


if __name__ == "__main__":
    main()
