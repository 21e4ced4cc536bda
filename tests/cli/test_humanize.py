"""The command humanize."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from musicae.formats.music import midi


def test_humanize_writes_beside_the_file(shell: Any, grooves: tuple[str, str]) -> None:
    assert shell.ok("humanize", "rock.mid", *grooves) == "rock-humanized.mid"
    before, after = (midi.load(Path(name)).tracks for name in ("rock.mid", "rock-humanized.mid"))
    assert np.array_equal(np.sort(before.pitch), np.sort(after.pitch))
    assert not np.array_equal(before.start, after.start)
    assert shell.fails("humanize", "rock.mid", *grooves).startswith("rock-humanized.mid exists already")
    assert shell.ok("humanize", "rock.mid", *grooves, "--amount", "0", "-o", "same.mid") == "same.mid"
    assert Path("same.mid").read_bytes() == Path("rock.mid").read_bytes()


def test_humanize_draws_and_tells(shell: Any, grooves: tuple[str, str]) -> None:
    facts = json.loads(shell.ok("humanize", "rock.mid", *grooves, "--like", "rock.mid", "--png", "--json"))
    assert (facts["paths"], facts["png"], facts["amount"]) == (["rock-humanized.mid"], "rock-humanized.png", 1.0)
    assert Path("rock-humanized.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["twinkle.mid"], "twinkle.mid: it has no drums"),
        (["rock.mid", "--amount", "3"], "amount must be between 0 and 1, not 3"),
        (["no.mid"], "there is no file no.mid"),
        (["rock.mid", "--like", "twinkle.mid"], "twinkle.mid: it has no drums"),
        (["rock.mid", "-o", "a.wav"], "-o a.wav"),
        (["rock.mid", "--tempo", "90"], "humanize changes only how drums are played"),
        (["rock.mid", "--bars", "90"], "rock.mid: bars '90' are out of range"),
    ],
)
def test_humanize_refuses(shell: Any, grooves: tuple[str, str], words: list[str], said: str) -> None:
    assert shell.fails("humanize", *words, *grooves).startswith(said)
