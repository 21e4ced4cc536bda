"""The files of a folder as places in a plane."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

import musicae
from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.ops import map_folder as maps

TUNES = ("twinkle", "ode-to-joy", "greensleeves", "saints", "korobeiniki")


@pytest.fixture
def album(tmp_path: Path, data: Path) -> Path:
    for name in TUNES:
        shutil.copy(data / f"{name}.mid", tmp_path)
    (tmp_path / "bad.mid").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_each_file_has_a_place_and_copies_the_same(album: Path, tiny: Codec, method: str) -> None:
    shutil.copy(album / "twinkle.mid", album / "a-copy.mid")
    found = musicae.map_folder(album, method=method, preset=tiny)
    assert found.names == ["a-copy.mid", *(f"{name}.mid" for name in sorted(TUNES))]
    assert list(found.skipped) == [str(album / "bad.mid")]
    assert found.points.shape == (6, 2)
    assert found.points.isfinite().all()
    apart = torch.cdist(found.points, found.points)
    assert apart[0].argsort()[:2].tolist() == [0, 5]
    again = musicae.map_folder(album, method=method, preset=tiny)
    assert torch.equal(again.points, found.points)


def test_components_are_those_of_the_codes() -> None:
    x = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.1, 9.0, 0.1, 3.0])
    points, axes = maps.METHODS["pca"](x, 0)
    assert points.std(0).tolist() == pytest.approx(x.std(0)[[1, 3]].tolist(), rel=0.05)
    assert points.mean(0).abs().max() < 1e-5
    shares = x.var(0)[[1, 3]] / x.var(0).sum()
    for text, share in zip(axes, shares.tolist(), strict=True):
        assert abs(int(text.split()[3].rstrip("%")) - 100 * share) < 2
    flat, _ = maps.METHODS["pca"](torch.ones(5, 3), 0)
    assert flat.abs().max() == 0


def test_three_files_are_the_fewest(album: Path, tiny: Codec) -> None:
    for name in TUNES[3:]:
        (album / f"{name}.mid").unlink()
    assert musicae.map_folder(album, preset=tiny, method="tsne").points.isfinite().all()
    (album / f"{TUNES[0]}.mid").unlink()
    with pytest.raises(MusicaeError, match="has 2 files that can be read; a map takes 3 or more"):
        musicae.map_folder(album, preset=tiny)
    with pytest.raises(MusicaeError, match="no method named 'tnse'; did you mean 'tsne'"):
        musicae.map_folder(album, preset=tiny, method="tnse")
    with pytest.raises(MusicaeError, match="there is no folder"):
        musicae.map_folder(album / "none")
