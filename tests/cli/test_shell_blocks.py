"""Every shell block of the pages does what it says: its commands run, one after another, in a folder with such files.

Training runs for two steps, with made-up data; what needs other programs, packages or machines is listed below, and its
syntax is checked.
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from fake_devices import FakeDevices
from shown_files import make_files

from musicae import registry

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

ELSEWHERE = {
    r"(.*/)?pip |python3 -m venv ": "installs packages",
    r"hf auth |musicae push ": "needs an account at a hub; tests/test_hub.py runs it against a server of its own",
    r".*\bhf:": "needs a hub, as above",
    r"musicae play\b": "runs until Ctrl-C; tests/web runs it, with a browser",
    r"python tests/(bench|fuzz)/": "takes long, and data that are not in the repository",
    r"musicae evaluate runs/denoise-speech": "takes minutes; tests/evaluations/test_sounds.py runs it",
    r"musicae export ": "takes long; tests/cli/test_export.py runs it",
    r"export |first=": "prepares a machine",
}
"""What does not run here, and why."""

FEW = shlex.split(
    "--steps 1 --processes 1 --set training.prior_steps=0 --set training.batch=2 --set training.attributes=0"
)
FEW_DRAWS = shlex.split("--set evaluation.importance=5 --set evaluation.importance_all=5 --set evaluation.samples=20")


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def lines(page: Path) -> list[str]:
    """Return the commands of a page, each on one line, but for those of scripts."""
    shown = [block for block in blocks(page) if not re.search(r"^(for|mkdir|#!) ", block, flags=re.MULTILINE)]
    joined = "".join(shown).replace("\\\n", " ")
    return [re.sub(r"\s+#.*", "", line) for line in joined.splitlines() if line.strip() and line[0] != "#"]


def command(line: str) -> list[str]:
    """Return the words after ``musicae`` in a line; none if it does not run here."""
    if any(re.match(pattern, line) for pattern in ELSEWHERE):
        return []
    if wrapped := re.search(r'--wrap "musicae (.*)"', line):
        line = f"musicae {wrapped[1]}"
    found = re.match(r"(?:musicae|torchrun .* -m musicae|srun torchrun .* -m musicae) (.*)", line)
    assert found, f"what is this? {line}"
    return shlex.split(found[1])


def shortened(words: list[str]) -> list[str]:
    """Return a command that does the same in less time, and writes over what the one before made.

    Training takes one step, on the data that are named alone; of tunes two bars are read, and nothing else is compared.
    """
    made = registry.lookup("commands", words[0])
    if isinstance(made, click.Group):
        made = made.commands[words[1]]
    options = [name for option in made.params for name in option.opts]
    if "-f" in options:
        words = [*words, "-f"]
    if "--bars" in options and words[1].endswith(".mid") and not {"--bars", "--chords"} & set(words):
        words = [*words, "--bars", "1-2"]
    if words[0] == "train":
        words = [*without(words, "--steps", "--processes"), *FEW]
        if "pop909=DIR" in words:
            words = [*words, "--set", "dataset.name=pop909"]
        if "drum-sounds" in words:
            words = [*words, "--set", "model.columns=4", "--set", "model.latent=128"]  # Few principal components.
    if words[0] == "evaluate":
        words = [*without(words, "--against", "--limit"), "--limit", "2", *FEW_DRAWS]
    return words


def without(words: list[str], *options: str) -> list[str]:
    """Return a command without some options and their values."""
    return [word for i, word in enumerate(words) if word not in options and words[i - 1] not in options]


def run(shell: Any, words: list[str]) -> None:
    """Run a command with what it reads from and writes to files by the shell's signs."""
    source, target = None, None
    if "<" in words:
        source = words[words.index("<") + 1]
        words = [word for word in words if word not in ("<", source)]
    if ">" in words:
        target = words[words.index(">") + 1]
        words = [word for word in words if word not in (">", target)]
    if words[0] == "train" and "--resume" not in words:
        made = words[words.index("-o") + 1] if "-o" in words else f"runs/{words[1]}"
        shutil.rmtree(shell.folder / made, ignore_errors=True)
    given = (shell.folder / source).read_bytes() if source else b""
    done = shell(*shortened(words), input=io.BytesIO(given))
    assert done.exit_code == 0, f"musicae {shlex.join(words)}: {done.stderr}"
    if target:
        (shell.folder / target).write_bytes(done.stdout_bytes)


@pytest.fixture
def place(shell: Any, mnist: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A folder with all files that the pages name, and MNIST where data are kept; the microphone hears nothing."""
    make_files(shell.folder, ROOT)
    monkeypatch.setenv("MUSICAE_DATA", str(shell.folder / "sets"))
    shutil.copytree(mnist, shell.folder / "sets" / "mnist")
    shutil.copytree(mnist, shell.folder / "my-folder", dirs_exist_ok=True)
    monkeypatch.setitem(sys.modules, "sounddevice", FakeDevices(np.zeros((16_000, 1))))
    return shell


@pytest.mark.timeout(900)  # A page may have twenty commands, and the machine other work.
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_the_page_run(page: Path, place: Any) -> None:
    for line in lines(page):
        words = command(line)
        if words:
            run(place, words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_shown_is_a_shells_language(page: Path) -> None:
    for block in blocks(page):
        subprocess.run(["bash", "-n"], input=block, text=True, check=True)


def test_nothing_is_kept_from_running_for_no_reason() -> None:
    shown = [line for page in PAGES for line in lines(page)]
    for pattern in ELSEWHERE:
        assert any(re.match(pattern, line) for line in shown), pattern
