"""The network that fills up the upper half of a band."""

import pytest
import torch

from musicae.core import Spec, Streamer
from musicae.errors import MusicaeError
from musicae.models.bandwidth import BandExtension
from musicae.testing import check_model

SOUND = Spec(1, (512,), "gaussian")


def small(**settings):
    torch.manual_seed(0)
    return BandExtension(SOUND, **{"n_fft": 64, "hop": 16, "width": 8, "layers": 1, **settings}).eval()


def low(frames=1024):
    spectra = torch.fft.rfft(torch.randn(2, 1, frames, generator=torch.Generator().manual_seed(0)))
    spectra[..., int(0.35 * spectra.shape[-1]) :] = 0
    return torch.fft.irfft(spectra, n=frames)


def test_it_keeps_its_promises():
    assert isinstance(small(), Streamer)
    check_model(small(), SOUND)


def test_what_is_there_stays_and_something_is_added_above():
    x = low()
    with torch.no_grad():
        y = small().restore(x)
    was, made = (torch.fft.rfft(one[..., 100:-100]).abs() for one in (x, y))
    edge, middle = int(0.3 * was.shape[-1]), was.shape[-1] // 2
    assert (made[..., :edge] - was[..., :edge]).square().mean() < 0.02 * was[..., :edge].square().mean()
    assert made[..., middle:].mean() > 10 * was[..., middle:].mean()


@pytest.mark.parametrize("ahead", [0, 2])
def test_blocks_give_what_the_whole_gives(ahead):
    model, x = small(ahead=ahead), low()
    with torch.no_grad():
        whole, _ = model.stream(x)
        parts, state, at = [], None, 0
        for count in (1, 1, 5, 57):
            part, state = model.stream(x[..., at : at + 16 * count], state)
            parts.append(part)
            at += 16 * count
    torch.testing.assert_close(torch.cat(parts, dim=-1), whole, atol=1e-5, rtol=0)


def test_a_frame_is_drawn_by_those_after_it_too():
    changed = low()
    changed[..., 512 + 96 :] = 0
    with torch.no_grad():
        near = [small(ahead=ahead).restore(x) for ahead in (0, 4) for x in (low(), changed)]
    before = slice(500, 512)
    assert torch.allclose(near[0][..., before], near[1][..., before], atol=1e-6)
    assert not torch.allclose(near[2][..., before], near[3][..., before], atol=1e-6)


def test_wrong_settings_are_one_line():
    with pytest.raises(MusicaeError, match="one channel of samples"):
        BandExtension(Spec(2, (512,), "gaussian"))
    with pytest.raises(MusicaeError, match="must divide the window"):
        BandExtension(Spec(1, (500,), "gaussian"))
    with pytest.raises(MusicaeError, match="ahead 0 or more"):
        small(ahead=-1)
