"""Makes the files that the pages name in their commands: a user's tunes, recordings, pictures and folders."""

from __future__ import annotations

import shutil
from pathlib import Path

import mido
import numpy as np
import soundfile
from sung_tune import sing

RATE = 16_000


def make_files(folder: Path, repository: Path) -> None:
    """Make all of them in a folder."""
    data = folder / "data"
    shutil.copytree(repository / "data", data, dirs_exist_ok=True)
    copies = {
        **{"a.mid": "twinkle.mid", "b.mid": "ode-to-joy.mid", "a.png": "seven.png"},
        **{"my-digits/three.png": "three.png", "my-digits/seven.png": "seven.png", "three.png": "three.png"},
        **{f"my-pictures/{i}.png": "scene.png" for i in range(12)},
        **{f"my-tunes/{name}.mid": f"{name}.mid" for name in ("ode-to-joy", "saints", "korobeiniki", "greensleeves")},
        **{f"my-files/{name}.mid": f"{name}.mid" for name in ("ode-to-joy", "saints", "korobeiniki")},
    }
    for name, source in copies.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / source, folder / name)
    for i in range(24):
        for place in ("DIR", "my-folder", "midi"):
            transposed(data / ("twinkle.mid" if i % 2 else "ode-to-joy.mid"), folder / place / f"{i}.mid", i // 2 - 6)
    for name in ("rec.wav", "a.wav", "b.wav", "tapes/one.wav", "tapes/two.wav"):
        noise(folder / name, seconds=2.5, seed=len(name))
    for place in ("DIR", "speech-folder", "noise-folder"):
        for i in range(12):
            noise(folder / place / f"voice-{i}" / "a.wav", seconds=5.0, seed=i, level=0.002)
    for i in range(12):
        hit(folder / f"my-drums/kit-{i}/kick.wav", 60 + 5 * i)
        hit(folder / f"my-sounds/{i}.wav", 50 + 40 * i)
        hit(folder / f"my-kicks/{i}.wav", 50 + 3 * i)
    hit(folder / "kick.wav", 60)
    hit(folder / "snare.wav", 220)
    sing(folder / "hum.wav")
    sing(folder / "whistle.mp3")
    taps(folder / "taps.wav")
    (folder / "samples").write_bytes(np.zeros(48_000, np.int16).tobytes())
    own = 'extends = "melody-2bar"\ndescription = "A smaller code"\n\n[model]\nlatent = 32\n'
    (folder / "my-preset.toml").write_text(own)
    (folder / "runs" / "mine").mkdir(parents=True)
    shutil.copy(repository / "presets" / "mnist-vae.safetensors", folder / "runs" / "mine" / "model.safetensors")


def transposed(source: Path, target: Path, semitones: int) -> None:
    """Write a tune in another key, its track named as data sets name it."""
    song = mido.MidiFile(source)
    for track in song.tracks:
        track.name = "Melody" if any(message.type == "note_on" for message in track) else track.name
        for message in track:
            if message.type in ("note_on", "note_off"):
                message.note += semitones
    target.parent.mkdir(parents=True, exist_ok=True)
    song.save(target)


def noise(path: Path, seconds: float, seed: int, level: float = 0.02) -> None:
    """Write a tone that comes and goes, in noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(seconds * RATE)) / RATE
    tone = 0.2 * np.sin(2 * np.pi * 300 * time) * (np.sin(7 * time) > 0)
    soundfile.write(path, tone + level * np.random.default_rng(seed).standard_normal(len(time)), RATE)


def hit(path: Path, frequency: float) -> None:
    """Write a sound that dies away, as of a drum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(RATE // 4) / RATE
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * frequency * time) * np.exp(-20 * time), RATE)


def taps(path: Path) -> None:
    """Write two bars of taps on a table, at 120 beats a minute."""
    sound = 0.001 * np.random.default_rng(0).standard_normal(5 * RATE)
    click = 0.5 * np.exp(-np.arange(RATE // 20) / 80) * np.random.default_rng(1).standard_normal(RATE // 20)
    for beat in (0, 1, 1.5, 2, 3, 4, 5, 5.5, 6, 7):
        start = round((0.3 + beat / 2) * RATE)
        sound[start : start + len(click)] += click
    soundfile.write(path, np.clip(sound, -1, 1), RATE)
