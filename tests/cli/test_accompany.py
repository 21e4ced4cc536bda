"""The command accompany."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from musicae.adapters.band import Band


def test_accompany_writes_a_band(shell: Any, repository: Path, tiny_arrangement: Path) -> None:
    words = ("accompany", "ode-to-joy.mid", "--preset", str(tiny_arrangement))
    assert shell.ok(*words) == "ode-to-joy-accompanied.mid"
    melody = Band().spec.parts["melody"]
    given, made = (Band().read(Path(f"ode-to-joy{end}.mid")).tensor[melody] for end in ("", "-accompanied"))
    assert torch.equal(given, made)
    style = str(repository / "data" / "saints.mid")
    result = shell(*words, "-n", "2", "--split", "--style", style, "--chords", "D | A", "--drop", "melody", "--json")
    said = json.loads(result.stdout)
    assert said["paths"] == [f"ode-to-joy-accompanied/0{i}.mid" for i in (1, 2)]
    assert result.stderr == "--chords has 2 bars, ode-to-joy.mid has 8; they are repeated\n"


def test_what_cannot_be_accompanied(shell: Any, preset: tuple[str, str], tiny_arrangement: Path) -> None:
    band = ("--preset", str(tiny_arrangement))
    assert "knows no parts of a band" in shell.fails("accompany", "twinkle.mid", *preset)
    assert "has 8; leave out" in shell.fails("accompany", "twinkle.mid", *band, "--chords", "C|C|C|C|C|C|C|C|G")
    assert "there is no file gone.mid" in shell.fails("accompany", "twinkle.mid", *band, "--style", "gone.mid")
    assert "did you mean 'melody'?" in shell.fails("accompany", "twinkle.mid", *band, "--keep", "melodie")
