"""Killed processes leave files behind; the next one removes them, and only them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from musicae.errors import MusicaeError
from musicae.formats import temporary
from musicae.formats.temporary import PREFIX, locked, sweep, temporary_file, temporary_folder

HERE = f"{PREFIX}{temporary._HOST}-"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such locks")

HOLD = """
import sys, time
from pathlib import Path
from musicae.formats.temporary import locked, temporary_file, temporary_folder
folder = Path(sys.argv[1])
with locked(folder, "a training"), temporary_file(folder) as path, temporary_folder(folder) as inside:
    path.write_bytes(b"half")
    (inside / "part").write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Return a process that has a temporary file and folder in `tmp_path`, and locks that."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def left(folder: Path) -> int:
    return len([path for path in folder.iterdir() if path.name.startswith(PREFIX)])


def test_a_living_process_keeps_its_files_and_a_killed_one_leaves_none(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(temporary, "_STARTED", time.time() + 10)
    sweep.cache_clear()
    with temporary_file(tmp_path):
        assert left(tmp_path) == 3
    with pytest.raises(MusicaeError, match=r"a training is running in .*; wait for it"), locked(tmp_path, "a training"):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert left(tmp_path) == 2
    sweep.cache_clear()
    with temporary_folder(tmp_path) as folder:
        assert list(folder.iterdir()) == []
        assert left(tmp_path) == 1
    assert left(tmp_path) == 0
    with locked(tmp_path, "a training"):
        pass


def test_what_is_newer_than_this_process_or_not_ours_stays(tmp_path, monkeypatch):
    (tmp_path / f"{HERE}new").write_bytes(b"")
    (tmp_path / "song.tmp").write_bytes(b"")
    target = tmp_path / "precious"
    target.mkdir()
    (target / "file").write_bytes(b"")
    (tmp_path / f"{PREFIX}link").symlink_to(target)
    monkeypatch.setattr(temporary, "_STARTED", time.time() - 10)
    sweep.cache_clear()
    sweep(tmp_path)
    assert (tmp_path / f"{HERE}new").exists()
    monkeypatch.setattr(temporary, "_STARTED", time.time() + 10)
    sweep.cache_clear()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{PREFIX}link", "precious", "song.tmp"]
    assert (target / "file").exists()


def test_a_folder_that_cannot_be_looked_at_does_not_matter(tmp_path):
    sweep.cache_clear()
    sweep(tmp_path / "none")
    with pytest.raises(OSError, match="No such file"), temporary_file(tmp_path / "none"):
        pass


def test_a_file_may_be_renamed_and_is_else_removed(tmp_path):
    with temporary_file(tmp_path) as path:
        path.write_text("x")
        path.rename(tmp_path / "kept")
    with temporary_file(tmp_path) as path:
        path.write_text("y")
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]


def test_what_another_machine_left_stays_for_a_week(tmp_path, monkeypatch):
    # It may be at work: its lock need not be seen from here.
    monkeypatch.setattr(temporary, "_STARTED", time.time() + 10)
    for name, days in (("new", 1), ("old", 8)):
        (tmp_path / f"{PREFIX}0-{name}").write_bytes(b"")
        os.utime(tmp_path / f"{PREFIX}0-{name}", (time.time() - 86400 * days,) * 2)
    sweep.cache_clear()
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{PREFIX}0-new"]
