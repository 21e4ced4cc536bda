"""The command score: what it prints of files, and of those that it cannot read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from musicae.ops import score as scoring


@pytest.fixture
def words(tiny_digits: Path, mnist: Path) -> tuple[str, ...]:
    return ("--preset", str(tiny_digits), "--data", str(mnist))


def test_each_file_has_a_line(gallery: Any, words: tuple[str, ...], tiny_digits: Path, mnist: Path) -> None:
    result = gallery("score", "three.png", "seven.png", *words)
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    wanted = scoring.score("three.png", "seven.png", preset=str(tiny_digits), folders={"": mnist})
    assert [row[-1] for row in rows] == ["three.png", "seven.png"]
    for row, one in zip(rows, wanted.files, strict=True):
        assert float(row[0]) == pytest.approx(one.value, rel=1e-3)
        assert float(row[1]) == pytest.approx(one.percentile, abs=0.01)
    assert result.stderr.startswith("-ELBO, nats a dimension; training median ")


def test_json_tells_all(gallery: Any, words: tuple[str, ...]) -> None:
    (gallery.folder / "bad.png").write_bytes(b"")
    result = gallery("score", ".", *words, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [row["path"] for row in found["files"]] == ["scene.png", "seven.png", "three.png"]
    assert all(0 <= row["percentile"] <= 100 for row in found["files"])
    assert (found["preset"], found["measure"], list(found["skipped"])) == ("tiny-digits", "neg_elbo", ["bad.png"])
    assert 0 < found["training"]["count"] <= 60
    assert result.stderr.splitlines()[-1] == "musicae: 1 of 4 files could not be read and were left out"


def test_what_cannot_be_scored_is_one_line(gallery: Any, words: tuple[str, ...], tiny_denoise: Path) -> None:
    assert gallery.fails("score", "no.png", *words) == "there is no file no.png; check the name"
    assert "there is no folder nowhere" in gallery.fails("score", "three.png", *words[:2], "--data", "nowhere")
    line = gallery.fails("score", "three.png", "--preset", tiny_denoise)
    assert line == "the preset 'tiny-denoise' only restores, it cannot score; use an autoencoder"
