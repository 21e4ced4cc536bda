"""Measures of sounds, against their definitions and the reference implementations."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.tensors import dsp
from musicae.tensors.dsp import intelligibility


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# --- levels ----------------------------------------------------------------------------------------------------------


def test_constants_are_decibels_of_full_scale():
    levels = dsp.decibels(torch.tensor([dsp.EPS, dsp.NOISE_FLOOR, dsp.SILENCE, 1.0, 0.0]))
    torch.testing.assert_close(levels, torch.tensor([-120.0, -100.0, -80.0, 0.0, -120.0]))


@given(st.floats(-40, 40), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_snr_is_what_was_mixed_and_si_sdr_does_not_mind_the_scale(ratio, seed):
    target, noise = (dsp.unit(randn(2, 4000, seed=2 * seed + i)) for i in range(2))
    output = target + 10 ** (-ratio / 20) * noise
    torch.testing.assert_close(dsp.snr(target, output), torch.full((2,), ratio), atol=0.01, rtol=0)
    torch.testing.assert_close(dsp.si_sdr(target, 3 * output + 1), dsp.si_sdr(target, output), atol=0.01, rtol=0)


def test_a_limited_snr_stays_below_its_limit():
    x = randn(3, 500)
    assert dsp.snr(x, x).min() > 100
    torch.testing.assert_close(dsp.snr(x, x, limit=30.0), torch.full((3,), 30.0))
    silence = torch.zeros(1, 500, requires_grad=True)
    dsp.snr(torch.zeros(1, 500), silence, limit=30.0).sum().backward()
    assert silence.grad.isfinite().all()


def test_unit_power_and_silence():
    x = torch.stack([5 * randn(1000), torch.zeros(1000)])
    torch.testing.assert_close(dsp.power(dsp.unit(x)), torch.tensor([1.0, 0.0]))


# --- spectra ---------------------------------------------------------------------------------------------------------


def test_magnitudes_peak_at_the_tone():
    x = torch.sin(2 * torch.pi * 1000 * torch.arange(8000) / 8000)
    spectra = dsp.magnitudes(x.expand(2, 3, -1), 256, 64)
    assert spectra.shape == (2, 3, 129, 126)
    assert (spectra[..., 10:-10].argmax(2) == 32).all()
    assert dsp.magnitudes(torch.zeros(10), 256, 64).shape[0] == 129
    logs = dsp.log_spectral(x, 256, 64)
    assert logs.min() == -8
    torch.testing.assert_close(logs.amax(), 2 * spectra.amax().log10())


def test_low_pass_keeps_what_is_below_and_removes_what_is_above():
    x = randn(4, 2, 4000)
    start = torch.tensor([0.2, 0.4, 0.6, 0.8]).view(4, 1, 1)
    made, was = (torch.fft.rfft(one).abs() for one in (dsp.low_pass(x, start, 1.1 * start), x))
    for i, edge in enumerate(start.flatten().tolist()):
        low, high = round(2000 * edge), round(2200 * edge)
        torch.testing.assert_close(made[i, :, :low], was[i, :, :low], atol=1e-2, rtol=0)
        assert made[i, :, high + 1 :].max() < 1e-2


def test_equalising_filters_at_random_to_power_one():
    x = randn(1, 4000).repeat(6, 1)
    made = dsp.equalise(x, torch.Generator().manual_seed(0))
    torch.testing.assert_close(dsp.power(made), torch.ones(6), atol=1e-3, rtol=0)
    assert torch.equal(made, dsp.equalise(x, torch.Generator().manual_seed(0)))
    assert not torch.allclose(made[0], made[1])
    plain = dsp.equalise(x, torch.Generator().manual_seed(0), tilt=0.0, bumps=0.0)
    torch.testing.assert_close(plain, dsp.unit(x), atol=1e-4, rtol=0)


# --- intelligibility -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [10_000, 16_000, 44_100])
def test_intelligibility_is_about_stoi(rate):
    stoi = pytest.importorskip("pystoi").stoi
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(4 * rate) / rate
    syllables = (torch.sin(2 * torch.pi * 2 * time) * torch.sin(2 * torch.pi * 0.7 * time)).square()
    clean = 0.1 * torch.randn(len(time), generator=generator).cumsum(0).diff(append=torch.zeros(1)) * syllables
    levels = [0.0, 0.01, 0.05, 0.3]
    noisy = [clean + level * torch.randn(len(time), generator=generator) for level in levels]
    true = torch.tensor([stoi(clean.numpy(), one.numpy(), rate) for one in noisy], dtype=torch.float32)
    found = intelligibility(clean.expand(4, -1), torch.stack(noisy), rate)
    torch.testing.assert_close(found, true, atol=0.04, rtol=0)


def test_what_is_shorter_than_a_segment_is_not_judged():
    x = torch.randn(2, 500, generator=torch.Generator().manual_seed(0))
    assert (intelligibility(x, x, 16_000) == 0).all()
    assert (intelligibility(0 * x, x, 16_000) == 0).all()


def test_silence_is_not_understood():
    x = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    made = torch.zeros_like(x, requires_grad=True)
    found = intelligibility(x, made, 16_000)
    assert found.item() == pytest.approx(0, abs=0.05)
    found.sum().backward()
    assert made.grad.isfinite().all()
