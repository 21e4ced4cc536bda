"""The autoencoder with a quantised code."""

import pytest
import torch

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.fsq_ae import fsq_ae
from musicae.testing import check_model

LINE, PICTURE = Spec(5, (16,), "categorical"), Spec(3, (8, 8), "bernoulli")


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
def test_it_keeps_its_promises(spec):
    check_model(lambda spec: fsq_ae(spec, latent=4, width=8), spec)


def test_quantised_codes_have_few_values_and_a_gradient():
    model = fsq_ae(PICTURE, latent=4, width=8, levels=5)
    x = torch.rand(16, 3, 8, 8)
    code = model.encode(x).mean
    torch.testing.assert_close((code * 2).round() / 2, code)
    code.sum().backward()
    assert model.to_code.weight.grad.abs().sum() > 0
    near = code.detach() + 0.1
    assert torch.equal(model.decode(near, lambda params: params), model.decode(code, lambda params: params))


def test_one_level_is_refused():
    with pytest.raises(MusicaeError, match="levels must be 2 or more, not 1"):
        fsq_ae(PICTURE, levels=1)
