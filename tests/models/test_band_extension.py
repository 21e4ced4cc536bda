"""The network that fills up the upper half of a band."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.band_extension import BandExtension
from musicae.testing import check_model

SOUND = Spec(1, (512,), "gaussian")


def small(**changes):
    torch.manual_seed(0)
    return BandExtension(SOUND, **{"n_fft": 64, "hop_length": 16, "width": 8, "layers": 1, **changes}).eval()


def low(frames=1024):
    spectra = torch.fft.rfft(torch.randn(2, 1, frames, generator=torch.Generator().manual_seed(0)))
    spectra[..., int(0.35 * spectra.shape[-1]) :] = 0
    return torch.fft.irfft(spectra, n=frames)


def test_it_keeps_its_promises():
    model = small()
    assert (model.restores, model.streams, model.multiple, model.delay) == (True, True, 16, 64 - 16 + 2 * 16)
    check_model(model, SOUND)


def test_what_is_there_stays_and_something_is_added_above():
    x = low()
    with torch.no_grad():
        y = small().restore(x)
    was, made = (torch.fft.rfft(one[..., 100:-100]).abs() for one in (x, y))
    edge, middle = int(0.3 * was.shape[-1]), was.shape[-1] // 2
    assert (made[..., :edge] - was[..., :edge]).square().mean() < 0.02 * was[..., :edge].square().mean()
    assert made[..., middle:].mean() > 10 * was[..., middle:].mean()


@pytest.mark.parametrize("model", [small(lookahead=0), small(lookahead=2), small(layers=2)])
@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=6))
@settings(max_examples=12, deadline=None)
def test_blocks_of_any_sizes_give_what_one_gives(in_blocks, model, counts):
    x = low()[..., : 16 * sum(counts)]
    with torch.no_grad():
        once, blocks = in_blocks(model, x, [sum(counts)]), in_blocks(model, x, counts)
    torch.testing.assert_close(blocks, once, atol=1e-5, rtol=0)


def test_a_frame_is_drawn_by_those_after_it_too():
    changed = low()
    changed[..., 512 + 96 :] = 0
    with torch.no_grad():
        near = [small(lookahead=frames).restore(x) for frames in (0, 4) for x in (low(), changed)]
    before = slice(500, 512)
    assert torch.allclose(near[0][..., before], near[1][..., before], atol=1e-6)
    assert not torch.allclose(near[2][..., before], near[3][..., before], atol=1e-6)


def test_wrong_settings_are_one_line():
    with pytest.raises(MusicaeError, match="one channel of samples"):
        BandExtension(Spec(2, (512,), "gaussian"))
    with pytest.raises(MusicaeError, match="divide the window"):
        BandExtension(Spec(1, (500,), "gaussian"))
    with pytest.raises(MusicaeError, match="lookahead 0 or more"):
        small(lookahead=-1)
