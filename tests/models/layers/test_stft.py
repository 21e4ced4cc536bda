"""Spectra that go through a sound block by block."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.errors import MusicaeError
from musicae.models.layers.stft import Stft


def through(stft, x, sizes):
    """Analyse and synthesise in blocks of `sizes` hops."""
    newest, overlap, parts = stft.initial_state(len(x)), stft.initial_state(len(x)), []
    for block in x.split([size * stft.hop_length for size in sizes], 1):
        spectra, newest = stft.analyse(block, newest)
        part, overlap = stft.synthesise(spectra, overlap)
        parts.append(part)
    return torch.cat(parts, 1)


@pytest.mark.parametrize(("n_fft", "hop_length"), [(64, 32), (64, 16)])
@given(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_unchanged_spectra_give_the_sound_back_in_blocks_of_any_sizes(n_fft, hop_length, sizes):
    stft = Stft(n_fft, hop_length)
    x = torch.randn(2, hop_length * sum(sizes), generator=torch.Generator().manual_seed(0))
    y = through(stft, x, sizes)
    kept = max(0, x.shape[1] - stft.delay)
    torch.testing.assert_close(y[:, stft.delay :], x[:, :kept], atol=1e-5, rtol=0)


def test_a_frame_ends_with_the_newest_hop():
    stft = Stft(64, 32)
    sound = torch.arange(64.0) / 64  # the range of sound: float32 rounds a bin of a sum near 1,000 to 6e-5
    spectra, newest = stft.analyse(sound[None], stft.initial_state(1))
    assert spectra.shape == (1, 2, 33)
    assert torch.equal(newest[0], sound[32:])
    frame = sound * stft.window
    torch.testing.assert_close(spectra[0, 1], torch.fft.rfft(frame))


@pytest.mark.parametrize(("n_fft", "hop_length"), [(64, 0), (64, 64), (100, 64)])
def test_sizes_that_do_not_fit_are_refused(n_fft, hop_length):
    with pytest.raises(MusicaeError, match="multiple of hop_length"):
        Stft(n_fft, hop_length)
