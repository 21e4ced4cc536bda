"""Recordings and photos before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from musicae import denoise, upscale
from musicae.errors import MusicaeError
from musicae.web import restoring
from musicae.web.catalog import Catalog
from musicae.web.progress import Progress
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
    assert rate == 16_000


def test_upscaling_raises_the_rate(catalog: Catalog, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "low.wav", 0.1 * np.random.default_rng(1).standard_normal(4000), 4000)
    restorations = Restorations(catalog, tmp_path)
    made = restorations.make(Stored(tmp_path / "low.wav", {}), "tiny-band")
    after = restorations.find(str(made["after"])).wav
    assert after is not None
    assert (soundfile.info(after).samplerate, soundfile.info(after).duration) == (8000, pytest.approx(1, abs=0.01))


def test_what_takes_too_long_is_one_line(
    catalog: Catalog, tmp_path: Path, noisy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(restoring._SECONDS, "recording", -1.0)
    with pytest.raises(MusicaeError, match="use musicae denoise"):
        Restorations(catalog, tmp_path).make(Stored(noisy, {}), "tiny-voice")
    assert not list(tmp_path.glob("after-*"))


def test_the_first_ones_go(catalog: Catalog, tmp_path: Path, noisy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "_LIMIT_BYTES", 1)
    made = Restorations(catalog, tmp_path).make(Stored(noisy, {}), "tiny-voice")
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [made["after"]]


def test_other_presets_restore_no_recordings(catalog: Catalog, tmp_path: Path, noisy: Path) -> None:
    with pytest.raises(MusicaeError, match="restores no recordings or photos"):
        Restorations(catalog, tmp_path).make(Stored(noisy, {}), "tiny-melody")


def photo(path: Path, width: int, height: int) -> Path:
    values = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(values).save(path)
    return path


def values(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize(("preset", "verb"), [("tiny-denoise", denoise), ("tiny-upscale", upscale)])
def test_a_photo_is_what_the_command_writes(catalog: Catalog, tmp_path: Path, preset: str, verb: Any) -> None:
    given = photo(tmp_path / "a.png", 40, 24)
    restorations = Restorations(catalog, tmp_path)
    made = restorations.make(Stored(given, {}), preset)
    verb(given, tmp_path / "b.png", preset=catalog.codec(preset))
    before, after = (restorations.find(str(made[which])) for which in ("before", "after"))
    assert after.file.name == "a-after.png"
    assert after.wav is None
    np.testing.assert_array_equal(values(after.picture), values(tmp_path / "b.png"))
    assert values(before.picture).shape == values(after.picture).shape
    if preset == "tiny-denoise":
        np.testing.assert_array_equal(values(before.picture), values(given))


def test_what_a_png_cannot_hold_is_said(catalog: Catalog, tmp_path: Path) -> None:
    frames = [Image.new("L", (40, 24), shade) for shade in (0, 255)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    (notice,) = Restorations(catalog, tmp_path).make(Stored(tmp_path / "a.gif", {}), "tiny-denoise")["notices"]
    assert notice == "a.gif: the first of its 2 pictures was taken"


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        ("photo-denoise", "has 2.3 megapixels, and up to 2 are restored here; restore it with musicae denoise"),
        ("photo-upscale", "would have 9.2 megapixels, and up to 2 are restored here; restore it with musicae upscale"),
    ],
)
def test_a_photo_that_is_too_large_is_one_line(
    catalog: Catalog, tmp_path: Path, preset: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "_PIXELS", 2_000_000)
    with pytest.raises(MusicaeError, match=message):
        Restorations(catalog, tmp_path).make(Stored(photo(tmp_path / "a.png", 1920, 1200), {}), preset)


def test_a_large_photo_is_saved_whole_and_shown_smaller(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "_SHOWN", 20)
    restorations = Restorations(catalog, tmp_path)
    made = restorations.make(Stored(photo(tmp_path / "a.png", 40, 24), {}), "tiny-upscale")
    before, after = (restorations.find(str(made[which])) for which in ("before", "after"))
    whole = values(after.file).shape
    assert made["size"] == (whole[1], whole[0])
    assert whole[1] > 40
    assert values(before.picture).shape == values(after.picture).shape == (12, 20, 3)


def test_a_photo_that_would_take_too_long_is_given_up_early(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(restoring._SECONDS, "photo", 1e-4)
    with pytest.raises(MusicaeError, match="this takes over 0 s here; use musicae denoise"):
        Restorations(catalog, tmp_path).make(Stored(photo(tmp_path / "a.png", 900, 300), {}), "tiny-denoise")
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_what_nobody_waits_for_is_stopped(catalog: Catalog, tmp_path: Path) -> None:
    progress = Progress()
    progress.stop()
    with pytest.raises(MusicaeError, match="it was stopped"):
        Restorations(catalog, tmp_path).make(Stored(photo(tmp_path / "a.png", 40, 24), {}), "tiny-denoise", progress)


def test_the_time_of_a_photo_is_known_beforehand(catalog: Catalog, tmp_path: Path) -> None:
    progress = Progress()
    stored = Stored(photo(tmp_path / "a.png", 400, 300), {})
    Restorations(catalog, tmp_path).make(stored, "tiny-denoise", progress)
    assert progress.expected > 0
