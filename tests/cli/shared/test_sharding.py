"""Folders shared among machines: what each command takes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def album(gallery: Any) -> Any:
    (gallery.folder / "album").mkdir()
    for name in ("three", "seven", "scene"):
        (gallery.folder / f"{name}.png").rename(gallery.folder / "album" / f"{name}.png")
    return gallery


def test_two_machines_restore_a_folder(album: Any, tiny_denoise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("denoise", "album", "--preset", str(tiny_denoise))
    first = album.ok(*words, "--shard", "1/2").splitlines()
    for name, value in {"ID": 2, "MIN": 1, "MAX": 2, "COUNT": 2}.items():
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", str(value))
    result = album(*words)
    assert result.exit_code == 0
    assert result.stderr == "shard 2/2, as SLURM_ARRAY_TASK_ID says; --shard 1/1 takes all files\n"
    second = result.stdout.splitlines()
    assert first
    assert second
    assert sorted(first + second) == [f"album-denoised/{name}.png" for name in ("scene", "seven", "three")]
    assert album(*words, "--shard", "1/1").stderr.startswith("3 of 3 are done already")
    # One file is not divided, whatever the environment says.
    assert album.ok("denoise", "album/three.png", "--preset", str(tiny_denoise)) == "album/three-denoised.png"


def test_a_shard_without_files_is_done_at_once(album: Any, tiny_denoise: Path) -> None:
    words = ("denoise", "album", "--preset", str(tiny_denoise), "--shard")
    results = [album(*words, f"{i}/9") for i in range(1, 10)]
    assert {result.exit_code for result in results} == {0}
    empty = [result.stderr for result in results if not result.stdout]
    assert len(empty) >= 6
    assert empty[0].endswith("/9 has none of the files\n")


def test_each_machine_encodes_a_file_of_its_own(album: Any, tiny_digits: Path) -> None:
    names = []
    for i in (1, 2):
        path = album.ok("encode", "album", "--preset", str(tiny_digits), "-o", "codes.npz", "--shard", f"{i}/2")
        assert path == f"codes-{i}-of-2.npz"
        with np.load(path) as codes:
            names += codes["names"].tolist()
    assert sorted(names) == ["scene.png", "seven.png", "three.png"]
    line = album.fails("encode", "album/three.png", "album/seven.png", "--preset", str(tiny_digits), "--shard", "5/900")
    assert line == "shard 5/900 has none of the 2 files; take fewer shards"


@pytest.mark.parametrize("command", ["denoise", "upscale", "encode", "score"])
def test_a_wrong_shard_is_one_line(album: Any, command: str) -> None:
    assert album.fails(command, "album", "--shard", "3of10") == "--shard 3of10: write it as 3/10, the third of ten"
    line = album.fails(command, "album/three.png", "--shard", "1/2")
    assert line == "--shard is for a folder or several files; leave it out"
