import math

import pytest
import torch

from musicae.errors import MusicaeError
from musicae.tensors.likelihoods.log_spectral import LogSpectral


def test_it_weighs_spectra_against_samples():
    rng = torch.Generator().manual_seed(0)
    clean, other = torch.randn(2, 1, 8000, generator=rng), torch.randn(2, 1, 8000, generator=rng)
    spectra = LogSpectral(snr_weight=0.0).nll(torch.stack([other[0], 0.1 * clean[1]]), clean) / 8000
    assert spectra[0] < 1.0  # Another noise has much the same spectrum ...
    assert spectra[1] == pytest.approx(2.0, abs=0.01)
    both = LogSpectral(snr_weight=1.0).nll(torch.stack([other[0], 0.1 * clean[1]]), clean) / 8000
    assert both[0] > both[1]  # ... and is far from it in its samples.
    made = torch.zeros(2, 1, 8000, requires_grad=True)
    LogSpectral().nll(made, clean).sum().backward()
    assert made.grad.isfinite().all()


def test_what_flutters_within_a_window_is_seen_by_a_shorter_one():
    clean, steady = 0.1 * torch.randn(2, 1, 1, 32_000, generator=torch.Generator().manual_seed(0))
    flutter = steady * (1 + torch.sin(2 * math.pi * 20 * torch.arange(32_000) / 16_000)) / math.sqrt(1.5)
    more = {}
    for sizes in ((2048,), (2048, 256)):
        alike, other = (LogSpectral(0.0, sizes).nll(made, clean).item() for made in (steady, flutter))
        more[len(sizes)] = other / alike
    assert more[1] < 1.05
    assert more[2] > 1.15


@pytest.mark.parametrize("sizes", [(), 2048, (2,), ("long",)])
def test_sizes_that_are_none_are_refused(sizes):
    with pytest.raises(MusicaeError, match="n_fft_sizes must be one or more windows"):
        LogSpectral(n_fft_sizes=sizes)
