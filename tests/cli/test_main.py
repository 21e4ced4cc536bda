"""The command itself: help, names, exit codes, plugins."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import musicae
from musicae import registry
from musicae.cli import main

COMMAND = [sys.executable, "-m", "musicae"]


def test_help_lists_every_command_with_what_it_does(shell: Any) -> None:
    text = shell.ok("--help")
    for name in registry.BUILT_IN["commands"]:
        assert f"\n  {name} " in text
    assert "Turn one file into another, step by step." in text


@pytest.mark.parametrize("name", sorted(registry.BUILT_IN["commands"]))
def test_every_command_has_help(shell: Any, name: str) -> None:
    text = shell.ok(name, "--help")
    assert text.startswith(f"Usage: musicae {name} [OPTIONS]")
    assert shell.ok(name, "-h") == text


def test_version(shell: Any) -> None:
    assert shell.ok("--version") == f"musicae {metadata.version('musicae')}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["interpolat", "a", "b"], "no command named 'interpolat'; did you mean 'interpolate'?"),
        (["--fast"], "No such option"),
        (["interpolate"], "Missing argument 'FILES...'"),
        (["interpolate", "a.mid", "b.mid", "--steps", "many"], "'many' is not a valid integer"),
        (["interpolate", "a.mid", "b.mid", "--align", "stretch"], "'stretch' is not one of"),
    ],
)
def test_wrong_usage_is_exit_code_2(shell: Any, words: list[str], said: str) -> None:
    result = shell(*words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_ctrl_c_is_exit_code_130_and_leaves_nothing(
    shell: Any, tiny_melody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: Any, **settings: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(musicae, "interpolate", interrupted)
    before = shell.files()
    result = shell("interpolate", "twinkle.mid", "ode-to-joy.mid", "--preset", tiny_melody, "--split")
    assert result.exit_code == 130
    assert "Traceback" not in result.output
    assert shell.files() == before


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_process_that_is_told_to_end_cleans_up(shell: Any, tiny_melody: Path, number: int, code: int) -> None:
    before = shell.files()
    command = [*COMMAND, "interpolate", "twinkle.mid", "ode-to-joy.mid", "--steps", "900", "--temperature", "1"]
    process = subprocess.Popen([*command, "--preset", tiny_melody], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and shell.files() == before:
        time.sleep(0.01)
    time.sleep(1)  # It has read its input by then, and computes for long.
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, b"Traceback" in stderr) == (code, b"", False)
    assert shell.files() == before


def test_an_error_of_several_lines_is_printed_as_one(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (shell.folder / "bad.toml").write_text("a = \n\nb")
    assert "is not valid TOML" in shell.fails("show", "bad.toml")


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    process = subprocess.Popen([*COMMAND, "presets"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.wait(30) == 1
    assert process.stderr.read() == ""
    process.stderr.close()


def test_help_is_quick() -> None:
    best = min(_seconds("--help") for _ in range(3))
    assert best < max(0.3, 5 * min(_seconds("-c", "pass", command=[sys.executable]) for _ in range(3)))


def _seconds(*words: str, command: list[str] = COMMAND) -> float:
    started = time.perf_counter()
    subprocess.run([*command, *words], check=True, capture_output=True)
    return time.perf_counter() - started


# --- commands of other packages ------------------------------------------------------------------------------------


def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    name = f"musicae_plugin_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_another_package_brings_a_command(
    shell: Any, entry_points: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "import click\n@click.command()\ndef hello():\n    click.echo('hello from a plugin')\n"
    entry_points.add("commands", "hello", f"{plugin(tmp_path, monkeypatch, text)}:hello", "musicae-hello")
    assert shell.ok("hello") == "hello from a plugin"


def test_help_does_not_import_other_packages(
    shell: Any, entry_points: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = plugin(tmp_path, monkeypatch, "raise ImportError('no such luck')\n")
    entry_points.add("commands", "hello", f"{broken}:hello", "musicae-hello")
    assert "(from the package musicae-hello)" in shell.ok("--help")
    line = shell.fails("hello")
    assert line == (
        f"the command 'hello' ({broken}:hello, from musicae-hello) cannot be imported: ImportError: no such luck"
    )


def test_a_command_that_is_none(shell: Any, entry_points: Any) -> None:
    entry_points.add("commands", "odd", "json:dumps", "musicae-odd")
    assert shell.fails("odd") == "the command 'odd' of musicae-odd is not a click.Command; tell its authors"


def test_two_owners_of_a_command_are_named(shell: Any, entry_points: Any) -> None:
    entry_points.add("commands", "vary", "json:dumps", "musicae-odd")
    assert "two packages own the name 'vary' in commands: musicae and musicae-odd" in shell.fails("--help")


def test_the_commands_can_be_run_by_a_program() -> None:
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0


def test_what_is_to_be_done_at_the_end_is_done() -> None:
    code = (
        "import atexit, sys; atexit.register(print, 'the end'); sys.argv = ['musicae', 'no-such-command'];"
        "from musicae.cli import run; run()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "the end\n")
    assert "no command named" in done.stderr
