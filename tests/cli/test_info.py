"""The command info."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def test_one_file(shell: Any, repository: Path) -> None:
    first, *tracks, preset = shell.ok("info", str(repository / "data" / "band.mid")).splitlines()
    assert first.endswith("data/band.mid: MIDI, 8 bars, 4/4, tempo 104, C major, 0:18")
    assert [line.split()[-1] for line in tracks] == ["bass", "harmony", "melody", "drums"]
    assert preset.startswith("preset band-2bar: ")
    assert "was chosen for its name" in shell("info", str(repository / "data" / "band.mid"), "-v").stderr
    facts = json.loads(shell.ok("info", "twinkle.mid", "--json"))
    assert (facts["preset"], facts["key"]) == ("melody-2bar", "C major")


def test_a_line_for_each_of_several(shell: Any, tiny_melody: Path) -> None:
    shell.record("rec.wav", 40_000)
    lines = shell.ok("info", "rec.wav", ".", tiny_melody).splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("rec.wav: WAV PCM_16, 11025 Hz, stereo, 3.6 s, -")
    assert "rock.mid: MIDI, 2 bars, 4/4, tempo 108, 4.4 s" in "\n".join(lines)
    assert "a checkpoint, tiny-melody, trained for" in lines[-1]
    assert len(json.loads(shell.ok("info", "twinkle.mid", "rock.mid", "--json"))) == 2


def test_what_cannot_be_read(shell: Any) -> None:
    assert "there is no file" in shell.fails("info", "none.mid")
    (shell.folder / "bad.mid").write_bytes(b"MThd")
    result = shell("info", "bad.mid", "twinkle.mid")
    assert result.exit_code == 1
    assert result.stdout.count("\n") == 1
    assert result.stderr.splitlines()[-1] == "musicae: 1 of 2 files could not be read and were left out"
