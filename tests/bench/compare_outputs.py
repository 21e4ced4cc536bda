"""Whether a change of the code changed what the commands make: record every verb's outputs, and compare two records.

    python tests/bench/compare_outputs.py record before --command "/old/bin/python -m musicae"
    python tests/bench/compare_outputs.py record after
    python tests/bench/compare_outputs.py compare before after

A record is a folder for each case with the files that the command wrote, what it printed, and its exit code. Inputs are
the files in data/, and sounds that are synthesised here. One thread is used, so that the same arithmetic gives the same
bits. `compare` says of each file that differs by how much, and exits with 1 if any does.
"""

from __future__ import annotations

import argparse
import io
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[2] / "data"
RENAMED = {"mnist-fsq": "mnist-vq"}  # Presets that earlier versions call otherwise: the new name, the old one.
CODED = (
    "melody-2bar",
    "drums-2bar",
    "mnist-ae",
    "mnist-aae",
    "mnist-cvae",
    "mnist-fsq",
    "mnist-sparse",
    "mnist-vae",
    "mnist-vae-2d",
    "drum-sounds",
    "sound",
)
MORPH = "interpolate twinkle.mid ode-to-joy.mid"

CASES = {
    "interpolate": f"{MORPH} -o out.mid --json",
    "interpolate-png": f"{MORPH} --steps 5 -v --png",
    "interpolate-split": f"{MORPH} --steps 4 --split -o parts",
    "interpolate-warm": f"{MORPH} --steps 4 --temperature 1 --seed 3",
    "interpolate-uneven": f"{MORPH} --steps 5 --uneven --lerp",
    "interpolate-exact": f"{MORPH} --steps 3 --exact-endpoints --bars 2-5",
    "interpolate-drums": "interpolate rock.mid bossa.mid --steps 5 --png",
    "interpolate-meters": "interpolate greensleeves.mid twinkle.mid --steps 3 -v",
    "interpolate-grid": "interpolate twinkle.mid ode-to-joy.mid band.mid greensleeves.mid --grid --steps 3",
    "interpolate-band": "interpolate band.mid twinkle.mid --track 2 --steps 3 -v",
    "interpolate-digits": "interpolate three.png seven.png --steps 7 -v",
    "interpolate-gif": "interpolate three.png seven.png --steps 4 -o x.gif",
    "interpolate-hits": "interpolate kick.wav snare.wav --steps 3 --png",
    "interpolate-songs": "interpolate song.wav voice.wav --steps 2",
    "reconstruct": "reconstruct twinkle.mid -v",
    "reconstruct-drums": "reconstruct rock.mid --png",
    "reconstruct-digit": "reconstruct three.png --preset mnist-ae",
    "reconstruct-label": "reconstruct three.png --preset mnist-cvae --label 3",
    "reconstruct-sound": "reconstruct voice.wav",
    "reconstruct-scene": "reconstruct scene.png --fit pad -v",
    "vary": "vary twinkle.mid --similarity 0.6 -n 3 --seed 2",
    "vary-drums": "vary bossa.mid -n 2 --split -o varied",
    "vary-label": "vary seven.png --preset mnist-cvae --label 7 -n 3",
    "encode": "encode twinkle.mid ode-to-joy.mid -o codes.npz",
    "encode-pictures": "encode pictures -o codes.npz",
    "decode": "decode codes.npz -o back.mid",
    "denoise-picture": "denoise noisy-scene.png -v",
    "denoise-song": "denoise song.wav -v --png",
    "denoise-voice": "denoise voice.wav --strength 0.7 --keep-noise removed.wav -v",
    "denoise-narrow": "denoise narrow.flac --json",
    "denoise-preset": "denoise voice.wav --preset denoise -o v.wav",
    "denoise-folder": "denoise album -o cleaned -v",
    "denoise-pipe": "denoise - -o -",
    "denoise-raw": "denoise - -o - --raw 16000:1:s16",
    "denoise-stdout": "denoise narrow.flac -o -",
    "upscale": "upscale scene.png -v",
    "upscale-x4": "upscale three.png --scale 4",
    "upscale-voice": "upscale narrow8.wav -v",
    "upscale-song": "upscale half.wav",
    "refuse-suffix": "interpolate twinkle.mid readme.txt",
    "refuse-missing": "vary none.mid",
    "refuse-steps": f"{MORPH} --steps 1",
    "refuse-exists": f"{MORPH} -o twinkle.mid",
}  # fmt: skip
CASES |= {f"sample-{name}": f"sample {name} -n 2 --seed 5" for name in CODED}


def _tone(rate: int, seconds: float, *pitches: float) -> NDArray[np.float64]:
    time = np.arange(round(rate * seconds)) / rate
    notes = [np.sin(2 * np.pi * pitch * k * time) / k for pitch in pitches for k in range(1, 6)]
    return np.sum(notes, axis=0) * (0.6 + 0.4 * np.sin(2 * np.pi * 1.5 * time)) * 0.08


def make_inputs(folder: Path) -> None:
    """Copy the files in data/ into `folder`, and put made-up sounds beside them."""
    for path in DATA.iterdir():
        shutil.copy(path, folder)
    rng = np.random.default_rng(0)
    song = np.stack([_tone(44_100, 4, 220, 277, 330), _tone(44_100, 4, 110, 165)], axis=1)
    soundfile.write(folder / "song.wav", song + 0.01 * rng.standard_normal(song.shape), 44_100)
    pulses = np.diff(np.floor(np.cumsum(np.linspace(140, 90, 32_000) / 16_000)), prepend=0.0)
    voice = np.convolve(pulses, np.exp(-np.arange(200) / 30) * np.sin(np.arange(200) / 3))[:32_000]
    voice *= (np.sin(np.arange(32_000) / 2500) > -0.3) * 0.3
    soundfile.write(folder / "voice.wav", voice + 0.02 * rng.standard_normal(32_000), 16_000)
    soundfile.write(folder / "narrow.flac", voice[:16_000] + 0.01 * rng.standard_normal(16_000), 16_000)
    soundfile.write(folder / "narrow8.wav", voice[:24_000:2], 8000)
    soundfile.write(folder / "half.wav", song[::2], 22_050)
    for name, pitch in (("kick", 60.0), ("snare", 180.0)):
        hit = _tone(44_100, 0.7, pitch) * np.exp(-np.arange(round(44_100 * 0.7)) / 6000)
        soundfile.write(folder / f"{name}.wav", 6 * hit + 0.001 * rng.standard_normal(len(hit)), 44_100)
    (folder / "readme.txt").write_text("no music")
    for name, files in {"pictures": ["three.png", "seven.png"], "album": ["song.wav", "noisy-scene.png"]}.items():
        (folder / name).mkdir()
        for file in files:
            shutil.copy(folder / file, folder / name)


def _stdin(case: str, folder: Path) -> bytes:
    if case == "denoise-pipe":
        return (folder / "song.wav").read_bytes()
    if case == "denoise-raw":
        return (soundfile.read(folder / "voice.wav", dtype="int16")[0]).tobytes()
    return b""


def record(target: Path, command: str, only: str) -> None:
    """Run all cases whose name has `only` in it into `target`."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
    for case, words in CASES.items():
        if only not in case:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_inputs(folder)
            if case == "decode":
                run(command, CASES["encode"], folder, b"", environment)
            given = {path for path in folder.rglob("*") if path.is_file()}
            done = run(command, words, folder, _stdin(case, folder), environment)
            if done.returncode == 1 and any(new in words for new in RENAMED):
                for new, old in RENAMED.items():
                    words = words.replace(new, old)
                done = run(command, words, folder, b"", environment)
            out = target / case
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path not in given:
                    place = out / "files" / _called(path.relative_to(folder).as_posix())
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, place)
            (out / "stdout").write_bytes(_called_bytes(done.stdout).replace(name.encode(), b"."))
            (out / "stderr").write_bytes(done.stderr.replace(name.encode(), b"."))
            (out / "code").write_text(str(done.returncode))
        sys.stderr.write(f"{case}: exit {done.returncode}\n")


def _called(name: str) -> str:
    for new, old in RENAMED.items():
        name = name.replace(old, new)
    return name


def _called_bytes(text: bytes) -> bytes:
    for new, old in RENAMED.items():
        text = text.replace(old.encode(), new.encode())
    return text


def run(
    command: str, words: str, folder: Path, stdin: bytes, environment: dict[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """Run one command of musicae in `folder`."""
    line = [*shlex.split(command), *shlex.split(words)]
    return subprocess.run(line, cwd=folder, input=stdin, capture_output=True, env=environment, check=False)


def compare(one: Path, other: Path) -> int:
    """Report each difference between two records; return how many there are."""
    found = 0
    cases = sorted({path.name for path in (*one.iterdir(), *other.iterdir())})
    for case in cases:
        for line in _differences(one / case, other / case):
            sys.stdout.write(f"{case}: {line}\n")
            found += 1
    sys.stdout.write(f"{len(cases)} cases, {found} differences\n")
    return found


def _differences(one: Path, other: Path) -> Iterator[str]:
    if not one.is_dir() or not other.is_dir():
        yield f"only in {one.parent if one.is_dir() else other.parent}"
        return
    names = sorted({path.relative_to(root) for root in (one, other) for path in root.rglob("*") if path.is_file()})
    for name in names:
        a, b = one / name, other / name
        if not a.is_file() or not b.is_file():
            yield f"{name} is only in {one.parent if a.is_file() else other.parent}"
        elif a.read_bytes() != b.read_bytes():
            yield f"{name} differs: {_how(a, b)}"


def _how(a: Path, b: Path) -> str:
    """Return by how much two files differ that are not the same to the byte."""
    if a.suffix == ".mid":
        return f"{len(_notes(a) ^ _notes(b))} of {len(_notes(a) | _notes(b))} notes"
    if a.suffix in (".png", ".gif"):
        from PIL import Image

        first, second = (np.asarray(Image.open(path).convert("RGB")).astype(int) for path in (a, b))
        return f"up to {np.abs(first - second).max()} of 255" if first.shape == second.shape else "another size"
    if a.suffix in (".wav", ".flac") or (a.name == "stdout" and a.read_bytes()[:4] == b"RIFF"):
        first, second = (soundfile.read(io.BytesIO(path.read_bytes()))[0] for path in (a, b))
        return f"up to {np.abs(first - second).max():.2g}" if first.shape == second.shape else "another length"
    if a.suffix == ".npz":
        first, second = np.load(a), np.load(b)
        kept = [
            name for name in first.files if first[name].dtype.kind == "f" and first[name].shape == second[name].shape
        ]
        return ", ".join(f"{name} by up to {np.abs(first[name] - second[name]).max():.2g}" for name in kept)
    if a.name == "stdout" and b"\0" in a.read_bytes():
        first, second = (np.frombuffer(path.read_bytes(), np.int16).astype(int) for path in (a, b))
        return f"up to {np.abs(first - second).max()} of 32768" if len(first) == len(second) else "another length"
    return f"{a.read_bytes()[:300]!r} became {b.read_bytes()[:300]!r}"


def _notes(path: Path) -> set[tuple[float, float, int, int]]:
    import pretty_midi

    parts = pretty_midi.PrettyMIDI(str(path)).instruments
    return {(round(n.start, 3), round(n.end, 3), n.pitch, n.velocity) for part in parts for n in part.notes}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    recording = verbs.add_parser("record", help="run every case")
    recording.add_argument("folder", type=Path)
    recording.add_argument("--command", default=f"{sys.executable} -m musicae", help="how musicae is started")
    recording.add_argument("--only", default="", help="cases with this in their name")
    comparing = verbs.add_parser("compare", help="compare two records")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.verb == "record":
        record(given.folder, given.command, given.only)
    else:
        sys.exit(min(1, compare(given.before, given.after)))


if __name__ == "__main__":
    main()
