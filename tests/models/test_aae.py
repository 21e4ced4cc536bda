"""The adversarial autoencoder."""

import pytest
import torch

from musicae.core import Latent, Spec
from musicae.models.aae import aae
from musicae.testing import check_model

LINE, PICTURE = Spec(5, (16,), "categorical"), Spec(3, (8, 8), "bernoulli")


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
def test_it_keeps_its_promises(spec):
    check_model(lambda spec: aae(spec, latent=4, width=8, discriminator_width=16), spec)


def test_the_encoder_pays_what_its_loss_weighs():
    costs = []
    for weight in (0.0, 1.0, 2.0):
        torch.manual_seed(0)
        model = aae(PICTURE, latent=2, width=8, discriminator_width=16, adversarial_weight=weight)
        costs.append(model.penalty(Latent(torch.full((8, 2), 3.0)), torch.Generator().manual_seed(0)))
    assert costs[0] < costs[1]
    torch.testing.assert_close(costs[2] - costs[1], costs[1] - costs[0])
