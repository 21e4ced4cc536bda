"""Which preset a file alone is opened with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from musicae.errors import MusicaeError
from musicae.web.catalog import Catalog
from musicae.web.choosing import choice_alone


def noise(path: Path, seconds: float, rate: int = 44_100) -> Path:
    soundfile.write(path, 0.1 * np.random.default_rng(1).standard_normal(round(seconds * rate)), rate)
    return path


def picture(path: Path, width: int, height: int) -> Path:
    Image.new("RGB", (width, height), (200, 100, 50)).save(path)
    return path


@pytest.mark.parametrize(
    ("seconds", "rate", "preset"), [(3, 44_100, "denoise"), (3, 16_000, "denoise-speech"), (0.5, 44_100, "drum-sounds")]
)
def test_sounds(catalog: Catalog, tmp_path: Path, seconds: float, rate: int, preset: str) -> None:
    file = noise(tmp_path / "a.wav", seconds, rate)
    choice = choice_alone(catalog, file)
    assert choice.preset == preset
    lines = [f"{file}: a recording, opened with {preset}; --preset sound to morph"] if seconds > 2 else []
    assert choice.notices == lines


@pytest.mark.parametrize(
    ("size", "preset"), [((160, 120), "photo-denoise"), ((65, 10), "photo-denoise"), ((64, 64), "mnist-vae")]
)
def test_pictures(catalog: Catalog, tmp_path: Path, size: tuple[int, int], preset: str) -> None:
    file = picture(tmp_path / "a.png", *size)
    choice = choice_alone(catalog, file)
    assert choice.preset == preset
    lines = [f"{file}: a photo, opened with {preset}; --preset mnist-vae to morph"] if size[0] > 64 else []
    assert choice.notices == lines


def test_notes_and_what_cannot_be_read(catalog: Catalog, data: Path, tmp_path: Path) -> None:
    assert choice_alone(catalog, data / "twinkle.mid") == ("melody-2bar", [])
    (tmp_path / "bad.wav").write_bytes(b"RIFF\0\0\0\0WAVE")
    assert choice_alone(catalog, tmp_path / "bad.wav").notices == []
    with pytest.raises(MusicaeError, match="of no kind that can be read"):
        choice_alone(catalog, data / "README.md")


def test_where_it_may_be_another_the_line_says_so(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musicae.ops.detect.log_odds", lambda content, samples, rate: 0.01)
    file = noise(tmp_path / "rec.wav", 3)
    choice = choice_alone(catalog, file)
    assert choice.preset == "denoise-speech"
    assert choice.notices[1] == f"{file} was taken for speech; if it is music, add --preset denoise"
