"""What holds for every likelihood."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae import registry
from musicae.core import Group, Likelihood, Spec
from musicae.tensors.likelihoods import Bernoulli, Categorical, Gaussian, Joint, Laplace

PARTS = [
    Group("melody", 4, "categorical"),
    Group("loudness", 1, "gaussian"),
    Group("drums", 3, "bernoulli"),
    Group("bend", 2, "laplace"),
]
SPEC = Spec.joint((6,), PARTS)
MADE = {
    "categorical": Categorical(),
    "bernoulli": Bernoulli(),
    "bernoulli, grey": Bernoulli(grey=True),
    "gaussian": Gaussian(0.5),
    "laplace": Laplace(2.0),
    "joint": Joint({"loudness": {"where": "melody", "first": 2}, "drums": {"weight": 3.0}}).bind(SPEC),
}
CHANNELS = SPEC.channels
DENSITIES = sorted(MADE)


def params_of(seed, shape=(6,), n=2):
    return 2 * torch.randn(n, CHANNELS, *shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", DENSITIES)
@given(seed=st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_temperature_zero_is_the_mode_and_a_seed_repeats(name, seed):
    likelihood, params = MADE[name], params_of(seed)
    torch.testing.assert_close(likelihood.sample(params, 0.0), likelihood.mode(params))
    draws = [likelihood.sample(params, 1.0, torch.Generator().manual_seed(seed)) for _ in range(2)]
    assert torch.equal(*draws)
    assert draws[0].shape == params.shape
    assert likelihood.flaw(draws[0], 1) == ""


@pytest.mark.parametrize("name", sorted(set(MADE) - {"bernoulli, grey"}))
@given(seed=st.integers(0, 2**31))
@settings(max_examples=15, deadline=None)
def test_nothing_is_more_probable_than_the_mode(name, seed):
    likelihood, params = MADE[name], params_of(seed, n=8)
    # What is drawn where a group does not count costs other groups nothing: the places must be the same.
    best, drawn = likelihood.mode(params), likelihood.sample(params, 0.7, torch.Generator().manual_seed(seed))
    if name == "joint":
        melody = SPEC.slices["melody"]
        drawn[:, melody] = best[:, melody]
    assert (likelihood.nll(params, best) <= likelihood.nll(params, drawn) + 1e-4).all()


@pytest.mark.parametrize("name", DENSITIES)
@given(seed=st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_distances_are_those_of_compact_values(name, seed):
    likelihood = MADE[name]
    x = likelihood.sample(params_of(seed), 1.0, torch.Generator().manual_seed(seed))
    y = likelihood.sample(params_of(seed + 1), 1.0, torch.Generator().manual_seed(seed))
    far = likelihood.distance(x, y)
    assert far.shape == (2,)
    torch.testing.assert_close(far, likelihood.distance(likelihood.compact(x), likelihood.compact(y)))
    torch.testing.assert_close(far, likelihood.distance(y, x))
    assert not likelihood.distance(x, x).any()
    if likelihood.discrete:
        assert far.max() <= 1


@pytest.mark.parametrize("name", DENSITIES)
def test_an_example_s_nll_is_its_own(name):
    likelihood, params = MADE[name], params_of(0, n=4)
    target = likelihood.sample(params_of(1, n=4), 1.0, torch.Generator().manual_seed(0))
    once = likelihood.nll(params, target)
    assert once.shape == (4,)
    torch.testing.assert_close(likelihood.nll(params[1:2], target[1:2]), once[1:2])
    for part in likelihood.nll_parts(params, target).values():
        assert part.shape == (4,)


@pytest.mark.parametrize("name", DENSITIES)
def test_a_blank_step_is_a_value(name):
    blank = MADE[name].blank(CHANNELS)
    assert blank.shape == (CHANNELS,)
    assert MADE[name].flaw(blank[None, :, None], 1) == ""


@pytest.mark.parametrize("name", registry.names("likelihoods"))
def test_every_registered_one_is_a_likelihood(name):
    made = registry.build("likelihoods", name)
    assert isinstance(made, Likelihood)
    assert registry.lookup_target("likelihoods", name).split(":")[0].endswith(name.replace("-", "_"))


def test_what_is_discrete():
    assert {name for name, one in MADE.items() if one.discrete} == {"categorical", "bernoulli"}
