"""The plain patch-Transformer autoencoder."""

import pytest
import torch

from musicae.core import Spec
from musicae.models.patch_ae import patch_ae
from musicae.testing import check_model

LINE, PICTURE = Spec(5, (16,), "categorical"), Spec(3, (8, 8), "bernoulli")


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
def test_it_keeps_its_promises(spec):
    check_model(lambda spec: patch_ae(spec, latent=4, width=12, depth=1), spec)


def test_its_code_is_a_point():
    assert patch_ae(LINE, latent=4, width=12, depth=1).encode(torch.rand(2, 5, 16)).logvar is None
