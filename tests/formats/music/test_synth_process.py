"""A process that renders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from musicae.formats.music.synth import decoded, soundfont
from musicae.formats.music.synth_process import HEAD

COMMAND = [sys.executable, "-m", "musicae.formats.music.synth_process", str(soundfont())]


def test_it_renders_each_file_and_ends_with_its_input(repository: Path) -> None:
    data = (repository / "data" / "rock.mid").read_bytes()
    done = subprocess.run(COMMAND, input=2 * (HEAD.pack(len(data)) + data), capture_output=True, timeout=60)
    assert done.returncode == 0
    (size,) = HEAD.unpack(done.stdout[: HEAD.size])
    first, rest = done.stdout[HEAD.size : HEAD.size + size], done.stdout[HEAD.size + size :]
    assert rest == HEAD.pack(size) + first
    assert abs(decoded(first)).max() > 0.01


def test_it_imports_nothing_that_takes_long() -> None:
    code = (
        "import sys, musicae.formats.music.synth_process; print(*(n for n in ('torch', 'numpy') if n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "\n"
