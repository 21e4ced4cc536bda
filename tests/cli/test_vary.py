"""The command vary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as Pillow

import musicae
from musicae.adapters.band import Band
from musicae.adapters.melody import Melody


def tensor(path: str | Path) -> torch.Tensor:
    return Melody().read(Path(path)).tensor


def size(path: str | Path) -> tuple[int, int]:
    with Pillow.open(path) as image:
        return image.size


@pytest.fixture
def digits(tiny_digits: Path) -> tuple[str, str]:
    return ("--preset", str(tiny_digits))


def test_vary_writes_as_many_as_are_asked_for(shell: Any, preset: tuple[str, str]) -> None:
    words = ("vary", "twinkle.mid", *preset, "-n", "3", "--similarity", "0.5")
    assert shell.ok(*words) == "twinkle-varied.mid"
    assert len(shell.ok(*words, "--split").splitlines()) == 3
    wanted = Melody().concat(musicae.vary("twinkle.mid", 0.5, 3, preset=preset[1])).tensor
    read = tensor("twinkle-varied.mid")
    assert torch.equal(read, wanted[:, : read.shape[1]])


def test_vary(gallery: Any, digits: tuple[str, str], tiny_classes: Path) -> None:
    assert gallery.ok("vary", "three.png", *digits, "-n", "3") == "three-varied.png"
    assert size("three-varied.png") == (88, 28)
    words = ("vary", "three.png", "--preset", tiny_classes, "-f")
    assert gallery.ok(*words, "--label", "3") == "three-varied.png"
    assert "choose a label of 0, 1, 2" in gallery.fails(*words)


def test_vary_keeps_parts_and_leaves_others_out(shell: Any, repository: Path, tiny_arrangement: Path) -> None:
    saints, preset = str(repository / "data" / "saints.mid"), ("--preset", str(tiny_arrangement))
    words = ("vary", saints, *preset, "--similarity", "0.5", "--keep", "melody, bass", "-o")
    assert shell.ok(*words, "a.mid", "--drop", "drums") == "a.mid"
    given, made = Band().read(Path(saints)), Band().read(Path("a.mid"))
    for part in ("melody", "bass", "drums"):
        channels = Band().spec.parts[part]
        wanted = given.tensor[channels] if part != "drums" else torch.zeros(18, given.tensor.shape[1])
        assert torch.equal(made.tensor[channels], wanted), part
    assert shell.ok(*words, "b.mid", "--solo", "melody", "--solo", "bass") == "b.mid"
    assert set(Band().read(Path("b.mid")).meta["parts"]) == {"melody", "bass"}


def test_parts_that_cannot_be_kept_or_left_out(shell: Any, preset: tuple[str, str], tiny_arrangement: Path) -> None:
    words, band = ("vary", "twinkle.mid"), ("--preset", str(tiny_arrangement))
    assert "no part 'melodie'; did you mean 'melody'?" in shell.fails(*words, *band, "--keep", "melodie")
    assert "twinkle.mid has no bass; it has melody" in shell.fails(*words, *band, "--keep", "bass")
    assert "'tiny-melody' makes has no parts" in shell.fails(*words, *preset, "--keep", "melody")
    assert "'tiny-melody' makes has no parts" in shell.fails(*words, *preset, "--drop", "melody")
    assert "give one of them" in shell.fails(*words, *band, "--drop", "bass", "--solo", "drums")
