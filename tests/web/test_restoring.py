"""Recordings before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicae import denoise
from musicae.errors import MusicaeError
from musicae.web import restoring
from musicae.web.catalog import Catalog
from musicae.web.restoring import Restorations
from musicae.web.store import MissingError, Stored


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    path = tmp_path / "noisy.flac"
    soundfile.write(path, 0.1 * np.random.default_rng(1).standard_normal((16_000, 2)), 16_000)
    return path


def test_before_and_after_are_of_one_length_and_what_the_command_writes(
    catalog: Catalog, tmp_path: Path, noisy: Path
) -> None:
    made = Restorations(catalog, tmp_path).make(Stored(noisy, {}), "tiny-voice")
    denoise(noisy, tmp_path / "clean.flac", preset=catalog.codec("tiny-voice"))
    restorations = Restorations(catalog, tmp_path / "nowhere")
    with pytest.raises(MissingError, match="not on the server"):
        restorations.find(str(made["after"]))
    after = soundfile.read(next(tmp_path.glob("after-*/noisy-after.flac")))[0]
    np.testing.assert_allclose(after, soundfile.read(tmp_path / "clean.flac")[0], atol=1e-4)
    before, rate = soundfile.read(next(tmp_path.glob("before-*/sound.wav")))
    assert before.shape == after.shape
    assert rate == made["rate"] == 16_000


def test_upscaling_raises_the_rate(catalog: Catalog, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "low.wav", 0.1 * np.random.default_rng(1).standard_normal(4000), 4000)
    made = Restorations(catalog, tmp_path).make(Stored(tmp_path / "low.wav", {}), "tiny-band")
    assert made["rate"] == 8000
    assert made["seconds"] == pytest.approx(1, abs=0.01)


def test_what_takes_too_long_is_one_line(
    catalog: Catalog, tmp_path: Path, noisy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "_SECONDS", -1.0)
    with pytest.raises(MusicaeError, match="use musicae denoise"):
        Restorations(catalog, tmp_path).make(Stored(noisy, {}), "tiny-voice")
    assert not list(tmp_path.glob("after-*"))


def test_the_first_ones_go(catalog: Catalog, tmp_path: Path, noisy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "_LIMIT_BYTES", 1)
    made = Restorations(catalog, tmp_path).make(Stored(noisy, {}), "tiny-voice")
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [made["after"]]


def test_other_presets_restore_no_recordings(catalog: Catalog, tmp_path: Path, noisy: Path) -> None:
    with pytest.raises(MusicaeError, match="restores no recordings"):
        Restorations(catalog, tmp_path).make(Stored(noisy, {}), "tiny-melody")
