"""The sparse autoencoder."""

import pytest
import torch

from musicae.core import Latent, Spec
from musicae.models.sparse_ae import sparse_ae
from musicae.testing import check_model

LINE, PICTURE = Spec(5, (16,), "categorical"), Spec(3, (8, 8), "bernoulli")


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
def test_it_keeps_its_promises(spec):
    check_model(lambda spec: sparse_ae(spec, latent=4, width=8), spec)


def test_sparse_codes_are_never_below_zero_and_often_at_it():
    code = sparse_ae(PICTURE, latent=64, width=8).encode(torch.rand(16, 3, 8, 8)).mean
    assert code.min() == 0
    assert 0.1 < (code > 0).float().mean() < 0.9


def test_its_penalty_is_times_the_setting():
    code = Latent(torch.tensor([[0.0, 3, 0, 0], [0, 0, 0, 7]]))
    costs = [sparse_ae(PICTURE, 4, 8, sparsity=s).penalty(code, torch.Generator()).item() for s in (0.5, 0.25)]
    assert costs == pytest.approx([0.5, 0.25])
