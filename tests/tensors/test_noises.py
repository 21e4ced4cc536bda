"""Synthetic noises: each kind is what its name says, at power one."""

import pytest
import torch

from musicae.tensors import noises
from musicae.tensors.dsp import power


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


MADE = {
    "coloured": lambda g: noises.coloured(6, 4000, 8000, g),
    "hum": lambda g: noises.hum(6, 4000, 8000, g),
    "crackle": lambda g: noises.crackle(6, 4000, 8000, g),
    "modulate": lambda g: noises.modulate(torch.randn(6, 4000, generator=rng(9)), 8000, g),
    "babble": lambda g: noises.babble(torch.randn(3, 6, 4000, generator=rng(9)), g),
}


@pytest.mark.parametrize("kind", MADE)
def test_every_noise_has_power_one_and_repeats_with_its_seed(kind):
    made = MADE[kind](rng())
    assert made.shape == (6, 4000)
    torch.testing.assert_close(power(made), torch.ones(6), atol=1e-3, rtol=0)
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


def test_crackle_is_clicks_with_silence_between():
    made = noises.crackle(40, 8000, 8000, rng())
    quiet = (made.abs() < 1e-3).float().mean(1)
    assert quiet.max() > 0.9
    assert made.abs().amax(1).min() > 4  # At power one: most of it is in few samples.


def test_babble_has_each_voice_at_a_level_of_its_own():
    voices = torch.eye(3)[:, None].expand(-1, 50, -1).repeat_interleave(100, 2)
    made = noises.babble(voices, rng())
    levels = made.view(50, 3, 100)[..., 0]
    ratio = 20 * (levels.amax(1) / levels.amin(1)).log10()
    assert 0 <= ratio.min() < 2
    assert 5 < ratio.max() < 9.1
