"""The recurrent head that writes step after step."""

import pytest
import torch

from musicae.errors import MusicaeError
from musicae.models.layers.step_head import StepHead
from musicae.tensors.likelihoods import Bernoulli


def test_it_sees_the_past_only():
    head = StepHead(4, 5, 8).eval()
    features, x = torch.randn(2, 4, 10), torch.randn(2, 5, 10)
    changed = x.clone()
    changed[..., 6:] += 1
    before, after = head.params(features, x), head.params(features, changed)
    torch.testing.assert_close(before[..., :7], after[..., :7])
    assert not torch.allclose(before[..., 7:], after[..., 7:])


@pytest.mark.parametrize(("features", "layers"), [(4, 1), (0, 2)])
def test_what_it_writes_it_would_write_again(features, layers):
    torch.manual_seed(0)
    head = StepHead(features, 5, 8, layers=layers).eval()
    given = torch.randn(3, features, 12)
    values = head.decode(given, Bernoulli().mode)
    assert values.shape == (3, 5, 12)
    assert torch.equal(Bernoulli().mode(head.params(given, values)), values)


def test_dropout_is_for_training_only():
    head, features, x = StepHead(4, 5, 8, dropout=0.5), torch.randn(2, 4, 10), torch.randn(2, 5, 10)
    assert not torch.equal(head.params(features, x), head.params(features, x))
    head.eval()
    assert torch.equal(head.params(features, x), head.params(features, x))


def test_parameters_need_the_true_values():
    with pytest.raises(MusicaeError, match="give the true values"):
        StepHead(4, 5, 8).params(torch.zeros(1, 4, 3), None)
