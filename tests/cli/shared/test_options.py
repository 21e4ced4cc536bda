"""Options that several commands share."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from musicae.cli.shared.options import BESIDE, OutputCommand, OutputOptions, numbered, reading, step_names, writing


@click.command(cls=OutputCommand)
@click.argument("files", nargs=-1)
@reading
@writing
def command(files: tuple[str, ...], only: str | None, read: dict[str, Any], **options: Any) -> None:
    out = OutputOptions(**options)
    click.echo(repr((files, only, {name: value for name, value in read.items() if value is not None})))
    click.echo(repr(out))
    out.say(["a notice"], ["a remark"])


def run(*words: str) -> Any:
    result = CliRunner().invoke(command, list(words))
    assert result.exit_code == 0, result.output
    return result


def test_the_options_make_up_a_dataclass() -> None:
    result = run("a", "-o", "x.mid", "-f", "--json", "--bars", "1-2", "--fit", "pad")
    files, options = result.stdout.splitlines()
    assert files == repr((("a",), None, {"bars": "1-2", "fit": "pad"}))
    assert options == repr(OutputOptions("x.mid", force=True, as_json=True))
    assert run().stdout.splitlines()[1] == repr(OutputOptions())


@pytest.mark.parametrize(
    ("words", "files", "png", "wav"),
    [
        (["--png", "a.mid", "b.mid"], ("a.mid", "b.mid"), BESIDE, None),
        (["a.mid", "--png"], ("a.mid",), BESIDE, None),
        (["--png", "P.PNG", "a.mid"], ("a.mid",), "P.PNG", None),
        (["--wav", "x.png", "--png", "x.wav"], ("x.png", "x.wav"), BESIDE, BESIDE),
        (["--wav=y.wav", "a"], ("a",), None, "y.wav"),
        (["--", "a", "--png"], ("a", "--png"), None, None),
    ],
)
def test_a_word_belongs_to_an_option_if_it_ends_like_it(
    words: list[str], files: tuple[str, ...], png: str | None, wav: str | None
) -> None:
    given, options = run(*words).stdout.splitlines()
    assert given == repr((files, None, {}))
    assert options == repr(OutputOptions(png=png, wav=wav))


def test_parts_of_a_band_are_collected() -> None:
    files, _ = run(
        "a", "--part", "3=harmony", "--only", "band", "--track", "2", "--part", "Lead=bass"
    ).stdout.splitlines()
    assert files == repr((("a",), "band", {"track": "2", "part": ("3=harmony", "Lead=bass")}))


def test_remarks_are_for_those_who_ask() -> None:
    assert run().stderr == "a notice\n"
    assert run("-v").stderr == "a notice\na remark\n"


def test_names_of_steps_sort_as_they_are_made() -> None:
    assert step_names(3, False) == ["01", "02", "03"]
    assert step_names(2, True) == ["01-01", "01-02", "02-01", "02-02"]
    assert step_names(120, False)[::119] == ["001", "120"]
    assert numbered(3) == ["1", "2", "3"]
