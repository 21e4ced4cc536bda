import math

import torch

from musicae.tensors.likelihoods.categorical import Categorical


def one_hot(index, classes):
    return torch.nn.functional.one_hot(index, classes).movedim(-1, 1).float()


def test_nll_is_in_nats_an_example():
    target = one_hot(torch.randint(4, (3, 5)), 4)
    torch.testing.assert_close(Categorical().nll(torch.zeros(3, 4, 5), target), torch.full((3,), 5 * math.log(4)))


def test_draws_follow_the_probabilities():
    probabilities = torch.tensor([0.1, 0.2, 0.7])
    params = probabilities.log().view(1, 3, 1).expand(1, 3, 20_000)
    drawn = Categorical().sample(params, 1.0, torch.Generator().manual_seed(0)).mean(-1)[0]
    torch.testing.assert_close(drawn, probabilities, atol=0.02, rtol=0)


def test_values_of_pictures_are_one_hot_too():
    params = torch.randn(2, 3, 4, 4)
    assert (Categorical().mode(params).sum(1) == 1).all()


def test_a_rest_is_blank_and_a_place_has_one_free_value():
    assert Categorical().blank(4).tolist() == [1, 0, 0, 0]
    assert Categorical().free_values(90) == 1


def test_it_is_kept_as_classes():
    index = torch.randint(5, (2, 7))
    x = one_hot(index, 5)
    assert Categorical().pack(x).dtype == torch.uint8
    assert Categorical().pack(x).tolist() == index.tolist()
    assert Categorical().pack(torch.eye(300)[None]).dtype == torch.int32
    assert Categorical().compact(x).squeeze(1).tolist() == index.tolist()


def test_distances_are_the_share_of_places_that_differ():
    x, y = one_hot(torch.tensor([[0, 1, 2, 3]]), 4), one_hot(torch.tensor([[0, 1, 3, 2]]), 4)
    assert Categorical().distance(x, y).tolist() == [0.5]
    assert Categorical().likeness(x, y, y).tolist() == [0.5]


def test_values_that_are_not_one_hot_have_a_flaw():
    good = one_hot(torch.randint(4, (3, 5)), 4)
    assert Categorical().flaw(good, 1) == ""
    assert Categorical().flaw(good.movedim(1, 2), 2) == ""
    for wrong in (0 * good, good / 2, good.flip(1) + good):
        assert Categorical().flaw(wrong, 1) == "is not one-hot over its 4 channels, as 'categorical' needs"
