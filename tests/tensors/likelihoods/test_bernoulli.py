import math

import torch

from musicae.tensors.likelihoods.bernoulli import Bernoulli


def test_nll_is_in_nats_an_example():
    target = torch.randint(2, (3, 4, 5)).float()
    torch.testing.assert_close(Bernoulli().nll(torch.zeros(3, 4, 5), target), torch.full((3,), 20 * math.log(2)))


def test_draws_follow_the_probabilities():
    params = torch.logit(torch.tensor(0.3)).expand(1, 1, 20_000)
    drawn = Bernoulli().sample(params, 1.0, torch.Generator().manual_seed(0))
    assert abs(drawn.mean().item() - 0.3) < 0.02
    assert set(drawn.unique().tolist()) == {0.0, 1.0}


def test_modes_of_grey_pictures_are_probabilities():
    params = torch.tensor([[[-3.0, 0.5, 3.0]]])
    torch.testing.assert_close(Bernoulli(grey=True).mode(params), torch.sigmoid(params))
    assert Bernoulli().mode(params).tolist() == [[[0, 1, 1]]]


def test_greys_are_compared_as_numbers():
    x, y = torch.zeros(1, 2, 4), torch.zeros(1, 2, 4)
    y[0, :, 0] = 0.5
    assert Bernoulli().distance(x, y).tolist() == [0.25]
    assert Bernoulli(grey=True).distance(x, y).item() == math.sqrt(2 * 0.25 / 8)


def test_it_is_kept_as_bits_unless_grey():
    x = torch.tensor([[[0.0, 1.0]]])
    assert Bernoulli().pack(x).dtype == torch.bool
    assert Bernoulli(grey=True).pack(x) is x


def test_values_outside_have_a_flaw():
    assert Bernoulli().flaw(torch.tensor([[0.0, 0.5, 1.0]]), 1) == ""
    for wrong in (-0.1, 1.1, math.nan):
        assert Bernoulli().flaw(torch.tensor([[wrong]]), 1) == "has values outside 0 .. 1"


def test_a_lower_threshold_says_more_ones():
    params = torch.logit(torch.tensor([[[0.25, 0.35, 0.6]]]))
    assert Bernoulli(threshold=0.3).mode(params).tolist() == [[[0, 1, 1]]]
    assert Bernoulli(threshold=0.3).sample(params, 0.0).tolist() == [[[0, 1, 1]]]


def test_many_channels_are_compared_as_few() -> None:
    x = (torch.rand(7, 50, 6, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    y = x.clone()
    y[3, 49, 5] = 1 - y[3, 49, 5]
    likelihood = Bernoulli()
    assert likelihood.compact(x).shape == (7, 3, 6)
    assert (likelihood.compact(x) != likelihood.compact(y)).nonzero().tolist() == [[3, 2, 5]]
    assert torch.equal(Bernoulli(grey=True).compact(x), x)
