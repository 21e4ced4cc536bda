"""The language model of sequences."""

import pytest
import torch

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.lm import LanguageModel
from musicae.tensors.likelihoods import Categorical
from musicae.testing import check_model

LINE = Spec(5, (16,), "categorical")


def test_it_keeps_its_promises():
    check_model(lambda spec: LanguageModel(spec, width=8), LINE)


def test_it_has_no_code_but_writes():
    model = LanguageModel(LINE, width=8)
    with pytest.raises(MusicaeError, match="a language model has no code"):
        model.encode(torch.zeros(1, 5, 16))
    z = torch.zeros(3, 0)
    values = model.decode(z, Categorical().mode)
    assert values.shape == (3, 5, 16)
    assert torch.equal(Categorical().mode(model.params(z, values)), values)
    with pytest.raises(MusicaeError, match="give params the sequence"):
        model.params(z)


def test_training_looks_at_the_target_only():
    model, target = LanguageModel(LINE, width=8), torch.rand(2, 5, 16)
    params, latent = model(torch.zeros(2, 5, 16), target)
    assert torch.equal(params, model.params(torch.zeros(2, 0), target))
    assert latent.mean.shape == (2, 0)


def test_pictures_are_refused():
    with pytest.raises(MusicaeError, match="'lm' takes sequences"):
        LanguageModel(Spec(3, (8, 8), "bernoulli"))
