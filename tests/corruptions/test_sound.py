"""Noise for sounds: each kind is what it says, at the level it should have."""

import pytest
import torch

from musicae import waves
from musicae.core import Windows
from musicae.corruptions import noises
from musicae.corruptions.sound import BandLimit, Clip, LowPass, MixNoise, Reverberate
from musicae.errors import MusicaeError


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def windows(n, length, pieces=2, seed=1):
    data = (torch.randn(n, 1, length, generator=rng(seed)) * 3000).to(torch.int16)
    return Windows(data, torch.arange(n) * pieces // n, 1, levels=32_767)


MADE = {
    "coloured": lambda g: noises.coloured(6, 4000, 8000, g),
    "hum": lambda g: noises.hum(6, 4000, 8000, g),
    "crackle": lambda g: noises.crackle(6, 4000, 8000, g),
    "equalise": lambda g: waves.equalise(torch.randn(6, 4000, generator=rng(9)), g),
    "modulate": lambda g: noises.modulate(torch.randn(6, 4000, generator=rng(9)), 8000, g),
    "babble": lambda g: noises.babble(torch.randn(3, 6, 4000, generator=rng(9)), g),
}


@pytest.mark.parametrize("kind", MADE)
def test_every_noise_has_power_one_and_repeats_with_its_seed(kind):
    made = MADE[kind](rng())
    assert made.shape == (6, 4000)
    torch.testing.assert_close(waves.power(made), torch.ones(6), atol=1e-3, rtol=0)
    assert torch.equal(made, MADE[kind](rng()))
    assert not torch.allclose(made[0], made[1])


def test_hum_is_harmonics_of_the_mains():
    spectra = torch.fft.rfft(noises.hum(40, 8000, 8000, rng())).abs()
    strongest = spectra.argmax(1)  # In Hz: the sound is a second long.
    near = [min(abs(peak - k * base) for base in (50, 60) for k in range(1, 21)) for peak in strongest.tolist()]
    assert max(near) <= 8


def test_coloured_noise_has_many_colours():
    spectra = torch.fft.rfft(noises.coloured(90, 8000, 8000, rng())).abs().square()
    low, high = spectra[:, 50:400].mean(1), spectra[:, 3000:].mean(1)
    tilt = 10 * (low / high).log10()
    assert tilt.max() > 10
    assert tilt.min() < -10
    assert (tilt.abs() < 1).sum() > 10  # The white ones.
    voiced = spectra[:, 100:2000].sum(1) / spectra.sum(1)
    assert (voiced > 0.8).sum() > 15  # Those that lie where voices do.


@pytest.mark.parametrize("fed", [False, True])
def test_the_ratio_is_between_what_was_asked_for(fed):
    corrupt = MixNoise(8000, low=0.0, high=10.0, clean=0.0, second=0.5)
    if fed:
        corrupt.feed(windows(20, 3000), windows(20, 1000))
    clean = torch.randn(64, 1, 2000, generator=rng(3)) * torch.logspace(-3, 0, 64).view(-1, 1, 1)
    ratio = waves.snr(clean, corrupt(clean, rng()))
    assert ratio.min() > -0.01
    assert ratio.max() < 10.01
    assert ratio.std() > 2


def test_some_are_cleaner_and_silence_stays_finite():
    clean = torch.randn(200, 1, 500, generator=rng(3))
    ratio = waves.snr(clean, MixNoise(8000, clean=0.3, high=10.0)(clean, rng()))
    cleaner = ratio[ratio > 10.1]
    assert 30 < len(cleaner) < 90
    assert cleaner.min() < 20 < 50 < cleaner.max() < 60.1
    silent = MixNoise(8000)(torch.zeros(4, 1, 500), rng())
    assert silent.isfinite().all()
    assert silent.abs().max() < 1e-2


def test_recorded_noise_is_drawn_evenly_of_pieces():
    data = torch.cat([torch.full((99, 1, 50), 100), torch.full((1, 1, 50), 9000)]).to(torch.int16)
    noise = Windows(data, torch.tensor([0] * 99 + [1]), 1, levels=32_767)
    from musicae.corruptions.sound import _draw

    drawn = _draw(noise, 1000, 120, rng())
    assert drawn.shape == (1000, 120)
    assert 400 < (drawn[:, 0] > 0.1).sum() < 600


def test_wrong_settings_are_one_line():
    with pytest.raises(MusicaeError, match="low not over high"):
        MixNoise(low=3, high=1)
    with pytest.raises(MusicaeError, match="shares"):
        MixNoise(coloured=0, babble=0, hum=0, crackle=0)


def test_band_limit_keeps_what_is_below_its_edge_and_nothing_above():
    x = torch.randn(8, 1, 4000, generator=rng(3))
    made = torch.fft.rfft(BandLimit(2, 0.7, 0.9, 1.0)(x, rng())).abs()
    was = torch.fft.rfft(x).abs()
    torch.testing.assert_close(made[..., :699], was[..., :699], atol=1e-2, rtol=0)
    assert made[..., 1001:].max() < 1e-2
    edges = (made > 0.5 * was).sum(-1).flatten()
    assert edges.float().std() > 20
    for settings, match in (({"factor": 1}, "2 or more"), ({"low": 1.0, "high": 0.9}, "must rise")):
        with pytest.raises(MusicaeError, match=match):
            BandLimit(**settings)


def test_low_pass_has_an_edge_in_hertz():
    x = torch.randn(40, 2, 8000, generator=rng(3))
    made = torch.fft.rfft(LowPass(8000, 500.0, 2000.0)(x, rng())).abs()
    was = torch.fft.rfft(x).abs()
    edges = ((made > 0.5 * was).sum(-1)).float()  # The sound is a second long.
    assert 490 < edges.min() < 650
    assert 1500 < edges.max() < 2100
    assert torch.equal(edges[:, 0], edges[:, 1])
    with pytest.raises(MusicaeError, match="rise from 0"):
        LowPass(8000, 0.0, 100.0)


def test_clipping_cuts_peaks_and_leaves_the_rest():
    x = torch.randn(20, 1, 2000, generator=rng(3))
    made = Clip(6.0, 20.0)(x, rng())
    level = made.flatten(1).amax(1)
    down = -20 * (level / x.flatten(1).abs().amax(1)).log10()
    assert down.min() > 5.99
    assert down.max() < 20.01
    assert down.std() > 1
    same = made == x
    assert ((made.abs() - level[:, None, None]).abs() < 1e-6)[~same].all()
    assert torch.equal(Clip(0.0, 0.0)(x, rng()), x)
    with pytest.raises(MusicaeError, match="rise from 0"):
        Clip(3.0, 1.0)


def test_a_room_adds_echoes_that_fall_off():
    click = torch.zeros(30, 2, 8000)
    click[..., 100] = 1.0
    echoes = Reverberate(8000, 0.3, 0.6, near=10.0, far=0.0)(click, rng()) - click
    assert echoes[..., :116].abs().max() < 1e-5  # Nothing comes back at once.
    ratio = -10 * echoes[:, 0].square().sum(1).log10()
    assert ratio.min() > -0.1
    assert ratio.max() < 10.1
    early, late = (echoes[:, 0, at : at + 400].square().mean(1) for at in (300, 1500))
    fall = 10 * (early / late).log10() / (1200 / 8000)  # In dB a second.
    assert fall.min() > 60 / 0.65
    assert fall.max() < 60 / 0.27
    assert torch.equal(echoes[:, 0], echoes[:, 1])
    assert torch.equal(echoes + click, Reverberate(8000, 0.3, 0.6, near=10.0, far=0.0)(click, rng()))
    with pytest.raises(MusicaeError, match="near not under far"):
        Reverberate(8000, near=0.0, far=3.0)
