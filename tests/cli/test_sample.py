"""The command sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from pretty_midi import PrettyMIDI


def size(path: str | Path) -> tuple[int, int]:
    with Pillow.open(path) as image:
        return image.size


def test_sample_is_repeatable_by_its_seed(shell: Any, preset: tuple[str, str]) -> None:
    assert shell.ok("sample", *preset, "-n", "2", "--seed", "1") == "tiny-melody-sample.mid"
    first = (shell.folder / "tiny-melody-sample.mid").read_bytes()
    shell.ok("sample", *preset, "-n", "2", "--seed", "1", "-f")
    assert (shell.folder / "tiny-melody-sample.mid").read_bytes() == first
    shell.ok("sample", *preset, "-n", "2", "--seed", "2", "-f")
    assert (shell.folder / "tiny-melody-sample.mid").read_bytes() != first
    assert len(shell.ok("sample", *preset, "-n", "3", "--split", "--png").splitlines()) == 4


def test_many_samples_make_a_square(gallery: Any, tiny_digits: Path, tiny_classes: Path) -> None:
    assert gallery.ok("sample", tiny_digits, "-n", "16") == "tiny-digits-sample.png"
    assert size("tiny-digits-sample.png") == (118, 118)
    assert gallery.ok("sample", tiny_classes, "--label", "7", "-n", "4") == "tiny-classes-sample-7.png"
    assert gallery.ok("sample", tiny_classes, "-n", "10") == "tiny-classes-sample.png"
    line = gallery.fails("sample", tiny_classes, "--label", "12")
    assert line == "'tiny-classes' has no label '12'; it has 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert "'tiny-digits' takes no label" in gallery.fails("sample", tiny_digits, "--label", "1")
    assert "two presets are named" in gallery.fails("sample", tiny_digits, "--preset", tiny_classes)


def test_sample_over_chords(shell: Any, preset: tuple[str, str], tiny_arrangement: Path) -> None:
    words = ("sample", "--preset", str(tiny_arrangement), "--chords", "C | G7 | Am")
    result = shell(*words)
    assert result.stdout == "tiny-arrangement-sample.mid\n"
    assert result.stderr == "--chords has 3 bars, the result has 4; they are repeated\n"
    assert "there is no chord 'Cmajj'; did you mean" in shell.fails("sample", *words[1:3], "-f", "--chords", "Cmajj")
    assert "takes no chords" in shell.fails("sample", *preset, "--chords", "C")


def test_what_is_made_is_played_as_asked(shell: Any, preset: tuple[str, str]) -> None:
    shell.ok("sample", *preset, "--tempo", "96", "--program", "flute", "-o", "a.mid")
    shell.ok("sample", *preset, "--tempo", "96", "--program", "flute", "--transpose", "2", "-o", "b.mid")
    one, other = (PrettyMIDI(name) for name in ("a.mid", "b.mid"))
    assert one.get_tempo_changes()[1].tolist() == [pytest.approx(96, abs=1e-3)]
    assert [track.program for track in one.instruments] == [73]
    pitches = [[note.pitch for note in midi.instruments[0].notes] for midi in (one, other)]
    assert [(pitch + 2) % 12 for pitch in pitches[0]] == [pitch % 12 for pitch in pitches[1]]
    assert "did you mean 'flute'" in shell.fails("sample", *preset, "--program", "flut", "-f")
