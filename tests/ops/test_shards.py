"""Parts of a job: every file in one of them, whoever asks, and files of one result together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from musicae.errors import MusicaeError
from musicae.ops.shards import ALL, Shard, from_environment, parse

NAMES = [Path(f"disc {i % 7}/song {i}.wav") for i in range(2000)]


def test_every_file_is_in_one_shard_and_they_are_even() -> None:
    shards = [Shard(i, 10) for i in range(1, 11)]
    taken = [shard.of([(name, name) for name in NAMES]) for shard in shards]
    assert Counter(name for part in taken for name, _ in part) == Counter(NAMES)
    assert all(150 < len(part) < 250 for part in taken)


def test_it_depends_on_the_name_alone() -> None:
    # Where it is decided anew by another version, machines of both would leave files out.
    taken = [[name for name in "abcdefgh" if Shard(i, 3).takes(Path(name))] for i in (1, 2, 3)]
    assert taken == [["f"], ["a", "b"], ["c", "d", "e", "g", "h"]]
    assert not ALL.of([])
    assert all(ALL.takes(name) for name in (Path("x"), Path(".hidden"), Path("\udcff.wav")))


def test_files_that_may_become_one_are_together() -> None:
    for i in range(50):
        shards = [[Shard(k, 7).takes(Path(f"{i}/x.{kind}")) for k in range(1, 8)] for kind in ("wav", "flac", "JPG")]
        assert shards[0] == shards[1] == shards[2]


def test_a_shard_is_read() -> None:
    assert parse("3/10") == Shard(3, 10)
    assert parse("1/1") == ALL


@pytest.mark.parametrize("text", ["", "3", "0/10", "11/10", "3/0", "-1/3", "1/2/3", "3 / 10", "1/99999999", "²/3"])
def test_what_is_no_shard_is_one_line(text: str) -> None:
    with pytest.raises(MusicaeError, match="write it as 3/10, the third of ten"):
        parse(text)


def slurm(own: int, count: int, low: int, high: int, step: int = 1) -> dict[str, str]:
    values = {"ID": own, "COUNT": count, "MIN": low, "MAX": high, "STEP": step}
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("environ", "shard"),
    [
        ({}, ALL),
        (slurm(0, 10, 0, 9), Shard(1, 10)),
        (slurm(10, 10, 1, 10), Shard(10, 10)),
        (slurm(6, 3, 2, 6, 2), Shard(3, 3)),
        (slurm(7, 1, 7, 7), ALL),  # One that failed, once more: it takes what is left.
        ({"RANK": "2", "WORLD_SIZE": "4"}, Shard(3, 4)),
        ({"RANK": "0", "WORLD_SIZE": "1"}, ALL),
        ({"RANK": "2"}, ALL),
        ({"RANK": "two", "WORLD_SIZE": "4"}, ALL),
        ({**slurm(1, 2, 0, 1), "RANK": "0", "WORLD_SIZE": "3"}, Shard(2, 2)),
    ],
)
def test_slurm_and_torchrun_say_which_shard(environ: dict[str, str], shard: Shard) -> None:
    found, variable = from_environment(environ)
    assert found == shard
    assert bool(variable) == (shard != ALL)


@pytest.mark.parametrize("environ", [slurm(5, 3, 1, 7), slurm(4, 2, 0, 4, 3), {"RANK": "4", "WORLD_SIZE": "4"}])
def test_an_array_with_gaps_is_one_line(environ: dict[str, str]) -> None:
    with pytest.raises(MusicaeError, match="say --shard"):
        from_environment(environ)
