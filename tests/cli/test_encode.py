"""The command encode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

PAIR = ("twinkle.mid", "ode-to-joy.mid")
PICTURES = ("three.png", "seven.png")


@pytest.fixture
def digits(tiny_digits: Path) -> tuple[str, str]:
    return ("--preset", str(tiny_digits))


def test_encode_takes_a_folder(gallery: Any, digits: tuple[str, str]) -> None:
    folder = gallery.folder / "digits" / "few"
    folder.mkdir(parents=True)
    for name in PICTURES:
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
    assert gallery.fails("encode", "none", *digits).startswith("none has no file that can be read (.")
    (gallery.folder / "none" / "a.png").write_bytes(b"hello")
    assert gallery.fails("encode", "none", *digits).startswith("none of the 1 files can be read; the first: none/a.png")


def test_codes_of_a_conditional_preset_hold_what_it_was_told(gallery: Any, tiny_classes: Path) -> None:
    words = ("encode", "three.png", "--preset", tiny_classes)
    assert gallery.ok(*words, "--label", "3") == "three.npz"
    with np.load("three.npz") as codes:
        assert codes["cond"].argmax(1).tolist() == [3]
    assert "choose a label of 0, 1, 2" in gallery.fails(*words, "-f")
