"""The command transcribe."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from PIL import Image
from pretty_midi import PrettyMIDI
from sung_tune import TUNE, sing


@pytest.fixture
def hum(shell: Any) -> str:
    sing(shell.folder / "hum.wav")
    return "hum.wav"


def test_it_writes_midi_and_a_picture(shell: Any, hum: str) -> None:
    assert shell.ok("transcribe", hum, "--png", "--program", "violin") == "hum-transcribed.mid\nhum-transcribed.png"
    (track,) = PrettyMIDI("hum-transcribed.mid").instruments
    assert [note.pitch for note in track.notes] == [pitch for pitch, _ in TUNE]
    assert track.program == 40
    with Image.open("hum-transcribed.png") as image:
        assert min(image.size) > 100
    assert "exists already" in shell.fails("transcribe", hum)


def test_json_and_the_sound_of_the_notes(shell: Any, hum: str) -> None:
    facts = json.loads(shell.ok("transcribe", hum, "--json", "--tempo", "90", "--wav", "notes.wav", "-o", "a.mid"))
    assert (facts["path"], facts["wav"], facts["tempo"]) == ("a.mid", "notes.wav", 90)
    assert [note["name"] for note in facts["notes"]] == ["C4", "E4", "E4", "G4", "D4", "C5"]
    assert (shell.folder / "notes.wav").stat().st_size > 10_000


def test_the_recording_is_never_overwritten(shell: Any, hum: str) -> None:
    line = shell.fails("transcribe", hum, "-o", "hum.mid", "--wav", "-f")
    assert line == "hum.wav is the recording itself; name another file"
    assert "name a file that ends so" in shell.fails("transcribe", hum, "-o", "hum.txt")


def test_a_stream(shell: Any, hum: str) -> None:
    result = shell("transcribe", hum, "-o", "-")
    assert result.stdout_bytes[:4] == b"MThd"
    assert struct.unpack(">H", result.stdout_bytes[8:10]) == (1,)
    assert "it does not go with --json" in shell.fails("transcribe", hum, "-o", "-", "--json")


def test_bad_files(shell: Any, hum: str) -> None:
    assert "is no recording" in shell.fails("transcribe", "twinkle.mid")
    assert "there is no file" in shell.fails("transcribe", "none.wav")
    shell.record("silent.wav", 1)
    assert "has no pitch that can be followed" in shell.fails("transcribe", "silent.wav")
