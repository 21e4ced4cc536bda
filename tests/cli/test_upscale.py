"""The command upscale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image as Pillow

from musicae.ops.choose import preset_for


def size(path: str | Path) -> tuple[int, int]:
    with Pillow.open(path) as image:
        return image.size


@pytest.fixture
def upscale(tiny_upscale: Path) -> tuple[str, ...]:
    return ("upscale", "--preset", str(tiny_upscale))


def test_upscale_doubles_a_picture(gallery: Any, upscale: tuple[str, ...]) -> None:
    width, height = size("scene.png")
    assert gallery.ok(*upscale, "scene.png") == "scene-upscaled.png"
    assert size("scene-upscaled.png") == (2 * width, 2 * height)
    line = gallery.fails(*upscale, "scene.png", "--scale", "4", "-o", "x.png")
    assert line == "the preset 'tiny-upscale' upscales by 2, not by 4; choose another"


def test_a_picture_of_one_pixel(gallery: Any, denoise: tuple[str, ...], upscale: tuple[str, ...]) -> None:
    Pillow.new("L", (1, 1), 77).save("dot.png")
    gallery.ok(*denoise, "dot.png")
    gallery.ok(*upscale, "dot.png")
    assert (size("dot-denoised.png"), size("dot-upscaled.png")) == ((1, 1), (2, 2))


@pytest.mark.parametrize("verb", ["denoise", "upscale"])
def test_bad_inputs_are_one_line(gallery: Any, tiny_digits: Path, request: Any, verb: str) -> None:
    words = request.getfixturevalue(verb)
    (gallery.folder / "bad.png").write_bytes(b"hello")
    assert gallery.fails(*words, "no.png") == "there is no file no.png; check the name"
    assert gallery.fails(*words, "bad.png").startswith("bad.png is not a picture")
    said = "the preset 'tiny-digits' was trained without a corruption and restores nothing"
    assert gallery.fails(verb, "scene.png", "--preset", tiny_digits).startswith(said)
    (gallery.folder / "none").mkdir()
    assert gallery.fails(*words, "none").startswith("none has no file that can be read")


@pytest.fixture
def denoise(tiny_denoise: Path) -> tuple[str, ...]:
    return ("denoise", "--preset", str(tiny_denoise))


@pytest.mark.parametrize("rate", [4000, 11_025])
def test_upscale_doubles_the_rate_and_keeps_what_is_there(studio: Any, tiny_band: Path, rate: int) -> None:
    studio.record("low.flac", 3001, rate=rate, subtype="PCM_24")
    result = studio("upscale", "--preset", tiny_band, "low.flac")
    assert (result.exit_code, result.stdout) == (0, "low-upscaled.flac\n")
    made = soundfile.info("low-upscaled.flac")
    assert (made.frames, made.samplerate, made.channels, made.subtype) == (6002, 2 * rate, 2, "PCM_24")
    said = f"the preset 'tiny-band' is for 4000 Hz, low.flac has {rate} Hz"
    assert (said in result.stderr) == (rate != 4000)
    was, now = soundfile.read("low.flac")[0], soundfile.read("low-upscaled.flac")[0]
    spectra = [np.abs(np.fft.rfft(x[:, 0], n=size)) for x, size in ((was, 3000), (now, 6000))]
    assert np.abs(spectra[1][160:166] / 2 - spectra[0][160:166]).max() < 0.05 * spectra[0].max()


def test_the_preset_nearest_in_rate_is_chosen(studio: Any) -> None:

    for rate, name in ((8000, "upscale-audio-speech"), (22_050, "upscale-audio"), (16_000, "upscale-audio")):
        studio.record("x.wav", 100, rate=rate)
        assert preset_for(Path("x.wav"), "upscale", 2) == name


def test_a_preset_does_what_it_was_trained_for(studio: Any, tiny_voice: Path, tiny_band: Path) -> None:
    assert "does not upscale" in studio.fails("upscale", "--preset", tiny_voice, "rec.wav")
    assert "upscales, it does not denoise" in studio.fails("denoise", "--preset", tiny_band, "rec.wav")
    assert "upscales by 2, not by 4" in studio.fails("upscale", "--preset", tiny_band, "rec.wav", "--scale", "4")
