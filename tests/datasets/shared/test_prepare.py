"""Preparing: once, by any number of processes with the same result, and from where it was stopped."""

import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from musicae.datasets.shared import prepare
from musicae.datasets.shared.cache import cache_folder
from musicae.datasets.shared.prepare import Plan, batched, prepared
from musicae.datasets.shared.shards import Piece
from musicae.errors import MusicaeError, OutputError
from musicae.formats.temporary import PREFIX


def read(jobs):
    """Return a piece of 20 steps for each number; multiples of 5 have no windows."""
    return [
        Piece(f"p{n}", np.arange(n, n + 20, dtype=np.uint8), np.arange(n % 5), () if n % 5 else (("odd", f"p{n}"),))
        for n in jobs
    ]


def plan(key="key", batches=4, jobs=10, many=10**6, function=read):
    return Plan("numbers", key, [range(i * jobs, (i + 1) * jobs) for i in range(batches)], function, many=many)


def windows_of(found):
    windows, left_out = found
    return windows.values().tolist(), windows.pieces.tolist(), windows.names, str(left_out)


def shard_paths():
    return sorted((cache_folder() / "prepared").rglob("*.safetensors"))


def test_windows_are_numbered_by_their_pieces():
    windows, left_out = prepared(plan(batches=2), (8,), 30, 255)
    assert windows.names == [f"p{n}" for n in range(20) if n % 5]
    assert windows.pieces.tolist() == [i for i, n in enumerate(n for n in range(20) if n % 5) for _ in range(n % 5)]
    assert windows.values()[0].tolist() == list(range(1, 9))
    assert (windows.channels, windows.levels, len(left_out)) == (30, 255, 4)
    whole, _ = prepared(plan(batches=2), (8,), 30, empty=True)
    assert whole.names == [f"p{n}" for n in range(20)]
    assert [whole.names[i] for i in whole.pieces] == [windows.names[i] for i in windows.pieces]


def test_what_was_left_out_is_told_once():
    assert len(prepared(plan(), (8,), 30)[1]) == 8
    assert len(prepared(plan(), (8,), 30)[1]) == 0


def test_a_second_time_nothing_is_prepared(monkeypatch):
    first = windows_of(prepared(plan(), (8,), 30))
    again = prepared(plan(function=lambda jobs: pytest.fail("read again")), (8,), 30)
    assert windows_of(again)[:3] == first[:3]
    assert windows_of(prepared(plan("other", 2), (8,), 30)) != first


@pytest.mark.parametrize("cores", [2, 3, 8])
def test_the_number_of_processes_changes_nothing(cores, monkeypatch, tmp_path, caplog):
    alone = windows_of(prepared(plan(), (8,), 30))
    contents = [path.read_bytes() for path in shard_paths()]
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path / "other"))
    monkeypatch.setattr(prepare, "cores", lambda: cores)
    assert windows_of(prepared(plan(many=10), (8,), 30)) == alone
    assert [path.read_bytes() for path in shard_paths()] == contents
    assert f"preparing numbers in {min(cores, 4)} processes" in caplog.text


def test_what_is_damaged_or_missing_is_made_again():
    first = windows_of(prepared(plan(), (8,), 30))
    made = []

    def counted(jobs):
        made.append(jobs[0])
        return read(jobs)

    paths = shard_paths()
    paths[0].unlink()
    paths[1].write_bytes(paths[1].read_bytes()[:-30])
    changed = bytearray(paths[2].read_bytes())
    changed[-40] ^= 1
    paths[2].write_bytes(changed)
    assert windows_of(prepared(plan(function=counted), (8,), 30)) == first
    assert made == [0, 10, 20]


def test_each_process_of_torchrun_begins_at_another(monkeypatch):
    begun = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    prepared(plan(function=lambda jobs: begun.append(jobs[0]) or read(jobs)), (8,), 30)
    assert begun == [20, 30, 0, 10]


def test_without_a_cache_data_are_in_memory(monkeypatch, tmp_path, caplog):
    first = windows_of(prepared(plan(), (8,), 30))
    (tmp_path / "file").touch()
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path / "file"))
    assert windows_of(prepared(plan(), (8,), 30)) == first
    assert "prepared in memory, set MUSICAE_CACHE" in caplog.text


def test_a_full_disk_is_one_line(monkeypatch):
    def full(*args):
        raise OutputError("a cannot be written: No space left on device")

    monkeypatch.setattr(prepare, "save_shard", full)
    with pytest.raises(OutputError, match=r"No space left on device; set MUSICAE_CACHE to a folder with more room"):
        prepared(plan(), (8,), 30)


def test_batches_are_limited_in_number_and_weight():
    assert batched("abcdef", [1] * 6, 4, 100) == [list("abcd"), list("ef")]
    assert batched("abcdef", [1, 9, 1, 1, 20, 1], 4, 10) == [list("ab"), list("cd"), ["e"], ["f"]]
    assert batched([], [], 4, 10) == []


def _slowly(jobs):
    time.sleep(0.03)
    return read(jobs)


def _prepare_in_a_group_of_its_own(many):
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    prepare.cores = lambda: 2
    prepared(plan("killed", 40, 1, many, _slowly), (8,), 30)


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and looks for processes as Linux shows them")
@pytest.mark.parametrize(("many", "how"), [(1000, signal.SIGKILL), (10, signal.SIGKILL), (10, signal.SIGINT)])
def test_after_a_kill_it_goes_on_with_what_it_has(many, how):
    first = multiprocessing.get_context("fork").Process(target=_prepare_in_a_group_of_its_own, args=(many,))
    first.start()
    wait_until(lambda: len(shard_paths()) >= 4)
    if how == signal.SIGINT:
        os.killpg(first.pid, how)  # As a terminal does.
    else:
        first.kill()
    first.join()
    wait_until(lambda: not alive(first.pid))
    before = {path: path.stat().st_mtime_ns for path in shard_paths()}
    assert 4 <= len(before) < 40
    found = windows_of(prepared(plan("killed", 40, 1), (8,), 30))
    assert found == windows_of(prepared(plan("new", 40, 1), (8,), 30))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    names = {path.name for path in (cache_folder() / "prepared" / "killed").iterdir()}
    assert {f"{n:06}.safetensors" for n in range(40)} == {name for name in names if not name.startswith(PREFIX)}


def wait_until(true, seconds=20):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def alive(session):
    """Tell whether a process of a session is left."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            return True
    return False


def _fail(jobs):
    if 20 in jobs:
        raise MusicaeError("20 is no number")
    return read(jobs)


def _die(jobs):
    if 20 in jobs:
        os.kill(os.getpid(), signal.SIGKILL)
    return read(jobs)


@pytest.mark.parametrize(("function", "line"), [(_fail, "20 is no number"), (_die, "was killed, perhaps for lack of")])
def test_what_a_process_says_at_its_end_is_raised(function, line, monkeypatch):
    monkeypatch.setattr(prepare, "cores", lambda: 2)
    with pytest.raises(MusicaeError, match=line):
        prepared(plan(many=10, function=function), (8,), 30)
    assert torch.equal(prepared(plan(), (8,), 30)[0].pieces, prepared(plan("new"), (8,), 30)[0].pieces)
