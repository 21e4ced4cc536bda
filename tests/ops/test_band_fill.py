"""Noise for the empty top of a band."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from musicae.ops.band_fill import BandFill

RATE, GRAIN = 44_100, 1024


def noise(seconds: float = 2.0, up_to: float = RATE / 2) -> Tensor:
    """Return white noise ``(1, T)`` that ends at a frequency."""
    count = int(seconds * RATE) // GRAIN * GRAIN
    spectrum = torch.fft.rfft(torch.randn(1, count, generator=torch.Generator().manual_seed(0)))
    spectrum[:, int(up_to / (RATE / 2) * spectrum.shape[1]) :] = 0
    return torch.fft.irfft(spectrum, count)


def level(x: Tensor, low: float, high: float) -> float:
    """Return the power in a band a bin, in dB."""
    powers = torch.fft.rfft(x[:, RATE // 2 :]).abs().square()
    ends = (int(edge / (RATE / 2) * powers.shape[1]) for edge in (low, high))
    return 10 * powers[:, slice(*ends)].mean().log10().item()


@pytest.mark.parametrize(("given_rate", "ends"), [(48_000, 20_060), (32_000, 14_500), (44_100, 16_000)])
def test_the_empty_top_gets_as_much_noise_as_there_is_below(given_rate: int, ends: float) -> None:
    x = noise(up_to=ends)
    made = BandFill(RATE, given_rate, GRAIN, 1)(x)
    assert level(made, ends + 700, 21_900) - level(x, 8_000, 13_000) == pytest.approx(-6, abs=3)
    assert level(made - x, 0, ends - 1500) < level(x, 8_000, 13_000) - 40


def test_a_full_band_and_silence_stay_as_they_are() -> None:
    for x in (noise(), torch.zeros(2, 40 * GRAIN)):
        assert torch.equal(BandFill(RATE, RATE, GRAIN, len(x))(x), x)
    assert torch.equal(BandFill(RATE, 22_050, GRAIN, 1)(torch.zeros(1, 40 * GRAIN)), torch.zeros(1, 40 * GRAIN))


def test_a_tone_is_no_noise() -> None:
    tone = torch.sin(torch.arange(60 * GRAIN) * (2 * torch.pi * 6000 / RATE))[None]
    made = BandFill(RATE, RATE, GRAIN, 1)(tone)
    assert level(made - tone, 0, 22_000) < level(tone, 5_900, 6_100) - 60


def test_blocks_of_any_size_give_the_same() -> None:
    x = torch.cat([noise(up_to=16_000), 0.1 * noise(up_to=12_000)])
    whole, parts = BandFill(RATE, 48_000, GRAIN, 2), BandFill(RATE, 48_000, GRAIN, 2)
    cut = torch.cat([parts(block) for block in torch.split(x, 7 * GRAIN, dim=1)], dim=1)
    torch.testing.assert_close(cut, whole(x), rtol=0, atol=1e-5)


def test_small_grains_are_left_alone() -> None:
    x = noise(up_to=10_000)
    assert torch.equal(BandFill(RATE, 22_050, 128, 1)(x), x)
