"""The command decode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from musicae.adapters.melody import Melody

PAIR = ("twinkle.mid", "ode-to-joy.mid")
PICTURES = ("three.png", "seven.png")


def tensor(path: str | Path) -> torch.Tensor:
    return Melody().read(Path(path)).tensor


def test_encode_and_decode_give_what_reconstruct_gives(shell: Any, preset: tuple[str, str]) -> None:
    shell.ok("reconstruct", "twinkle.mid", *preset)
    assert shell.ok("encode", "twinkle.mid", *preset) == "twinkle.npz"
    assert shell.ok("decode", "twinkle.npz", *preset) == "twinkle-decoded.mid"
    assert torch.equal(tensor("twinkle-decoded.mid"), tensor("twinkle-reconstructed.mid"))
    shell.ok("encode", *PAIR, *preset, "-o", "both.npz")
    lines = shell.ok("decode", "both.npz", *preset).splitlines()
    assert lines == [str(Path("both-decoded") / name) for name in ("01-twinkle.mid", "02-ode-to-joy.mid")]
