"""The plain convolutional autoencoder."""

import pytest
import torch

from musicae.core import Spec
from musicae.models.ae import ae
from musicae.testing import check_model

LINE, PICTURE = Spec(5, (16,), "categorical"), Spec(3, (8, 8), "bernoulli")


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
def test_it_keeps_its_promises(spec):
    check_model(lambda spec: ae(spec, latent=4, width=8), spec)


def test_its_code_is_a_point_of_any_sign():
    latent = ae(PICTURE, latent=64, width=8).encode(torch.rand(4, 3, 8, 8))
    assert latent.logvar is None
    assert latent.mean.min() < 0 < latent.mean.max()
