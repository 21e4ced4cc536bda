"""Many files: where their results go, what is skipped, and several processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image as Pillow

from musicae.errors import MusicaeError, OutputError
from musicae.ops import detect
from musicae.ops.restore import denoise
from musicae.ops.restore_all import plan, restore_all
from musicae.ops.restored import RestoreOptions
from musicae.ops.shards import Shard


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with two pictures at two depths, and one that is damaged."""
    (tmp_path / "album" / "deep").mkdir(parents=True)
    for i, name in enumerate(("b.png", "deep/c.png")):
        Pillow.new("L", (9, 7), 50 + i).save(tmp_path / "album" / name)
    (tmp_path / "album" / "a.png").write_bytes(b"hello")
    return tmp_path / "album"


def test_each_is_yielded_when_it_is_done(album: Path, tiny_denoise: Path, tmp_path: Path) -> None:
    results = restore_all([album], tmp_path / "out", preset=str(tiny_denoise))
    first = next(results)
    assert (first.source, first.path) == (album / "a.png", tmp_path / "out" / "a.png")
    assert "a.png is not a picture" in first.error
    second = next(results)
    assert (second.error, second.preset, second.path) == ("", "tiny-denoise", tmp_path / "out" / "b.png")
    assert second.path is not None
    assert second.path.is_file()
    assert not (tmp_path / "out" / "deep" / "c.png").exists()
    assert [made.path for made in results] == [tmp_path / "out" / "deep" / "c.png"]


def test_it_goes_on_where_it_stopped(album: Path, tiny_denoise: Path) -> None:
    made = list(restore_all([album], preset=str(tiny_denoise)))
    folder = album.with_name("album-denoised")
    assert [one.path for one in made if not one.error] == [folder / "b.png", folder / "deep" / "c.png"]
    assert [one.source for one in restore_all([album], preset=str(tiny_denoise))] == [album / "a.png"]
    assert len(list(restore_all([album], preset=str(tiny_denoise), overwrite=True))) == 3


def test_several_at_a_time_give_the_same(album: Path, tiny_upscale: Path, tmp_path: Path) -> None:
    one, two = (
        list(restore_all([album], tmp_path / str(jobs), verb="upscale", preset=str(tiny_upscale), jobs=jobs))
        for jobs in (1, 2)
    )
    assert [made.source for made in one] == [made.source for made in two]
    assert [bool(made.error) for made in two] == [True, False, False]
    with Pillow.open(tmp_path / "2" / "b.png") as image:
        assert image.size == (18, 14)


def test_where_the_results_go(album: Path, tiny_denoise: Path, tmp_path: Path) -> None:
    def targets(*sources: Path, folder: Path | None = None, verb: str = "denoise") -> list[str]:
        made = plan(sources, folder, verb=verb, preset=str(tiny_denoise))
        return [target.relative_to(tmp_path).as_posix() for _, target in made.pairs]

    assert targets(album / "b.png") == ["album/b-denoised.png"]
    assert targets(album / "b.png", verb="upscale") == ["album/b-upscaled.png"]
    assert targets(album / "b.png", album / "deep" / "c.png", folder=tmp_path / "x") == ["x/b.png", "x/c.png"]
    assert targets(album / "deep", album / "b.png") == ["album/deep-denoised/c.png", "album/b-denoised.png"]
    for sources, folder, said in (
        ([album], album, "is an input itself"),
        ([album / "b.png", album / "b.png"], tmp_path, "would both be written to"),
        ([tmp_path / "no.png"], None, "there is no file"),
    ):
        with pytest.raises(MusicaeError, match=said):
            plan(sources, folder, preset=str(tiny_denoise))
    with pytest.raises(MusicaeError, match="--keep-noise and --png are for one file"):
        plan([album], preset=str(tiny_denoise), options=RestoreOptions(noise=Path("n.wav")))


def test_a_result_ends_as_its_source_where_that_can_be_written(tmp_path: Path, tiny_voice: Path) -> None:
    for name in ("a.m4a", "b.FLAC"):
        (tmp_path / name).write_bytes(b"hello")
    made = plan([tmp_path / "a.m4a", tmp_path / "b.FLAC"], preset=str(tiny_voice))
    assert [target.name for _, target in made.pairs] == ["a-denoised.wav", "b-denoised.FLAC"]


def test_a_disk_that_is_full_ends_it(album: Path, tiny_denoise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **settings: Any) -> None:
        raise OutputError("no space left")

    monkeypatch.setattr("musicae.adapters.image.Image.write", full)
    with pytest.raises(OutputError, match="no space left"):
        list(restore_all([album], preset=str(tiny_denoise)))


def test_where_the_preset_is_in_doubt_each_result_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "log_odds", lambda content, samples, rate: 0.5)
    file = tmp_path / "a.wav"
    soundfile.write(file, 0.1 * np.ones((2000, 1)), 44_100)
    said = [f"{file} was taken for speech; if it is music, add --preset denoise"]
    (made,) = restore_all([file], tmp_path / "out")
    assert (made.error, made.preset, made.notices) == ("", "denoise-speech", said)
    assert denoise(file).notices == said
    assert denoise(file, preset="denoise").notices == []


def test_shards_share_the_files_out(tiny_denoise: Path, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    for i in range(6):
        Pillow.new("L", (9, 7), 50 + i).save(tmp_path / "album" / f"{i}.png")
    done = [
        [made.source for made in restore_all([tmp_path / "album"], preset=str(tiny_denoise), shard=Shard(i, 2))]
        for i in (1, 2)
    ]
    assert sorted(done[0] + done[1]) == sorted((tmp_path / "album").iterdir())
    assert all(done)
    assert not list(restore_all([tmp_path / "album"], preset=str(tiny_denoise)))


def test_two_results_of_one_place_are_refused_by_their_shard(tiny_denoise: Path, tmp_path: Path) -> None:
    for name in ("a/x.png", "b/x.png"):
        (tmp_path / name).parent.mkdir()
        Pillow.new("L", (9, 7)).save(tmp_path / name)
    folders = [tmp_path / "a", tmp_path / "b"]
    own, other = (Shard(1, 2), Shard(2, 2)) if Shard(1, 2).takes(Path("x")) else (Shard(2, 2), Shard(1, 2))
    assert plan(folders, tmp_path / "out", preset=str(tiny_denoise), shard=other).pairs == []
    with pytest.raises(MusicaeError, match="would both be written to"):
        plan(folders, tmp_path / "out", preset=str(tiny_denoise), shard=own)


def test_a_folder_that_another_shard_removed_is_made_again(album: Path, tiny_denoise: Path, tmp_path: Path) -> None:
    results = restore_all([album], tmp_path / "out", preset=str(tiny_denoise))
    assert next(results).error  # It left nothing in the folder.
    (tmp_path / "out" / "deep").rmdir()
    (tmp_path / "out").rmdir()
    assert [made.error for made in results] == ["", ""]


_ENDED_TWICE = """
import os, signal, sys, time
from pathlib import Path
from musicae.formats.temporary import temporary_file
from musicae.ops import restore_all

def unlink(self, missing_ok=False):
    os.kill(os.getpid(), signal.SIGTERM)  # Again, while it cleans up.
    return remove(self, missing_ok)

remove, Path.unlink = Path.unlink, unlink
signal.signal(signal.SIGTERM, restore_all._end)
with temporary_file(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_worker_that_is_ended_twice_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _ENDED_TWICE, str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, "")
    assert list(tmp_path.iterdir()) == []
