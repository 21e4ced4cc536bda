"""Small corpora of MIDI files, as they are downloaded and as they are unpacked."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from musicae.adapters.melody import Melody
from musicae.core import Sample
from musicae.tensors import melody_tokens


def tune(seed: int, up: int = 0) -> torch.Tensor:
    """Return four bars of quavers at random, one-hot."""
    pitches = torch.randint(50, 70, (32,), generator=torch.Generator().manual_seed(seed)) + up
    line = torch.stack([pitches - 19, torch.ones_like(pitches)], 1).flatten()
    return melody_tokens.one_hot(line, 90)


def midi_bytes(tensor: torch.Tensor, track: str = "Lead") -> bytes:
    adapter, written = Melody(), io.BytesIO()
    adapter.write(Sample(tensor, adapter.blank() | {"track": track}), written)
    return written.getvalue()


@pytest.fixture
def corpus_files() -> dict[str, bytes]:
    """The files of a corpus by their names: 12 tunes, each twice, in two keys."""
    files = {f"a/{i:02}.mid": midi_bytes(tune(i), "Melody") for i in range(12)}
    return files | {f"b/{i:02}.mid": midi_bytes(tune(i, 3), "Melody") for i in range(12)}


@pytest.fixture
def download(tmp_path: Path, corpus_files: dict[str, bytes]) -> Callable[[str], Path]:
    """Make the folder of a download: `midi.tar.xz`, and the `index.csv` beside it, by which two files are bad."""

    def make(name: str) -> Path:
        folder = tmp_path / "download" / name
        folder.mkdir(parents=True)
        with tarfile.open(folder / "midi.tar.xz", "w:xz") as tar:
            for file, content in corpus_files.items():
                entry = tarfile.TarInfo(f"{name}/{file}")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        rows = [f"{file},{100 + number % 6},1.0,1.0" for number, file in enumerate(sorted(corpus_files))]
        rows[0], rows[1] = rows[0].replace("1.0,1.0", "0.5,1.0"), rows[1].replace("1.0,1.0", "1.0,0.5")
        (folder / "index.csv").write_text("\n".join(["file,song,grid,label_mono", *rows]) + "\n")
        return folder

    return make


@pytest.fixture
def digit_files(tmp_path: Path) -> Path:
    """Return a folder with the four files of MNIST, twenty black pictures a split."""
    for part in ("train", "t10k"):
        pictures, labels = np.zeros((20, 28, 28), np.uint8), (np.arange(20) % 10).astype(np.uint8)
        for stem, values in (("images", pictures), ("labels", labels)):
            content = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()
            (tmp_path / f"{part}-{stem}-idx{values.ndim}-ubyte.gz").write_bytes(gzip.compress(content))
    return tmp_path
