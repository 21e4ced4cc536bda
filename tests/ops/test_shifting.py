"""Codes that are moved until what they stand for has other attributes."""

from __future__ import annotations

import pytest
import torch

from musicae import codec as codecs
from musicae.codec import Codec
from musicae.ops.attributes import Fitted, find, load
from musicae.ops.shifting import Mover


@pytest.fixture(scope="module")
def codec() -> Codec:
    return codecs.load("drums-2bar")


@pytest.fixture(scope="module")
def fitted(codec: Codec) -> Fitted:
    return load(codec)


@pytest.fixture(scope="module")
def beats(codec: Codec) -> torch.Tensor:
    """A rock beat twice, and silence."""
    beat = torch.zeros(9, 32)
    beat[0, ::8], beat[1, 4::8], beat[2, ::2] = 1, 1, 1
    return torch.stack([beat, beat, torch.zeros(9, 32)])


def test_an_attribute_goes_where_it_is_asked_to_and_the_others_stay(
    codec: Codec, fitted: Fitted, beats: torch.Tensor
) -> None:
    mover, k = Mover(codec, fitted, beats[:1]), find(fitted, "density")
    asked = torch.full_like(mover.own, torch.nan)
    asked[:, k] = mover.own[:, k] + 1
    done: list[tuple[int, int]] = []
    moved = mover.to(asked, report=lambda *now: done.append(now))
    change = (moved.values - mover.own)[0]
    assert change[k].item() == pytest.approx(1, abs=0.3)
    assert torch.cat([change[:k], change[k + 1 :]]).abs().mean() < 0.35
    assert torch.equal(moved.values, fitted.values(codec, moved.windows).nan_to_num(nan=torch.nan))
    assert done == [(1, 1)]


def test_equal_windows_stay_equal_and_silence_silent(codec: Codec, fitted: Fitted, beats: torch.Tensor) -> None:
    mover, k = Mover(codec, fitted, beats), find(fitted, "hihat")
    asked = torch.full_like(mover.own, torch.nan)
    asked[:, k] = mover.own[:, k] - 1
    moved = mover.to(asked)
    assert torch.equal(moved.windows[0], moved.windows[1])
    assert not torch.equal(moved.windows[0], beats[0])
    assert moved.windows[2].sum() == 0


def test_kept_channels_are_not_touched(codec: Codec, fitted: Fitted, beats: torch.Tensor) -> None:
    kept = torch.zeros(9, 1, dtype=torch.bool)
    kept[:2] = True
    mover, k = Mover(codec, fitted, beats[:1], kept=kept), find(fitted, "density")
    asked = torch.full_like(mover.own, torch.nan)
    asked[:, k] = mover.own[:, k] - 0.5
    moved = mover.to(asked)
    assert torch.equal(moved.windows[:, :2], beats[:1, :2])
    assert moved.values[0, k] < mover.own[0, k]


def test_far_beyond_the_training_data_it_goes_as_far_as_they_do(
    codec: Codec, fitted: Fitted, beats: torch.Tensor
) -> None:
    mover, k = Mover(codec, fitted, beats[:1]), find(fitted, "density")
    asked = torch.full_like(mover.own, torch.nan)
    asked[:, k] = 100.0
    moved = mover.to(asked)
    assert mover.own[0, k] + 1 < moved.values[0, k] < fitted.bounds()[1][k] + 0.5
