"""Noise is mixed in at the level it should have."""

import pytest
import torch

from musicae.core import Windows
from musicae.corruptions.mix_noise import MixNoise, _draw
from musicae.errors import MusicaeError
from musicae.tensors.dsp import snr


@pytest.mark.parametrize("fed", [False, True])
def test_the_ratio_is_between_what_was_asked_for(rng, make_windows, fed):
    corrupt = MixNoise(8000, min_snr_db=0.0, max_snr_db=10.0, clean_share=0.0, second_share=0.5)
    if fed:
        corrupt.feed(make_windows(20, 3000), make_windows(20, 1000))
    clean = torch.randn(64, 1, 2000, generator=rng(3)) * torch.logspace(-3, 0, 64).view(-1, 1, 1)
    ratio = snr(clean, corrupt(clean, rng()))
    assert ratio.min() > -0.01
    assert ratio.max() < 10.01
    assert ratio.std() > 2


def test_some_are_cleaner_and_silence_stays_finite(rng):
    clean = torch.randn(200, 1, 500, generator=rng(3))
    ratio = snr(clean, MixNoise(8000, clean_share=0.3, max_snr_db=10.0)(clean, rng()))
    cleaner = ratio[ratio > 10.1]
    assert 30 < len(cleaner) < 90
    assert cleaner.min() < 20 < 50 < cleaner.max() < 60.1
    silent = MixNoise(8000)(torch.zeros(4, 1, 500), rng())
    assert silent.isfinite().all()
    assert silent.abs().max() < 1e-2


def test_recorded_noise_is_drawn_evenly_of_pieces(rng):
    data = torch.cat([torch.full((99, 1, 50), 100), torch.full((1, 1, 50), 9000)]).to(torch.int16)
    noise = Windows(data, torch.tensor([0] * 99 + [1]), 1, levels=32_767)
    drawn = _draw(noise, 1000, 120, rng())
    assert drawn.shape == (1000, 120)
    assert 400 < (drawn[:, 0] > 0.1).sum() < 600


def test_wrong_settings_are_one_line():
    with pytest.raises(MusicaeError, match="max_snr_db not below min_snr_db"):
        MixNoise(min_snr_db=3, max_snr_db=1)
    with pytest.raises(MusicaeError, match="shares"):
        MixNoise(coloured=0, babble=0, hum=0, crackle=0)


def test_recorded_noise_goes_backwards_and_at_other_speeds(rng):
    ramp = torch.arange(100).view(1, 1, 100).to(torch.int16) * 300
    drawn = _draw(Windows(ramp, torch.tensor([0]), 1, levels=32_767), 200, 20, rng(), speed_range=0.4)
    steps = drawn.diff(dim=1).median(dim=1).values * 32_767 / 300
    assert (steps < 0).float().mean().item() == pytest.approx(0.5, abs=0.1)
    assert 1.3 < steps.abs().max() < 1.5
    assert 0.65 < steps.abs().min() < 0.8
