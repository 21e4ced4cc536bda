"""Outputs are checked first, and appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import musicae
from musicae.adapters.melody import Melody
from musicae.core import Sample
from musicae.errors import MusicaeError

PAIR = ("twinkle.mid", "ode-to-joy.mid")
VERBS = [["interpolate", *PAIR], ["reconstruct", "twinkle.mid"], ["sample"], ["vary", "twinkle.mid"]]


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if anything is computed."""

    def computed(*args: Any, **settings: Any) -> None:
        raise AssertionError("it was computed before the output was checked")

    for verb in ("interpolate", "reconstruct", "sample", "vary"):
        monkeypatch.setattr(musicae, verb, computed)


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
