"""The autoencoder that starts as principal components of a critically sampled transform."""

import pytest
import torch

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.mdct_vae import Mdct, mdct_vae
from musicae.testing import check_model

SOUND = Spec(1, (256,), "gaussian")


def hills(n=20, frames=512, seed=0):
    """Sounds of few frequencies, which few numbers can tell."""
    rng = torch.Generator().manual_seed(seed)
    time = torch.arange(frames) / 8000
    tones = [torch.sin(2 * torch.pi * (f * time + torch.rand(n, 1, generator=rng))) for f in (300, 700)]
    return (tones[0] + 0.5 * tones[1])[:, None] + 0.01 * torch.randn(n, 1, frames, generator=rng)


@pytest.mark.parametrize("variational", [True, False])
def test_it_keeps_its_promises(variational):
    check_model(lambda spec: mdct_vae(spec, latent=4, hop_length=32, width=8, blocks=1, variational=variational), SOUND)


@pytest.mark.parametrize("hop", [8, 32])
def test_the_transform_gives_the_sound_back_and_keeps_its_power(hop):
    x = torch.randn(3, 256)
    coefficients = Mdct(hop).analyse(x)
    assert coefficients.shape == (3, 256 // hop + 1, hop)
    torch.testing.assert_close(Mdct(hop).synthesise(coefficients), x, atol=1e-5, rtol=0)
    steady = Mdct(hop).analyse(torch.randn(1, 64 * hop * 8))
    assert steady.square().mean().item() == pytest.approx(1.0, abs=0.2)


def test_before_training_it_is_principal_components():
    torch.manual_seed(0)
    model = mdct_vae(SOUND, latent=8, hop_length=32, width=8, blocks=1)
    model.init_from_data(hills())
    x = hills(5, 256, seed=1)
    with torch.no_grad():
        latent = model.encode(x)
        made = model.params(latent.mean, x)
    coefficients = model.mdct.analyse(hills()[:, 0]).flatten(0, 1)
    _, vectors = torch.linalg.eigh(torch.cov(coefficients.T))
    axes, centre = vectors[:, -8:], coefficients.mean(0)
    plain = model.mdct.synthesise((model.mdct.analyse(x[:, 0]) - centre) @ axes @ axes.T + centre)
    torch.testing.assert_close(made[:, 0], plain, atol=1e-3, rtol=0)
    assert (made - x).square().mean() < 0.1 * x.square().mean()
    assert latent.mean.square().mean() == pytest.approx(1.0, abs=0.5)
    assert latent.logvar.max() == -6.0


def test_wrong_settings_are_one_line():
    with pytest.raises(MusicaeError, match="one channel of samples"):
        mdct_vae(Spec(2, (256,), "gaussian"))
    with pytest.raises(MusicaeError, match="divide the window"):
        mdct_vae(SOUND, hop_length=100)
    with pytest.raises(MusicaeError, match="latent must be 1 to hop_length, 32, not 33"):
        mdct_vae(SOUND, hop_length=32, latent=33)
