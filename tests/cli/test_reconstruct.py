"""The command reconstruct."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
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
    assert line == "the adapter of 'melody-2bar' has no option 'fit'; it takes track, bars, transpose"


def test_parts_of_a_song_are_sent_and_explained(shell: Any, tiny_arrangement: Path, repository: Path) -> None:
    shutil.copy(repository / "data" / "band.mid", shell.folder)
    words = ("reconstruct", "band.mid", "--preset", tiny_arrangement)
    said = shell(*words, "-v").stderr
    assert "band.mid: harmony: track 2 Chords (48 notes)" in said
    said = shell(*words, "-v", "-f", "--part", "2=melody", "--part", "lead=harmony").stderr
    assert "band.mid: melody: track 2 Chords (48 notes)" in said
    assert "band.mid: harmony: track 3 Lead melody (34 notes)" in said
    assert shell.fails(*words, "--part", "2=chords", "-f").startswith("band.mid: there is no part 'chords'")
    assert shell.fails(*words, "--part", "9=bass", "-f").startswith("band.mid: there is no track '9'; choose from")
    line = shell.fails("reconstruct", "band.mid", "--part", "2=melody", "--only", "melody", "-f")
    assert line == "the adapter of 'melody-2bar' has no option 'part'; it takes track, bars, transpose"


def test_only_one_kind_of_part_of_a_song_is_read(shell: Any, preset: tuple[str, str], repository: Path) -> None:
    shutil.copy(repository / "data" / "band.mid", shell.folder)
    (shell.folder / "songs").mkdir()
    shutil.copy(repository / "data" / "band.mid", shell.folder / "songs")
    for only in ("melody", "drums"):
        found = json.loads(shell.ok("reconstruct", "band.mid", "--only", only, "--json", "-o", f"{only}.mid"))
        assert found["preset"] == f"{only}-2bar"
        assert shell.ok("encode", "band.mid", "--only", only, "-o", f"{only}.npz") == f"{only}.npz"
        assert shell.ok("encode", "songs", "--only", only, "-o", f"{only}s.npz") == f"{only}s.npz"
        with np.load(shell.folder / f"{only}s.npz") as codes:
            assert f"{only}-2bar" in str(codes["preset"])
    both = ("--only", "melody", *preset)
    for command in ("reconstruct", "vary", "encode"):
        line = shell.fails(command, "band.mid", *both)
        assert line == "--preset and --only both choose the preset; give one of them"
    assert "no preset reads only 'flute' of a song" in shell.fails("vary", "band.mid", "--only", "flute")
