"""What is wrong with an input is one line, exit code 1, and leaves nothing behind."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from musicae import codec as codecs

PAIR = ("twinkle.mid", "ode-to-joy.mid")


def midi(*notes: int, tracks: int = 1) -> bytes:
    """Return the bytes of a MIDI file with quarter notes of these pitches."""
    events = b"".join(b"\x00\x90" + bytes([note, 80]) + b"\x60\x80" + bytes([note, 0]) for note in notes)
    body = events + b"\x00\xff\x2f\x00"
    track = b"MTrk" + len(body).to_bytes(4, "big") + body
    return b"MThd\x00\x00\x00\x06\x00\x01" + tracks.to_bytes(2, "big") + b"\x00\x60" + track * tracks


BAD: dict[str, tuple[bytes, str]] = {
    "text.mid": (b"hello, I am no music", "text.mid is not a MIDI file"),
    "empty.mid": (b"", "empty.mid is empty (0 bytes)"),
    "cut.mid": (midi(60, 62, 64)[:-9], "cut.mid is cut short"),
    "head.mid": (b"MThd\x00\x00", "head.mid is cut short inside its header"),
    "silent.mid": (midi(), "silent.mid: it has no notes"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("place", [0, 1])
def test_a_file_that_is_no_music(shell: Any, preset: tuple[str, str], name: str, place: int) -> None:
    content, said = BAD[name]
    (shell.folder / name).write_bytes(content)
    pair = [name, "twinkle.mid"] if place == 0 else ["twinkle.mid", name]
    assert shell.fails("interpolate", *pair, *preset).startswith(said)
    for verb in ("reconstruct", "vary", "encode"):
        assert shell.fails(verb, name, *preset).startswith(said)


@pytest.mark.parametrize("chosen", [True, False], ids=["preset", "default"])
def test_a_file_that_is_missing_or_a_folder(shell: Any, preset: tuple[str, str], chosen: bool) -> None:
    options = preset if chosen else ()
    (shell.folder / "folder.mid").mkdir()
    for verb, *rest in (["interpolate", "twinkle.mid"], ["reconstruct"], ["vary"], ["encode"]):
        assert shell.fails(verb, "no.mid", *rest, *options) == "there is no file no.mid; check the name"
        line = shell.fails(verb, "folder.mid", *rest, *options)
        unreadable = r"has no file that can be read \(\.\w.*\); name another folder"
        said = unreadable if verb == "encode" else "is a folder; name a .* in it"
        assert re.fullmatch(f"folder.mid {said}", line)


def test_drums_for_a_melody_preset_and_the_other_way(
    shell: Any, drums: tuple[str, str], preset: tuple[str, str]
) -> None:
    told = "with --preset (musicae presets lists them)"
    line = shell.fails("interpolate", "twinkle.mid", "rock.mid", *preset)
    assert line == f"rock.mid: it has only drums; choose a preset for drums {told}"
    line = shell.fails("reconstruct", "twinkle.mid", *drums)
    assert (
        line == "twinkle.mid: it has no drums; choose a preset for melodies with --preset (musicae presets lists them)"
    )


def test_a_preset_that_does_not_exist(shell: Any) -> None:
    for words in (["interpolate", *PAIR], ["sample"], ["encode", "twinkle.mid"], ["vary", "twinkle.mid"]):
        line = shell.fails(*words, "--preset", "melody-2baar")
        assert line == "no preset named 'melody-2baar'; did you mean 'melody-2bar'?"
    assert shell.fails("sample", "--preset", "no.safetensors") == "no checkpoint at no.safetensors; check the path"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["interpolate", *PAIR, "--steps", "1"], "steps must be between 2 and 1000, not 1"),
        (["interpolate", *PAIR, "--steps", "-3"], "steps must be between 2 and 1000, not -3"),
        (["interpolate", *PAIR, "--steps", "1000000000"], "steps must be between 2 and 1000, not 1000000000"),
        (["interpolate", *PAIR, "--temperature", "nan"], "temperature must be 0 or more, not nan"),
        (["interpolate", *PAIR, "twinkle.mid"], "interpolate takes 2 files, or 4 for a grid, not 3"),
        (["interpolate", "twinkle.mid"], "interpolate takes 2 files, or 4 for a grid, not 1"),
        (["interpolate", *PAIR, "--track", "7"], "twinkle.mid: there is no track '7'"),
        (["interpolate", *PAIR, "--bars", "7-"], "twinkle.mid: bars '7-' is not a range of bars"),
        (["interpolate", *PAIR, "--bars", "90"], "twinkle.mid: bars '90' are out of range"),
        (["vary", "twinkle.mid", "--similarity", "nan"], "similarity must be between 0 and 1, not nan"),
        (["vary", "twinkle.mid", "--similarity", "1.5"], "similarity must be between 0 and 1, not 1.5"),
        (["vary", "twinkle.mid", "-n", "0"], "the number of results must be between 1 and 1000, not 0"),
        (["sample", "-n", "0"], "the number of results must be between 1 and 1000, not 0"),
        (["sample", "--temperature", "-1"], "temperature must be 0 or more, not -1.0"),
        (["interpolate", *PAIR, "--png=x.jpg"], "--png x.jpg: name a file that ends in .png"),
        (["interpolate", *PAIR, "-o", "x.wav"], "-o x.wav: what 'tiny-melody' makes ends in .mid"),
        (["encode", "twinkle.mid", "-o", "x.mid"], "-o x.mid: codes are written as .npz"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_settings_that_make_no_sense(shell: Any, preset: tuple[str, str], words: list[str], said: str) -> None:
    assert shell.fails(*words, *preset).startswith(said)


def test_codes_that_are_none(shell: Any, drums: tuple[str, str], preset: tuple[str, str]) -> None:
    assert shell.fails("decode", "twinkle.mid").startswith("twinkle.mid is not a whole .npz file of codes")
    assert shell.fails("decode", "no.npz") == "there is no file no.npz; check the name"
    shell.ok("encode", "twinkle.mid", *preset)
    line = shell.fails("decode", "twinkle.npz", *drums, "-o", "x.mid")
    assert line == (
        "the codes are 8 numbers for 90x32 values, those of 'tiny-drums' 8 numbers for 9x32; use their own preset"
    )


def test_a_checkpoint_that_is_damaged_newer_or_changed(shell: Any, tiny_melody: Path) -> None:
    whole = tiny_melody.read_bytes()
    size = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + size])

    def changed(**fields: Any) -> bytes:
        own = {**json.loads(header["__metadata__"]["musicae"]), **fields}
        text = json.dumps({**header, "__metadata__": {"musicae": json.dumps(own)}}).encode()
        return len(text).to_bytes(8, "little") + text + whole[8 + size :]

    model = {"adapter": {"name": "melody"}, "model": {"name": "patch-vae", "latent": 16}}
    evil = {"adapter": {"name": "os:system"}, "model": {"name": "patch-vae"}}
    for content, said in [
        (b"", "is not a complete safetensors file"),
        (whole[:-100], "is not a complete safetensors file"),
        (whole[: size // 2], "is not a complete safetensors file"),
        (b"x" * 200, "is not a complete safetensors file"),
        (changed(format=99), "has format 99, newer than this musicae's 3; update musicae"),
        (changed(preset=3), ""),
        (changed(step="many"), "is not a complete musicae checkpoint"),
        (changed(preset=model), "does not fit the model its header names"),
        (changed(preset=evil), "no adapter named 'os:system'"),
    ]:
        (shell.folder / "bad.safetensors").write_bytes(content)
        for words in (["interpolate", *PAIR], ["sample"]):
            assert said in shell.fails(*words, "--preset", "bad.safetensors")
    assert codecs.load(str(tiny_melody)).step == 7
