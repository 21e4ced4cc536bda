"""The command decode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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


def test_names_in_codes_stay_inside_the_folder(shell: Any, preset: tuple[str, str]) -> None:
    shell.ok("encode", *PAIR, *preset, "-o", "both.npz")
    with np.load("both.npz") as file:
        arrays = dict(file)
    np.savez("both.npz", **{**arrays, "names": np.array(["../../escaped/\x1b[31m\u202ea.mid", "\u65cb" * 500])})
    made = shell.ok("decode", "both.npz", *preset, "-f").splitlines()
    folder = Path("both-decoded")
    assert made == [str(folder / "01-_[31m_a.mid"), str(folder / f"02-{chr(0x65CB) * 60}.mid")]
    assert sorted(map(str, folder.iterdir())) == made
