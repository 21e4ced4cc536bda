"""The convolutional VAE."""

import pytest
import torch

from musicae.core import ConditionSpec, Spec
from musicae.errors import MusicaeError
from musicae.models.vae import vae
from musicae.testing import check_model

LINE, PICTURE = Spec(5, (16,), "categorical"), Spec(3, (8, 8), "bernoulli")


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
def test_it_keeps_its_promises(spec):
    check_model(lambda spec: vae(spec, latent=4, width=8), spec)


@pytest.mark.parametrize(
    "settings",
    [{"shuffle": 2, "depth": 1}, {"dense": 16}, {"shuffle": 4, "depth": 0, "dense": 8}, {"classes": 3}],
)
def test_shuffled_dense_and_conditional_models_keep_their_promises(settings):
    check_model(lambda spec: vae(spec, latent=4, width=8, **settings), PICTURE)


def test_a_conditional_model_wants_its_label_and_uses_it():
    model = vae(PICTURE, latent=4, width=8, classes=3).eval()
    assert model.condition == ConditionSpec(3, classes=True)
    assert vae(PICTURE, latent=4, width=8).condition is None
    x, z = torch.rand(2, 3, 8, 8), torch.randn(2, 4)
    with pytest.raises(MusicaeError, match="label"):
        model.encode(x)
    labels = torch.eye(3)[:2]
    assert model.encode(x, labels).mean.shape == (2, 4)
    assert not torch.allclose(model.params(z, x, labels), model.params(z, x, labels.flip(0)))


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(MusicaeError, match="divides"):
        vae(Spec(1, (10,), "bernoulli"), depth=2)
    with pytest.raises(MusicaeError, match="1 or 2 spatial axes"):
        vae(Spec(1, (4, 4, 4), "bernoulli"))
    with pytest.raises(MusicaeError, match="gru_width needs sequences"):
        vae(PICTURE, gru_width=4)
