"""Synthetic data sets, for where no real ones are at hand: small, and always the same."""

from __future__ import annotations

import gzip
import shutil
import struct
from pathlib import Path

import numpy as np
import soundfile
from compare_outputs import DATA, hit, speech
from numpy.typing import NDArray
from PIL import Image

RATE = 44_100  # Hz


def melodies(folder: Path) -> None:
    """Copy the tunes of data/ many times."""
    _copies(folder, "twinkle", "ode-to-joy", "greensleeves", "band")


def drums(folder: Path) -> None:
    """Copy the grooves of data/ many times."""
    _copies(folder, "rock", "bossa")


def _copies(folder: Path, *names: str) -> None:
    for i in range(120 // len(names)):
        for name in names:
            shutil.copyfile(DATA / f"{name}.mid", folder / f"{name}-{i}.mid")


def digits(folder: Path) -> None:
    """Write random strokes in the form of MNIST's files."""
    rng = np.random.default_rng(0)
    for stem, count in (("train", 6000), ("t10k", 500)):
        spots = rng.uniform(6, 22, (count, 6, 2, 1, 1))
        y, x = np.mgrid[:28, :28]
        near = np.exp(-((y - spots[:, :, 0]) ** 2 + (x - spots[:, :, 1]) ** 2) / 3).max(1)
        pictures = (255 * near).astype(np.uint8)
        _idx(folder / f"{stem}-images-idx3-ubyte.gz", pictures)
        _idx(folder / f"{stem}-labels-idx1-ubyte.gz", rng.integers(0, 10, count).astype(np.uint8))


def _idx(path: Path, values: NDArray[np.uint8]) -> None:
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes(), 1))


def scene(width: int, height: int, seed: int = 0) -> Image.Image:
    """Return a colour picture of waves and blocks, with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    blocks = 40 * ((x // 200 + y // 150) % 2)
    layers = [127 + 60 * np.sin(x / (30 + 9 * band)) * np.cos(y / (25 + seed)) + blocks for band in range(3)]
    noisy = [layer + 15 * rng.standard_normal(layer.shape, np.float32) for layer in layers]
    return Image.fromarray(np.clip(np.stack(noisy, -1), 0, 255).astype(np.uint8))


def pictures(folder: Path) -> None:
    """Write a dozen pictures."""
    for i in range(12):
        scene(800, 600, i).save(folder / f"{i}.png", compress_level=1)


def recordings(folder: Path) -> None:
    """Write two sounds like speech for each of ten speakers, in folders."""
    for i in range(20):
        path = folder / f"speaker{i // 2}" / f"{i}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, speech(RATE, 20, np.random.default_rng(i)), RATE)


def one_shots(folder: Path) -> None:
    """Write drum sounds for each of ten kits, in folders."""
    for i in range(200):
        rng = np.random.default_rng(i)
        path = folder / f"kit{i // 20}" / f"{i}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, hit(RATE, 0.5, rng.uniform(40, 300), rng.uniform(0, 0.8), rng), RATE)


MAKERS = {
    "midi-files": melodies,
    "drums": drums,
    "mnist": digits,
    "pictures": pictures,
    "recordings": recordings,
    "one-shots": one_shots,
}


def made(name: str, below: Path) -> Path:
    """Return the folder of a synthetic data set in the folder `below`, and make it if it is not there."""
    folder = below / name
    if not folder.is_dir():
        folder.mkdir()
        MAKERS[name](folder)
    return folder
