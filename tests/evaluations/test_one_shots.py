"""The figures of single sounds: of a model that keeps all, and of one that keeps nothing."""

import pytest
import torch

from musicae import codec
from musicae.core import Latent, Model, Windows
from musicae.errors import MusicaeError
from musicae.evaluations import one_shots as spectrograms
from musicae.preset import Preset

ADAPTER = {
    "name": "mel",
    "sample_rate": 8000,
    "n_fft": 256,
    "hop_length": 64,
    "n_mels": 16,
    "frames": 16,
    "griffin_lim_steps": 5,
}


def drawn(n, seed=0):
    rng = torch.Generator().manual_seed(seed)
    fall = torch.exp(-torch.rand(n, 1, 1, 1, generator=rng) * torch.arange(16) / 4)
    bands = 1.5 * torch.rand(n, 1, 16, 1, generator=rng)
    return Windows(bands * fall, torch.arange(n, dtype=torch.int32), 1)


class Keeps(Model):
    latent_size = 4

    def __init__(self, share):
        super().__init__()
        self.share, self.kept = share, torch.zeros(0)

    def encode(self, x, cond=None):
        self.kept = x
        return Latent(x.flatten(1)[:, :4])

    def params(self, z, x=None, cond=None):
        return self.share * self.kept


@pytest.fixture
def parts():
    return codec.build(Preset("made", {"adapter": ADAPTER, "model": {"name": "ae", "width": 4, "latent": 4}}))


def test_a_model_that_keeps_all_has_no_excess_and_one_that_keeps_nothing_has_more_than_components(parts):
    parts.model = Keeps(1.0)
    figures = spectrograms.one_shots(parts, drawn(40), drawn(8, 1))
    assert figures["excess"] == pytest.approx(0, abs=1e-6)
    assert 0 < figures["floor_phase"] < figures["floor_pca"]
    parts.model = Keeps(0.0)
    worse = spectrograms.one_shots(parts, drawn(40), drawn(8, 1))
    assert worse["excess_ratio"] > 1
    assert worse["floor_pca"] == figures["floor_pca"]


def test_it_is_for_spectrograms(tiny_digits):
    with pytest.raises(MusicaeError, match="adapter 'mel'"):
        spectrograms.one_shots(codec.load(str(tiny_digits)), drawn(4), drawn(4))
