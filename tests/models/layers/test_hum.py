"""Mains hum, found in noise and followed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.models.layers.hum import Hum
from musicae.models.layers.stft import Stft

RATE = 16_000


def spectra_of(x):
    stft = Stft(1024, 512)
    return stft.analyse(x[None], stft.initial_state(1))[0]


def humming(base, seconds=4):
    time = torch.arange(seconds * RATE) / RATE
    return torch.stack([torch.sin(2 * torch.pi * base * k * time + k) / k for k in (1, 2, 3, 5, 7)]).sum(0)


def find(hum, spectra):
    return hum(spectra, hum.initial_state(len(spectra)))


@pytest.mark.parametrize("base", [49.31, 50.0, 60.53])
def test_hum_is_found_in_noise_and_nowhere_else(base):
    true, noise = humming(base), torch.randn(4 * RATE, generator=torch.Generator().manual_seed(0))
    hum = Hum(RATE, 1024, 512, 60)
    spectra = [spectra_of(one) for one in (true, noise, true + noise)]
    found, certainty, _ = find(hum, spectra[2])
    late = slice(60, None)
    here = spectra[0][:, late, : hum.bins]
    left = (found[:, late] - here).abs().square().sum() / here.abs().square().sum()
    assert left < 0.1
    nothing = find(hum, spectra[1])[1]
    assert nothing[:, late, 0, 1].max() < 0.15 < 0.2 < certainty[:, late, 0, 1].min()
    alone = find(hum, spectra[0])[1]
    assert alone[:, late, round(base * 1024 / RATE), 0].min() > 0.95


@given(sizes=st.lists(st.integers(1, 10), min_size=1, max_size=5))
@settings(max_examples=10, deadline=None)
def test_blocks_of_any_sizes_give_what_one_gives_to_the_bit(sizes):
    hum = Hum(RATE, 1024, 512, 60)
    spectra = spectra_of(humming(50.2, 2))[:, : sum(sizes)]
    once = find(hum, spectra)
    state, lines, certainties = hum.initial_state(1), [], []
    for block in spectra.split(sizes[: len(sizes)], 1):
        line, certainty, state = hum(block, state)
        lines.append(line)
        certainties.append(certainty)
    assert torch.equal(torch.cat(lines, 1), once[0])
    assert torch.equal(torch.cat(certainties, 1), once[1])
    assert all(torch.equal(one, other) for one, other in zip(state, once[2], strict=True))


def test_silence_has_no_hum():
    hum = Hum(RATE, 1024, 512, 60)
    line, certainty, _ = find(hum, torch.zeros(1, 5, 513, dtype=torch.complex64))
    assert not line.any()
    assert certainty.isfinite().all()
    assert certainty.max() <= 0
