"""Runs commands in a folder of their own, and looks at what they leave behind."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import pytest
import soundfile

from musicae.cli import main


class Shell:
    """A folder with sample files, in which commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str | Path, **settings: Any) -> click.testing.Result:
        result = click.testing.CliRunner().invoke(main, [str(word) for word in words], **settings)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *words: str | Path) -> str:
        """Run a command that must succeed and return its stdout, without the last line's end."""
        result = self(*words)
        assert result.exit_code == 0, result.output
        return result.stdout.removesuffix("\n")

    def fails(self, *words: str | Path, code: int = 1) -> str:
        """Run a command that must fail with one line and leave all files as they are; return the line."""
        before = self.files()
        result = self(*words)
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        assert result.stderr.startswith("musicae: ")
        assert result.stderr.count("\n") == 1
        assert self.files() == before
        return result.stderr.removeprefix("musicae: ").removesuffix("\n")

    def files(self) -> dict[str, bytes | None]:
        """Return what lies in the folder, at any depth."""
        found = sorted(self.folder.rglob("*"))
        return {str(path.relative_to(self.folder)): path.read_bytes() if path.is_file() else None for path in found}

    def record(
        self, path: str, frames: int = 12_000, channels: int = 2, seed: int = 0, rate: int = 11_025, subtype: str = ""
    ) -> None:
        """Write a tone in noise as a sound file: of 300 Hz at 11,025 Hz, else in proportion to the rate."""
        rng = np.random.default_rng(seed)
        tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(frames)[:, None] / 11_025)
        samples = tone + 0.05 * rng.standard_normal((frames, channels))
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        # As bytes: soundfile takes no name that is not valid text.
        soundfile.write(os.fsencode(self.folder / path), samples.astype(np.float32), rate, subtype or None)

    def new(self, before: dict[str, bytes | None]) -> list[str]:
        """Return the names of what was not there `before`."""
        return [name for name in self.files() if name not in before]


@pytest.fixture
def shell(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    folder = tmp_path / "shell"
    folder.mkdir()
    for name in ("twinkle", "ode-to-joy", "greensleeves", "rock"):
        shutil.copy(repository / "data" / f"{name}.mid", folder)
    monkeypatch.chdir(folder)
    return Shell(folder)


@pytest.fixture
def preset(tiny_melody: Path) -> tuple[str, str]:
    """The option that chooses a small untrained melody preset."""
    return ("--preset", str(tiny_melody))


@pytest.fixture
def drums(tiny_drums: Path) -> tuple[str, str]:
    """The option that chooses a small untrained drums preset."""
    return ("--preset", str(tiny_drums))


@pytest.fixture
def gallery(shell: Shell, repository: Path) -> Shell:
    """The folder of `shell`, with pictures in it too."""
    for name in ("three", "seven", "scene"):
        shutil.copy(repository / "data" / f"{name}.png", shell.folder)
    return shell


@pytest.fixture
def studio(shell: Shell) -> Shell:
    """The folder of `shell`, with a noisy recording, and a folder `tapes` of three at two depths."""
    shell.record("rec.wav", subtype="PCM_24")
    for i, name in enumerate(("a.wav", "b.flac", "deep/c.wav")):
        shell.record(f"tapes/{name}", 3000, 1, i)
    return shell


@pytest.fixture(scope="session")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files like those of MNIST, but of few pictures: bars whose place is their class."""
    folder = tmp_path_factory.mktemp("mnist")
    for part, count in (("train", 60), ("t10k", 30)):
        labels = bytes(i % 10 for i in range(count))
        pictures = b"".join(_bar(label, (255 if part == "train" else 150) - i) for i, label in enumerate(labels))
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, count, 28, 28) + pictures)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) + labels)
    return folder


def _bar(label: int, brightness: int) -> bytes:
    row = bytes(brightness if x < 10 + brightness % 13 else 0 for x in range(28))
    return b"".join(row if y in (2 * label + 3, 2 * label + 4) else bytes(28) for y in range(28))


TINY = """
description = "A tiny one"

[adapter]
name = "melody"

[dataset]
name = "midi-files"

[model]
name = "patch-vae"
latent = 4
width = 8
depth = 1
heads = 2

[training]
batch = 4
log_every = 1
"""


@pytest.fixture
def recipe(shell: Shell) -> str:
    """A preset for melodies that trains in no time, as a TOML file; its last section is that of the training."""
    (shell.folder / "tiny.toml").write_text(TINY)
    return "tiny.toml"


@pytest.fixture
def grooves(untrained: Any) -> tuple[str, str]:
    """The option that chooses a small untrained preset for grooves, half of whose hits are struck."""
    groups = {name: {"scale": 0.1, "where": "drums"} for name in ("drums_velocity", "drums_offset")}
    model = {"name": "patch-vae", "latent": 8, "width": 16, "depth": 1, "heads": 2}
    likelihood = {"name": "joint", "groups": groups}
    return "--preset", str(untrained("tiny-grooves", adapter={"name": "groove"}, model=model, likelihood=likelihood))
