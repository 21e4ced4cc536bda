"""The command reconstruct."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

import musicae


def size(path: str | Path) -> tuple[int, int]:
    with Pillow.open(path) as image:
        return image.size


@pytest.fixture
def digits(tiny_digits: Path) -> tuple[str, str]:
    return ("--preset", str(tiny_digits))


def test_reconstruct_tells_the_accuracy(shell: Any, preset: tuple[str, str]) -> None:
    result = shell("reconstruct", "twinkle.mid", *preset)
    assert result.stdout == "twinkle-reconstructed.mid\n"
    wanted = musicae.reconstruct("twinkle.mid", preset=preset[1]).accuracy
    assert result.stderr == f"accuracy {wanted:.4f}\n"
    found = json.loads(shell.ok("reconstruct", "twinkle.mid", *preset, "-f", "--json"))
    assert found["accuracy"] == pytest.approx(wanted)


def test_reconstruct_tells_the_psnr(gallery: Any, digits: tuple[str, str]) -> None:
    result = gallery("reconstruct", "three.png", *digits)
    wanted = musicae.reconstruct("three.png", preset=digits[1])
    assert result.stdout == "three-reconstructed.png\n"
    assert result.stderr == f"accuracy {wanted.accuracy:.4f}, PSNR {wanted.psnr:.2f} dB\n"
    found = json.loads(gallery.ok("reconstruct", "three.png", *digits, "-f", "--json"))
    assert found["psnr"] == pytest.approx(wanted.psnr)


def test_a_large_picture_is_scaled_or_cut(gallery: Any, digits: tuple[str, str]) -> None:
    for how in ("scale", "pad"):
        said = gallery("reconstruct", "scene.png", *digits, "-v", "--fit", how, "-o", f"{how}.png").stderr
        assert ("scaled" in said, "cropped to the 28x28 pixels at its centre" in said) == (how == "scale", how == "pad")
        assert size(f"{how}.png") == (28, 28)
    line = gallery.fails("reconstruct", "twinkle.mid", "--fit", "pad", "--preset", "melody-2bar")
    assert line == "the adapter of 'melody-2bar' has no option 'fit'; it takes track, bars"
