"""The Tab key: what is completed, quickly, in real shells."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from musicae import folders, preset, registry
from musicae.cli import main
from musicae.cli.shared import completing


def completed(*words: str) -> list[str]:
    """Return what is completed after `words`, the last of which is being typed."""
    from click.shell_completion import ShellComplete

    complete = ShellComplete(main, {}, "musicae", "_MUSICAE_COMPLETE")
    return [item.value if item.type == "plain" else f"<{item.type}>" for item in complete.get_completions(
        [*words[:-1]], words[-1])]  # fmt: skip


def test_commands_and_options_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "lookup", None)  # No command is imported for its name.
    assert completed("inter") == ["interpolate"]
    assert set(registry.names("commands")) == set(completed(""))
    assert completed("--ver") == ["--version"]
    monkeypatch.undo()
    assert completed("interpolate", "--ste") == ["--steps"]
    assert completed("plot", "la") == ["latent"]


@pytest.mark.parametrize(
    "words",
    [("sample", "--preset"), ("sample",), ("train",), ("train", "melody-2bar", "--from"), ("evaluate",), ("show",),
     ("interpolate", "a.mid", "--preset"), ("personalize",), ("plot", "latent"), ("push",), ("attributes",),
     ("decode", "a.npz", "--preset"), ("quantize",)],
    ids=" ".join,
)  # fmt: skip
def test_names_of_presets_are_completed(words: tuple[str, ...]) -> None:
    assert completed(*words, "melody") == ["melody-16bar", "melody-2bar", "melody-lm"]


def test_presets_of_the_hub_and_files_of_weights_are_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (folders.cache_folder() / "hub" / "me" / "tunes" / "revisions").mkdir(parents=True)
    (tmp_path / "mine.safetensors").touch()
    (tmp_path / "mine.mid").touch()
    assert completed("show", "hf:") == ["hf:me/tunes"]
    assert completed("show", "mi") == ["mine.safetensors"]
    assert completed("show", "runs/") == ["<file>"]
    assert set(preset.listed()) <= set(completed("show", ""))


def test_attributes_data_sets_and_files_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tunes" / "old").mkdir(parents=True)
    assert completed("shift", "a.mid", "dens") == ["density=+1"]
    assert completed("vary", "a.mid", "--shift", "sync") == ["syncopation=+1", "syncopation16=+1"]
    assert completed("shift", "") == ["<file>"]
    assert completed("interpolate", "a") == ["<file>"]
    assert completed("train", "x", "--data", "pop9") == ["pop909="]
    assert completed("train", "x", "--data", "pop909=tu") == ["pop909=tunes/"]
    assert completed("train", "x", "--data", "pop909=tunes/") == ["pop909=tunes/old/"]
    assert completed("train", "x", "--data", "") == ["<dir>"]
    assert completed("vary", "--only", "d") == ["drums"]
    assert completed("denoise", "a.wav", "-o", "x") == ["<file>"]


def test_what_goes_wrong_completes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("two packages own it")

    monkeypatch.setattr(preset, "listed", broken)
    context = click.Context(main)
    assert completing.presets(context, click.Option(["--preset"]), "m") == []


def test_completing_loads_click_and_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules)\nfrom musicae.cli import main\n"
        "import contextlib\nwith contextlib.suppress(SystemExit):\n    main(prog_name='musicae')\n"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)\n"
        "assert tops <= {'click', 'musicae', 'platformdirs'}, tops"
    )
    env = {**os.environ, "COMP_WORDS": "musicae sample --preset mel", "COMP_CWORD": "3"}
    env["_MUSICAE_COMPLETE"] = "bash_complete"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["plain,melody-16bar", "plain,melody-2bar", "plain,melody-lm"]


# --- in real shells --------------------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the command ``musicae``, which is on the PATH, and a file."""
    script = tmp_path / "bin" / "musicae"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m musicae "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)])))
    (tmp_path / "twinkle-tune.mid").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


ROOT = Path(__file__).resolve().parents[3]
START = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(_MUSICAE_COMPLETE=bash_source musicae)"'),
    "zsh": (["-f", "-i"], 'autoload -Uz compinit; compinit -u; eval "$(_MUSICAE_COMPLETE=zsh_source musicae)"'),
}


def typed(shell: str, lines: list[str], wanted: Callable[[str], bool]) -> str:
    """Type lines into an interactive shell until what it shows is as `wanted`, and return that."""
    options, start = START[shell]
    pid, terminal = pty.fork()
    if not pid:
        os.execvp(shell, [shell, *options])
    seen, ends = "", time.monotonic() + 60
    try:
        os.write(terminal, f"PS1='$ '; {start}; echo rea''dy\n".encode())
        for line, done in [("", lambda text: "ready" in text), *((line, wanted) for line in lines)]:
            os.write(terminal, line.encode())
            seen = seen if not line else ""
            while not done(seen) and time.monotonic() < ends:
                if select.select([terminal], [], [], 0.2)[0]:
                    seen += re.sub(
                        r"\x1b\[[\d;?]*[A-Za-z]|\x07|\r", "", os.read(terminal, 4096).decode(errors="replace")
                    )
    finally:
        os.close(terminal)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return seen


@pytest.mark.parametrize("shell", list(START))
@pytest.mark.parametrize(
    ("line", "shown"),
    [("musicae interp\t", "interpolate "), ("musicae sample --preset drums-2\t", "drums-2bar "),
     ("musicae vary twink\t", "twinkle-tune.mid ")],
)  # fmt: skip
def test_it_completes_in_a_shell(command: Path, shell: str, line: str, shown: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    assert shown in typed(shell, [line], lambda text: shown in text)


def test_it_completes_in_fish(command: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("there is no fish here")

    def asked(line: str) -> list[str]:
        code = f"_MUSICAE_COMPLETE=fish_source musicae | source; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", code], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return [one.partition("\t")[0] for one in done.stdout.splitlines()]

    assert asked("musicae interp") == ["interpolate"]
    assert asked("musicae sample --preset drums-2") == ["drums-2bar"]
    assert "twinkle-tune.mid" in asked("musicae vary twink")
