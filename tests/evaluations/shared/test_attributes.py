"""Figures of attributes."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from musicae import codec as codecs
from musicae.core import Windows
from musicae.evaluations.shared.attributes import attribute_figures, moved
from musicae.ops import attributes
from musicae.ops.shifting import Mover


def beats(count: int) -> Windows:
    """Return windows of random drums, with few hits and with many."""
    rng = torch.Generator().manual_seed(1)
    share = torch.linspace(0.05, 0.5, count).view(-1, 1, 1)
    return Windows(torch.rand(count, 9, 32, generator=rng) < share, torch.arange(count), 9)


def test_figures_stand_beside_those_of_other_directions(tiny_drums: Path, tmp_path: Path) -> None:
    path = shutil.copy(tiny_drums, tmp_path / "drums.safetensors")
    codec = codecs.load(str(path))
    fitted = attributes.fit(codec, beats(64))
    assert fitted is not None
    attributes.save(codec, fitted)
    figures = attribute_figures(codec, beats(64), beats(6))
    kinds = {"rises", "change", "others", "stays"}
    assert {f"attribute_{kind}" for kind in kinds} <= figures.keys()
    assert {f"floor_attribute_{kind}" for kind in ("rises", "others", "stays")} <= figures.keys()
    rivals = [figures[f"floor_{rival}_attribute_rises"] for rival in ("difference", "random")]
    assert figures["floor_attribute_rises"] == max(rivals)
    assert all(0 <= figures[f"attribute_{kind}"] <= 1 for kind in ("rises", "stays"))
    assert figures["spread_attribute_rises"] >= 0


def test_one_attribute_is_asked_for_at_a_time(tiny_drums: Path, tmp_path: Path) -> None:
    codec = codecs.load(str(shutil.copy(tiny_drums, tmp_path / "drums.safetensors")))
    fitted = attributes.fit(codec, beats(64))
    assert fitted is not None
    x = beats(8).batch(torch.arange(2))
    mover = Mover(codec, fitted, x)
    here = moved(mover, 0, 0.0)
    off = (here.values[:, 0] - mover.own[:, 0]).abs()
    assert (off <= (mover.start.values[:, 0] - mover.own[:, 0]).abs() + 1e-6).all()
