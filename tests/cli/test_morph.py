"""The commands that make music: what they write, and what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from musicae import ops
from musicae.adapters.melody import Melody

PAIR = ("twinkle.mid", "ode-to-joy.mid")


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


def test_the_same_file_twice(shell: Any, drums: tuple[str, str], preset: tuple[str, str]) -> None:
    for how in ("--lerp", "--slerp"):
        found = json.loads(shell.ok("interpolate", "rock.mid", "rock.mid", "-f", "--json", *drums, how))
        assert found["distances"] == [0] * 9
    assert shell.ok("interpolate", "twinkle.mid", "twinkle.mid", *preset) == "twinkle-to-twinkle.mid"


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


def test_sound_and_picture_where_they_are_named(shell: Any, drums: tuple[str, str]) -> None:
    before = shell.files()
    words = ("interpolate", "rock.mid", "rock.mid", *drums, "--steps", "2", "--split", "-o", "d")
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
