"""The command vary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as Pillow

import musicae
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
