"""The commands that make music: what they write, and what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from musicae import codec as codecs
from musicae import ops
from musicae.adapters.melody import Melody
from musicae.core import Sample
from musicae.errors import MusicaeError

PAIR = ("twinkle.mid", "ode-to-joy.mid")


@pytest.fixture
def preset(tiny_melody: Path) -> tuple[str, str]:
    return ("--preset", str(tiny_melody))


def tensor(path: str | Path) -> torch.Tensor:
    return Melody().read(Path(path)).tensor


# --- interpolate ---------------------------------------------------------------------------------------------------


def test_the_path_of_one_joined_file_is_all_that_is_printed(shell: Any, preset: tuple[str, str]) -> None:
    before = shell.files()
    result = shell("interpolate", *PAIR, *preset)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "twinkle-to-ode-to-joy.mid\n", "")
    assert shell.new(before) == ["twinkle-to-ode-to-joy.mid"]
    made = ops.interpolate(*PAIR, preset=preset[1])
    assert torch.equal(tensor("twinkle-to-ode-to-joy.mid"), made.joined().tensor)


def test_the_result_lies_beside_the_first_input(shell: Any, preset: tuple[str, str]) -> None:
    (shell.folder / "other").mkdir()
    (shell.folder / "twinkle.mid").rename(shell.folder / "other" / "twinkle.mid")
    assert shell.ok("interpolate", "other/twinkle.mid", "ode-to-joy.mid", *preset, "--steps", "2") == str(
        Path("other/twinkle-to-ode-to-joy.mid")
    )
    assert (shell.folder / "other" / "twinkle-to-ode-to-joy.mid").is_file()


def test_split_writes_a_folder_with_a_file_for_each_step(shell: Any, preset: tuple[str, str]) -> None:
    lines = shell.ok("interpolate", *PAIR, *preset, "--steps", "3", "--split", "-o", "new/deep").splitlines()
    assert lines == [str(Path("new/deep") / f"0{i}.mid") for i in (1, 2, 3)]
    made = ops.interpolate(*PAIR, preset=preset[1], steps=3)
    # What is read ends with the last bar that has notes.
    for path, part in zip(lines, made.parts, strict=True):
        read = tensor(path)
        assert torch.equal(read, part.tensor[:, : read.shape[1]])


def test_json_tells_all(shell: Any, preset: tuple[str, str]) -> None:
    found = json.loads(shell.ok("interpolate", "twinkle.mid", "greensleeves.mid", *preset, "--steps", "3", "--json"))
    assert found["paths"] == ["twinkle-to-greensleeves.mid"]
    assert (found["preset"], found["steps"]) == ("tiny-melody", 3)
    assert len(found["distances"]) == 3
    assert found["distances"][0] == 0
    assert "greensleeves.mid has 108 steps, not 128; it was looped" in found["remarks"]


def test_what_was_done_to_the_shorter_is_said_aloud(shell: Any, preset: tuple[str, str]) -> None:
    arguments = ("interpolate", "twinkle.mid", "greensleeves.mid", *preset, "--steps", "2")
    assert "greensleeves.mid has 108 steps, not 128; it was looped" in shell(*arguments).stderr
    assert "twinkle.mid has 128 steps, not 108; it was cut" in shell(*arguments, "-f", "--align", "trim").stderr


def test_verbose_explains_each_choice(shell: Any, preset: tuple[str, str], repository: Path) -> None:
    band = repository / "data" / "band.mid"
    arguments = ("interpolate", band, "twinkle.mid", *preset, "-o", "x.mid", "-f", "--steps", "2")
    quiet, loud = shell(*arguments).stderr, shell(*arguments, "-v").stderr
    assert "preset tiny-melody, trained for 7 steps" in loud
    assert "band.mid: track " in loud
    assert "band.mid: track " not in quiet


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["--lerp"], {"spherical": False}),
        (["--uneven"], {"even": False}),
        (["--exact-endpoints"], {"exact_endpoints": True}),
        (["--temperature", "0.9", "--seed", "3"], {"temperature": 0.9, "seed": 3}),
        (["--bars", "3-4"], {"bars": "3-4"}),
        (["--track", "1"], {"track": "1"}),
        (["--align", "pad"], {"align": "pad"}),
        (["--slerp", "--even"], {}),
    ],
    ids=" ".join,
)
def test_options_reach_the_library(
    shell: Any, preset: tuple[str, str], words: list[str], settings: dict[str, Any]
) -> None:
    shell.ok("interpolate", *PAIR, *preset, "--steps", "4", *words, "-o", "x.mid")
    wanted = ops.interpolate(*PAIR, preset=preset[1], steps=4, **settings).joined()
    assert torch.equal(tensor("x.mid"), wanted.tensor)


def test_four_inputs_make_a_grid(shell: Any, preset: tuple[str, str]) -> None:
    words = ("interpolate", *PAIR, *PAIR, *preset, "--grid", "--steps", "2")
    assert shell.ok(*words) == "twinkle-ode-to-joy-twinkle-ode-to-joy-grid.mid"
    lines = shell.ok(*words, "--split", "-o", "g").splitlines()
    assert [Path(line).name for line in lines] == ["01-01.mid", "01-02.mid", "02-01.mid", "02-02.mid"]


def test_the_same_file_twice(shell: Any, preset: tuple[str, str]) -> None:
    for how in ("--lerp", "--slerp"):
        found = json.loads(shell.ok("interpolate", "rock.mid", "rock.mid", "-f", "--json", *_drums(shell), how))
        assert found["distances"] == [0] * 9
    assert shell.ok("interpolate", "twinkle.mid", "twinkle.mid", *preset) == "twinkle-to-twinkle.mid"


def _drums(shell: Any) -> tuple[str, str]:
    return ("--preset", str(shell.drums))


@pytest.fixture(autouse=True)
def _with_drums(shell: Any, tiny_drums: Path) -> None:
    shell.drums = tiny_drums


def test_sound_and_picture_beside_the_result(shell: Any, preset: tuple[str, str]) -> None:
    lines = shell.ok("interpolate", *PAIR, *preset, "--steps", "2", "--bars", "1-2", "--wav", "--png").splitlines()
    assert lines == [f"twinkle-to-ode-to-joy.{kind}" for kind in ("mid", "wav", "png")]
    assert Path(lines[1]).read_bytes()[:4] == b"RIFF"
    assert Path(lines[2]).read_bytes()[1:4] == b"PNG"


def test_a_picture_takes_no_input_for_its_name(shell: Any, preset: tuple[str, str]) -> None:
    words = ("--steps", "2", *preset)
    assert shell.ok("interpolate", "--png", *PAIR, *words).splitlines()[1] == "twinkle-to-ode-to-joy.png"
    assert shell.ok("interpolate", *words, "-f", "--png", "P.PNG", *PAIR).splitlines()[1] == "P.PNG"
    assert "takes 2 files, or 4 for a grid, not 3" in shell.fails("interpolate", *words, "--", *PAIR, "--png")


def test_sound_and_picture_where_they_are_named(shell: Any) -> None:
    before = shell.files()
    words = ("interpolate", "rock.mid", "rock.mid", *_drums(shell), "--steps", "2", "--split", "-o", "d")
    shell.ok(*words, "--wav", "sound.wav", "--png", "steps.png")
    assert shell.new(before) == ["d", "d/01.mid", "d/02.mid", "sound.wav", "steps.png"]
    lines = shell.ok(*words, "-f", "--png").splitlines()
    assert lines[-1] == str(Path("d") / "rock-to-rock.png")


def test_a_stream(shell: Any, preset: tuple[str, str]) -> None:
    before = shell.files()
    result = shell("interpolate", *PAIR, *preset, "--steps", "2", "-o", "-")
    assert result.stdout_bytes[:4] == b"MThd"
    assert shell.files() == before
    assert "does not go with --json" in shell.fails("interpolate", *PAIR, *preset, "-o", "-", "--json")


def test_only_the_result_goes_to_the_stdout_of_a_real_process(shell: Any, preset: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "musicae", "interpolate", *PAIR, *preset, "--bars", "1-2", "-v"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "twinkle-to-ode-to-joy.mid\n")
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "musicae: twinkle-to-ode-to-joy.mid exists already; -f overwrites it, -o names another\n"


def test_interpolate_loads_no_more_than_it_needs(shell: Any, preset: tuple[str, str]) -> None:
    code = (
        "import sys, contextlib\nfrom musicae.cli import main\n"
        f"with contextlib.suppress(SystemExit): main(['interpolate', *{PAIR!r}, *{preset!r}, '--steps', '2'])\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(eval(done.stdout.splitlines()[-1]))
    assert {"torch", "symusic", "safetensors"} <= loaded
    assert not loaded & {"matplotlib", "rich", "accelerate", "pretty_midi", "librosa", "torchaudio", "soundfile", "PIL"}


# --- the other verbs -----------------------------------------------------------------------------------------------


def test_reconstruct_tells_the_accuracy(shell: Any, preset: tuple[str, str]) -> None:
    result = shell("reconstruct", "twinkle.mid", *preset)
    assert result.stdout == "twinkle-reconstructed.mid\n"
    wanted = ops.reconstruct("twinkle.mid", preset=preset[1]).accuracy
    assert result.stderr == f"accuracy {wanted:.4f}\n"
    found = json.loads(shell.ok("reconstruct", "twinkle.mid", *preset, "-f", "--json"))
    assert found["accuracy"] == pytest.approx(wanted)


def test_sample_is_repeatable_by_its_seed(shell: Any, preset: tuple[str, str]) -> None:
    assert shell.ok("sample", *preset, "-n", "2", "--seed", "1") == "tiny-melody-sample.mid"
    first = (shell.folder / "tiny-melody-sample.mid").read_bytes()
    shell.ok("sample", *preset, "-n", "2", "--seed", "1", "-f")
    assert (shell.folder / "tiny-melody-sample.mid").read_bytes() == first
    shell.ok("sample", *preset, "-n", "2", "--seed", "2", "-f")
    assert (shell.folder / "tiny-melody-sample.mid").read_bytes() != first
    assert len(shell.ok("sample", *preset, "-n", "3", "--split", "--png").splitlines()) == 4


def test_vary_writes_as_many_as_are_asked_for(shell: Any, preset: tuple[str, str]) -> None:
    words = ("vary", "twinkle.mid", *preset, "-n", "3", "--similarity", "0.5")
    assert shell.ok(*words) == "twinkle-varied.mid"
    assert len(shell.ok(*words, "--split").splitlines()) == 3
    wanted = Melody().concat(ops.vary("twinkle.mid", 0.5, 3, preset=preset[1])).tensor
    read = tensor("twinkle-varied.mid")
    assert torch.equal(read, wanted[:, : read.shape[1]])


def test_encode_and_decode_give_what_reconstruct_gives(shell: Any, preset: tuple[str, str]) -> None:
    shell.ok("reconstruct", "twinkle.mid", *preset)
    assert shell.ok("encode", "twinkle.mid", *preset) == "twinkle.npz"
    assert shell.ok("decode", "twinkle.npz") == "twinkle-decoded.mid"
    assert torch.equal(tensor("twinkle-decoded.mid"), tensor("twinkle-reconstructed.mid"))
    shell.ok("encode", *PAIR, *preset, "-o", "both.npz")
    lines = shell.ok("decode", "both.npz").splitlines()
    assert lines == [str(Path("both-decoded") / name) for name in ("01-twinkle.mid", "02-ode-to-joy.mid")]


# --- bad input -----------------------------------------------------------------------------------------------------


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
        assert shell.fails(verb, "folder.mid", *rest, *options) == "folder.mid is a folder; name a file in it"


def test_drums_for_a_melody_preset_and_the_other_way(shell: Any, preset: tuple[str, str]) -> None:
    line = shell.fails("interpolate", "twinkle.mid", "rock.mid", *preset)
    assert line == "rock.mid: it has only drums; use --preset drums-2bar"
    line = shell.fails("reconstruct", "twinkle.mid", *_drums(shell))
    assert line == "twinkle.mid: it has no drums; use --preset melody-2bar"


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
        (["interpolate", *PAIR, "--bars", "7-"], "twinkle.mid: bars '7-' is no range of bars"),
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


def test_codes_that_are_none(shell: Any, preset: tuple[str, str]) -> None:
    assert shell.fails("decode", "twinkle.mid").startswith("twinkle.mid is not a whole .npz file of codes")
    assert shell.fails("decode", "no.npz") == "there is no file no.npz; check the name"
    shell.ok("encode", "twinkle.mid", *preset)
    line = shell.fails("decode", "twinkle.npz", *_drums(shell), "-o", "x.mid")
    assert line == (
        "the codes are 8 numbers for 90x32 values, those of 'tiny-drums' 8 numbers for 9x32; use their own preset"
    )


# --- where results go ----------------------------------------------------------------------------------------------


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if anything is computed."""

    def computed(*args: Any, **settings: Any) -> None:
        raise AssertionError("it was computed before the output was checked")

    for verb in ("interpolate", "reconstruct", "sample", "vary", "read"):
        monkeypatch.setattr(ops, verb, computed)


VERBS = [["interpolate", *PAIR], ["reconstruct", "twinkle.mid"], ["sample"], ["vary", "twinkle.mid"]]


@pytest.mark.usefixtures("never")
@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_outputs_are_checked_before_anything_is_computed(shell: Any, preset: tuple[str, str], words: list[str]) -> None:
    (shell.folder / "old.mid").write_bytes(b"old")
    (shell.folder / "old.png").write_bytes(b"old")
    (shell.folder / "folder.mid").mkdir()
    run = [*words, *preset]
    exists = "exists already; -f overwrites it, -o names another"
    assert shell.fails(*run, "-o", "old.mid") == f"old.mid {exists}"
    assert shell.fails(*run, "-o", "new.mid", "--png", "old.png") == f"old.png {exists}"
    assert "is a folder; name a file" in shell.fails(*run, "-o", "folder.mid")
    line = shell.fails(*run, "-o", "old.mid/new.mid")
    assert line.startswith("cannot write in old.mid: ")


@pytest.mark.usefixtures("never")
def test_split_outputs_are_checked_before_anything_is_computed(shell: Any, preset: tuple[str, str]) -> None:
    (shell.folder / "d").mkdir()
    (shell.folder / "d" / "02.mid").write_bytes(b"old")
    words = ("interpolate", *PAIR, *preset, "--split")
    assert shell.fails(*words, "-o", "d").startswith(str(Path("d/02.mid")) + " exists already")
    assert shell.fails(*words, "-o", "twinkle.mid") == "-o twinkle.mid is a file; with --split it must be a folder"


@pytest.mark.usefixtures("never")
@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_folder_that_cannot_be_written(
    shell: Any, preset: tuple[str, str], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*args: Any, **settings: Any) -> str:
        raise PermissionError(13, "Permission denied", "there")

    monkeypatch.setattr("tempfile.mkdtemp", refused)
    line = shell.fails(*words, *preset, "-o", "new/deep/x.mid")
    assert line == f"cannot write in {Path('new/deep')}: Permission denied; name another place with -o"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_folder_without_permission(shell: Any, preset: tuple[str, str]) -> None:
    (shell.folder / "locked").mkdir(mode=0o500)
    assert "cannot write in locked: Permission denied" in shell.fails("sample", *preset, "-o", "locked/x.mid")


def test_force_overwrites(shell: Any, preset: tuple[str, str]) -> None:
    (shell.folder / "old.mid").write_bytes(b"old")
    shell.ok("interpolate", *PAIR, *preset, "--steps", "2", "-o", "old.mid", "-f")
    assert (shell.folder / "old.mid").read_bytes()[:4] == b"MThd"


def test_an_error_on_the_way_leaves_the_old_and_nothing_new(
    shell: Any, preset: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, count = Melody.write, 0

    def full(self: Melody, sample: Sample, path: Path) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise MusicaeError(f"{path} cannot be written: No space left on device")
        write(self, sample, path)

    monkeypatch.setattr(Melody, "write", full)
    (shell.folder / "d").mkdir()
    (shell.folder / "d" / "01.mid").write_bytes(b"old")
    line = shell.fails("interpolate", *PAIR, *preset, "--split", "-o", "d", "-f")
    assert line == f"{Path('d/03.mid')} cannot be written: No space left on device"
    count = 0
    shell.fails("interpolate", *PAIR, *preset, "--split", "-o", "new/folder")


# --- checkpoints ---------------------------------------------------------------------------------------------------


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
        (b"", "is not a whole safetensors file"),
        (whole[:-100], "is not a whole safetensors file"),
        (whole[: size // 2], "is not a whole safetensors file"),
        (b"x" * 200, "is not a whole safetensors file"),
        (changed(format=99), "has format 99, newer than this musicae's 1; update musicae"),
        (changed(preset=3), ""),
        (changed(step="many"), "is not a whole musicae checkpoint"),
        (changed(preset=model), "does not fit the model its header names"),
        (changed(preset=evil), "no adapter named 'os:system'"),
    ]:
        (shell.folder / "bad.safetensors").write_bytes(content)
        for words in (["interpolate", *PAIR], ["sample"]):
            assert said in shell.fails(*words, "--preset", "bad.safetensors")
    assert codecs.load(str(tiny_melody)).step == 7
