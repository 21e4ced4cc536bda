"""The command drumify."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def test_drumify_writes_beside_the_file(shell: Any, grooves: tuple[str, str]) -> None:
    assert shell.ok("drumify", "twinkle.mid", *grooves) == "twinkle-drums.mid"
    facts = json.loads(
        shell.ok("drumify", "twinkle.mid", *grooves, "--tempo", "90", "-n", "2", "-f", "--json", "--png")
    )
    assert (facts["paths"], facts["tempo"]) == (["twinkle-drums.mid"], 90.0)
    assert Path("twinkle-drums.png").stat().st_size > 1000
    assert shell.ok("drumify", "rock.mid", *grooves, "--split", "-n", "2") == "rock-drums/01.mid\nrock-drums/02.mid"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no.wav"], "there is no file no.wav"),
        (["twinkle.mid", "--tempo", "0"], "--tempo must be"),
        (["twinkle.mid", "-n", "0"], "the number of results must be between 1 and 1000"),
        (["twinkle.mid", "--like", "ode-to-joy.mid"], "ode-to-joy.mid: it has no drums"),
        (["twinkle.mid", "--amount", "-1"], "amount must be between 0 and 1, not -1"),
    ],
)
def test_drumify_refuses(shell: Any, grooves: tuple[str, str], words: list[str], said: str) -> None:
    assert shell.fails("drumify", *words, *grooves).startswith(said)


def test_recordings_without_taps_are_refused(shell: Any, grooves: tuple[str, str]) -> None:
    Path("empty.wav").touch()
    assert shell.fails("drumify", "empty.wav", *grooves).startswith("empty.wav is empty (0 bytes)")
    shell.record("hum.wav", 9000, 1)
    assert shell.fails("drumify", "hum.wav", *grooves).startswith("hum.wav: ")
