"""What is imported when: nothing heavy before it is used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

NEW = "import json, sys; before = set(sys.modules)\n{}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
COMMAND = """
import contextlib, io
from musicae.cli import main
sys.argv = ["musicae", *{!r}]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as said:
    main()
assert "Usage" in said.getvalue(), said.getvalue()
"""


def imported(code: str) -> set[str]:
    """Return the top-level packages outside the standard library that `code` loads in a fresh process."""
    done = subprocess.run([sys.executable, "-c", NEW.format(code)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tops = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    return tops - set(sys.stdlib_module_names)


@pytest.mark.parametrize("module", ["musicae", "musicae.errors", "musicae.registry", "musicae.preset"])
def test_names_and_presets_need_no_other_package(module: str) -> None:
    assert imported(f"import {module}") == {"musicae"}


def test_reading_a_presets_name_needs_no_other_package() -> None:
    assert imported("from musicae import preset, registry; preset.listed(); registry.names('models')") == {"musicae"}


@pytest.mark.parametrize("arguments", [["--help"], ["interpolate", "--help"], ["train", "--help"]], ids=" ".join)
def test_help_loads_click_and_nothing_else(arguments: list[str]) -> None:
    assert imported(COMMAND.format(arguments)) <= {"click", "musicae"}


def test_the_engine_loads_no_file_format() -> None:
    engine = "from musicae import codec, splits; from musicae.tensors import windows; from musicae.training import loop"
    heavy = {"librosa", "matplotlib", "mido", "music21", "pretty_midi", "soundfile", "symusic", "torchaudio"}
    assert not imported(engine) & heavy
