"""The commands of `test_morph`, with pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from musicae import ops

PAIR = ("three.png", "seven.png")


@pytest.fixture
def digits(tiny_digits: Path) -> tuple[str, str]:
    return ("--preset", str(tiny_digits))


def size(path: str | Path) -> tuple[int, int]:
    with Pillow.open(path) as image:
        return image.size


def test_two_pictures_make_a_strip(gallery: Any, digits: tuple[str, str]) -> None:
    before = gallery.files()
    assert gallery.ok("interpolate", *PAIR, *digits, "--steps", "5") == "three-to-seven.png"
    assert gallery.new(before) == ["three-to-seven.png"]
    assert size("three-to-seven.png") == (5 * 30 - 2, 28)
    with Pillow.open("three-to-seven.png") as image:
        strip = np.asarray(image).astype(int)
    made = ops.interpolate(*PAIR, preset=digits[1], steps=5)
    for i, part in enumerate(made.parts):
        wanted = (part.tensor[0] * 255).round().numpy().astype(int)
        assert np.abs(strip[:, 30 * i : 30 * i + 28] - wanted).max() <= 1


def test_a_gif_moves_there_and_back(gallery: Any, digits: tuple[str, str]) -> None:
    gallery.ok("interpolate", *PAIR, *digits, "--steps", "9", "--uneven", "-o", "x.gif")
    with Pillow.open("x.gif") as image:
        assert image.n_frames > 4  # Frames that are equal are one, for longer.
        assert image.size == (112, 112)


def test_a_grid_is_a_square_and_a_picture_of_pictures_is_not_written_twice(
    gallery: Any, digits: tuple[str, str]
) -> None:
    words = ("interpolate", *PAIR, *PAIR, *digits, "--grid", "--steps", "3", "--png")
    assert gallery.ok(*words) == "three-seven-three-seven-grid.png"
    assert size("three-seven-three-seven-grid.png") == (88, 88)
    assert gallery.ok(*words, "-o", "g.webp", "--png", "g2.png").splitlines() == ["g.webp", "g2.png"]
    assert size("g2.png") == (88, 88)


def test_split_writes_a_picture_for_each_step(gallery: Any, digits: tuple[str, str]) -> None:
    lines = gallery.ok("interpolate", *PAIR, *digits, "--steps", "3", "--split", "-o", "d").splitlines()
    assert lines == [str(Path("d") / f"0{i}.png") for i in (1, 2, 3)]
    assert {size(line) for line in lines} == {(28, 28)}


def test_reconstruct_tells_the_psnr(gallery: Any, digits: tuple[str, str]) -> None:
    result = gallery("reconstruct", "three.png", *digits)
    wanted = ops.reconstruct("three.png", preset=digits[1])
    assert result.stdout == "three-reconstructed.png\n"
    assert result.stderr == f"accuracy {wanted.accuracy:.4f}, PSNR {wanted.psnr:.2f} dB\n"
    found = json.loads(gallery.ok("reconstruct", "three.png", *digits, "-f", "--json"))
    assert found["psnr"] == pytest.approx(wanted.psnr)


def test_a_large_picture_is_scaled_or_cut(gallery: Any, digits: tuple[str, str]) -> None:
    for how in ("scale", "pad"):
        said = gallery("reconstruct", "scene.png", *digits, "-v", "--fit", how, "-o", f"{how}.png").stderr
        assert ("scaled" in said, "cut to its middle" in said) == (how == "scale", how == "pad")
        assert size(f"{how}.png") == (28, 28)
    line = gallery.fails("reconstruct", "twinkle.mid", "--fit", "pad", "--preset", "melody-2bar")
    assert line == "the adapter of 'melody-2bar' has no option 'fit'; it takes track, bars"


def test_many_samples_make_a_square(gallery: Any, tiny_digits: Path, tiny_classes: Path) -> None:
    assert gallery.ok("sample", tiny_digits, "-n", "16") == "tiny-digits-sample.png"
    assert size("tiny-digits-sample.png") == (118, 118)
    assert gallery.ok("sample", tiny_classes, "--label", "7", "-n", "4") == "tiny-classes-sample-7.png"
    assert gallery.ok("sample", tiny_classes, "-n", "10") == "tiny-classes-sample.png"
    line = gallery.fails("sample", tiny_classes, "--label", "12")
    assert line == "'tiny-classes' has no label '12'; it has 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert "'tiny-digits' takes no label" in gallery.fails("sample", tiny_digits, "--label", "1")
    assert "two presets are named" in gallery.fails("sample", tiny_digits, "--preset", tiny_classes)


def test_vary(gallery: Any, digits: tuple[str, str], tiny_classes: Path) -> None:
    assert gallery.ok("vary", "three.png", *digits, "-n", "3") == "three-varied.png"
    assert size("three-varied.png") == (88, 28)
    words = ("vary", "three.png", "--preset", tiny_classes, "-f")
    assert gallery.ok(*words, "--label", "3") == "three-varied.png"
    assert "choose a label of 0, 1, 2" in gallery.fails(*words)


# --- codes of a folder ---------------------------------------------------------------------------------------------


def test_encode_takes_a_folder(gallery: Any, digits: tuple[str, str]) -> None:
    folder = gallery.folder / "digits" / "few"
    folder.mkdir(parents=True)
    for name in PAIR:
        (gallery.folder / name).rename(folder / name)
    assert gallery.ok("encode", "digits", *digits) == "digits.npz"
    with np.load("digits.npz") as codes:
        assert codes["names"].tolist() == ["few/seven.png", "few/three.png"]
        assert codes["mean"].shape == (2, 2)
    lines = gallery.ok("decode", "digits.npz", "-o", "out", "--preset", digits[1]).splitlines()
    assert lines == [str(Path("out") / name) for name in ("01-seven.png", "02-three.png")]


def test_what_cannot_be_read_in_a_folder_is_left_out_and_named(gallery: Any, digits: tuple[str, str]) -> None:
    (gallery.folder / "bad.png").write_bytes(b"")
    (gallery.folder / "cut.png").write_bytes((gallery.folder / "scene.png").read_bytes()[:5000])
    result = gallery("encode", ".", *digits, "-o", "codes.npz")
    assert (result.exit_code, result.stdout) == (1, "codes.npz\n")
    first, second, last = result.stderr.splitlines()
    assert first.startswith("bad.png is empty (0 bytes)")
    assert second.startswith("cut.png is damaged or cut short")
    assert last == "musicae: 2 of 5 files could not be read and were left out"
    with np.load("codes.npz") as codes:
        assert codes["names"].tolist() == ["scene.png", "seven.png", "three.png"]
    # Named by itself, it is an error.
    assert gallery.fails("encode", "three.png", "bad.png", *digits).startswith("bad.png is empty (0 bytes)")


def test_a_folder_in_which_nothing_can_be_read(gallery: Any, digits: tuple[str, str]) -> None:
    (gallery.folder / "none").mkdir()
    assert gallery.fails("encode", "none", *digits).startswith("none has no file that is read here (.")
    (gallery.folder / "none" / "a.png").write_bytes(b"hello")
    assert gallery.fails("encode", "none", *digits).startswith("none of the 1 files can be read; the first: none/a.png")
