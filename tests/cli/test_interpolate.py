"""The command interpolate: what it writes, and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image as Pillow

import musicae
from musicae.adapters.melody import Melody

PAIR = ("twinkle.mid", "ode-to-joy.mid")
PICTURES = ("three.png", "seven.png")


def tensor(path: str | Path) -> torch.Tensor:
    return Melody().read(Path(path)).tensor


def size(path: str | Path) -> tuple[int, int]:
    with Pillow.open(path) as image:
        return image.size


@pytest.fixture
def digits(tiny_digits: Path) -> tuple[str, str]:
    return ("--preset", str(tiny_digits))


def test_the_path_of_one_joined_file_is_all_that_is_printed(shell: Any, preset: tuple[str, str]) -> None:
    before = shell.files()
    result = shell("interpolate", *PAIR, *preset)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "twinkle-to-ode-to-joy.mid\n", "")
    assert shell.new(before) == ["twinkle-to-ode-to-joy.mid"]
    made = musicae.interpolate(*PAIR, preset=preset[1])
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
    made = musicae.interpolate(*PAIR, preset=preset[1], steps=3)
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
    assert "greensleeves.mid has 9 bars of 6/8, not 8 of 4/4; it was looped" in found["remarks"]


def test_what_was_done_to_the_shorter_is_said_aloud(shell: Any, preset: tuple[str, str]) -> None:
    arguments = ("interpolate", "twinkle.mid", "greensleeves.mid", *preset, "--steps", "2")
    assert "greensleeves.mid has 9 bars of 6/8, not 8 of 4/4; it was looped" in shell(*arguments).stderr
    assert (
        "twinkle.mid has 8 bars of 4/4, not 9 of 6/8; it was cut" in shell(*arguments, "-f", "--align", "trim").stderr
    )


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
    wanted = musicae.interpolate(*PAIR, preset=preset[1], steps=4, **settings).joined()
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


# --- pictures and sounds -----


def test_two_pictures_make_a_strip(gallery: Any, digits: tuple[str, str]) -> None:
    before = gallery.files()
    assert gallery.ok("interpolate", *PICTURES, *digits, "--steps", "5") == "three-to-seven.png"
    assert gallery.new(before) == ["three-to-seven.png"]
    assert size("three-to-seven.png") == (5 * 30 - 2, 28)
    with Pillow.open("three-to-seven.png") as image:
        strip = np.asarray(image).astype(int)
    made = musicae.interpolate(*PICTURES, preset=digits[1], steps=5)
    for i, part in enumerate(made.parts):
        wanted = (part.tensor[0] * 255).round().numpy().astype(int)
        assert np.abs(strip[:, 30 * i : 30 * i + 28] - wanted).max() <= 1


def test_a_gif_moves_there_and_back(gallery: Any, digits: tuple[str, str]) -> None:
    gallery.ok("interpolate", *PICTURES, *digits, "--steps", "9", "--uneven", "-o", "x.gif")
    with Pillow.open("x.gif") as image:
        assert image.n_frames > 4  # Frames that are equal are one, for longer.
        assert image.size == (112, 112)


def test_a_grid_is_a_square_and_a_picture_of_pictures_is_not_written_twice(
    gallery: Any, digits: tuple[str, str]
) -> None:
    words = ("interpolate", *PICTURES, *PICTURES, *digits, "--grid", "--steps", "3", "--png")
    assert gallery.ok(*words) == "three-seven-three-seven-grid.png"
    assert size("three-seven-three-seven-grid.png") == (88, 88)
    assert gallery.ok(*words, "-o", "g.webp", "--png", "g2.png").splitlines() == ["g.webp", "g2.png"]
    assert size("g2.png") == (88, 88)


def test_split_writes_a_picture_for_each_step(gallery: Any, digits: tuple[str, str]) -> None:
    lines = gallery.ok("interpolate", *PICTURES, *digits, "--steps", "3", "--split", "-o", "d").splitlines()
    assert lines == [str(Path("d") / f"0{i}.png") for i in (1, 2, 3)]
    assert {size(line) for line in lines} == {(28, 28)}


def test_sounds_are_interpolated_varied_and_made_up(studio: Any, tiny_drum: Path) -> None:
    for name, frequency in (("kick", 100), ("snare", 900), ("hat", 2500), ("tom", 300)):
        time = np.arange(2000) / 8000
        soundfile.write(f"{name}.wav", 0.5 * np.sin(2 * np.pi * frequency * time) * np.exp(-20 * time), 8000)
    words = ("--preset", str(tiny_drum))
    made = studio.ok("interpolate", "kick.wav", "snare.wav", *words, "--steps", "3", "--png").splitlines()
    assert made == ["kick-to-snare.wav", "kick-to-snare.png"]
    assert soundfile.info(made[0]).frames == 3 * 32 * 64
    assert len(studio.ok("interpolate", "kick.wav", "snare.wav", *words, "--steps", "3", "--split").splitlines()) == 3
    square = ("kick.wav", "snare.wav", "hat.wav", "tom.wav")
    assert studio.ok("interpolate", *square, *words, "--grid", "--steps", "2", "-o", "grid.wav") == "grid.wav"
    assert soundfile.info("grid.wav").frames == 4 * 32 * 64
    for verb in (("vary", "kick.wav"), ("reconstruct", "kick.wav"), ("sample",)):
        (path,) = studio.ok(*verb, *words, "-o", f"{verb[0]}.flac").splitlines()
        assert soundfile.info(path).frames == 32 * 64


def test_a_label_for_all_or_for_each(gallery: Any, tiny_classes: Path) -> None:
    words = ("interpolate", *PICTURES, "--preset", tiny_classes, "--steps", "3")
    for given, wanted in (("3", "3"), ("3,7", ["3", "7"])):
        gallery.ok(*words, "--label", given, "-f", "-o", "x.png")
        made = musicae.interpolate(*PICTURES, preset=str(tiny_classes), steps=3, label=wanted).joined()
        with Pillow.open("x.png") as image:
            strip = np.asarray(image).astype(int)
        for i in range(3):
            part = (made.tensor[0, :, 28 * i : 28 * i + 28] * 255).round().numpy().astype(int)
            assert np.abs(strip[:, 30 * i : 30 * i + 28] - part).max() <= 1
    assert "there are 3 labels for 2 inputs" in gallery.fails(*words, "--label", "1,2,3")
    assert "choose a label of 0, 1, 2" in gallery.fails(*words)
