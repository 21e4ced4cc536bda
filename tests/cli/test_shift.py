"""The command shift."""

from __future__ import annotations

import json
from pathlib import Path

import pretty_midi
from click.testing import CliRunner

from musicae.cli import main


def run(*words: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [str(word) for word in ("shift", *words)])
    return done.exit_code, done.stdout, done.stderr


def test_it_writes_a_file_and_says_what_became_of_it(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mid"
    code, paths, said = run(repository / "data" / "twinkle.mid", "density=+1", "--bars", "1-2", "-o", out, "--png")
    assert code == 0, said
    assert paths.split() == [str(out), str(tmp_path / "out.png")]
    assert said.startswith("density: was 3.5, is ")
    assert len(pretty_midi.PrettyMIDI(str(out)).instruments[0].notes) > 7
    code, _, said = run(repository / "data" / "twinkle.mid", "density=+1", "-o", out)
    assert (code, "exists already" in said) == (1, True)


def test_json_has_all_attributes(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mid"
    code, text, said = run(repository / "data" / "rock.mid", "hihat=-1", "--bars", "1-2", "-o", out, "--json")
    assert code == 0, said
    facts = json.loads(text)
    assert facts["preset"] == "drums-2bar"
    (change,) = facts["changes"]
    assert change["name"] == "hihat"
    assert change["steps"][-1] < change["was"]
    assert {one["name"] for one in facts["others"]} >= {"density", "repetition"}


def test_mistakes_are_one_line_and_nothing_is_written(repository: Path, tmp_path: Path) -> None:
    tune, out = repository / "data" / "twinkle.mid", tmp_path / "out.mid"
    for words, expected in (
        (["densty=+1"], "no attribute 'densty'; did you mean 'density'? There are density, pitch"),
        (["density"], "'density' is not understood; write density=+1"),
        (["density=+1", "--preset", "melody-lm"], "has no attributes"),
        (["density=+1", "--steps", "0"], "steps must be between 1 and 1000"),
    ):
        code, paths, said = run(tune, *words, "-o", out)
        assert (code, paths) == (1, "")
        assert expected in said
        assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())
    code, _, said = run(tmp_path / "none.mid", "density=+1")
    assert (code, "there is no file" in said) == (1, True)
