"""Other programs that clean recordings."""

import importlib.util

import pytest
import torch

from musicae.errors import MusicaeError
from musicae.evaluations.shared import peers


@pytest.mark.parametrize("lag", [-40, 0, 300])
def test_alignment_finds_the_lag(lag):
    x = torch.randn(4000, generator=torch.Generator().manual_seed(0))
    moved = torch.roll(x, lag)
    found = peers.align(moved, x, 8000)
    middle = slice(400, -400)
    torch.testing.assert_close(found[middle], x[middle])
    assert peers.align(moved[:3000], x, 8000).shape == (4000,)


@pytest.mark.parametrize("name", peers._KNOWN)
def test_each_peer_takes_noise_off_and_keeps_the_length(name):
    if importlib.util.find_spec(peers._KNOWN[name][0]) is None:
        pytest.skip("it is not installed")
    noise = 0.05 * torch.randn(2 * 16_000, generator=torch.Generator().manual_seed(0))
    (peer,) = peers.peers(name).values()
    out = peer(noise, 16_000)
    assert abs(len(out) - len(noise)) <= 320
    assert out[16_000:].square().mean() < 0.5 * noise.square().mean()


def test_a_peer_that_cannot_be_had_is_one_line(monkeypatch):
    assert peers.peers("") == {}
    with pytest.raises(MusicaeError, match="no such peer; did you mean 'rnnoise'"):
        peers.peers("rnoise")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MusicaeError, match=r"musicae\[peers\]"):
        peers.peers("noisereduce")
    monkeypatch.setattr(peers.sys, "version_info", (3, 14))
    with pytest.raises(MusicaeError, match=r"no package for Python 3\.13 or later; leave it out"):
        peers.peers("deepfilternet")
