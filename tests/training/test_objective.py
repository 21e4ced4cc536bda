"""The loss: its parts, what each counts for, and where gradients go."""

import pytest
import torch
from torch import nn

from musicae import codec as codecs
from musicae.core import ConditionSpec, Latent, Likelihood, Model, Prior
from musicae.preset import Preset
from musicae.training.objective import Objective, kl_weight
from musicae.training.options import TrainingOptions


class Parts(Likelihood):
    """Half squared error, in two parts: the first channel and the others."""

    def nll(self, params, target):
        return sum(self.nll_parts(params, target).values())

    def nll_parts(self, params, target):
        error = 0.5 * (params - target).square()
        return {"first": error[:, :1].flatten(1).sum(1), "rest": error[:, 1:].flatten(1).sum(1)}

    def mode(self, params):
        return params

    def sample(self, params, temperature, generator=None):
        return params


class Small(Model):
    """A Gaussian code of three numbers; its parameters are one number everywhere."""

    latent_size = 3

    def __init__(self, penalised=False):
        super().__init__()
        self.weight, self.penalised = nn.Parameter(torch.tensor(0.5)), penalised

    def encode(self, x, cond=None):
        return Latent(self.weight * x.mean((1, 2))[:, None].expand(-1, 3), torch.zeros(len(x), 3))

    def params(self, z, x=None, cond=None):
        return z.mean(1).view(-1, 1, 1).expand(-1, 2, 8)

    def penalty(self, latent, rng):
        return 2.0 * latent.mean.square().sum() if self.penalised else None


class Asked(Prior):
    """Keeps what it is given."""

    active_size, cond_channels = 3, 4

    def __init__(self):
        super().__init__()
        self.weight, self.seen = nn.Parameter(torch.ones(3)), []

    def loss(self, z, rng, cond=None, given=None):
        self.seen.append((z, cond, given))
        return (self.weight * z).square().mean()


def made(model, prior=None):
    codec = codecs.build(Preset("made", {"adapter": {"name": "melody"}, "model": {"name": "lm", "width": 4}}))
    codec.model, codec.prior, codec.likelihood = model, prior, Parts()
    return Objective(codec)


def losses(objective, x, cond=None, beta=1.0, free_bits=0.0, prior_draws=0, given=None):
    given = x if given is None else given
    return objective(x, given, cond, torch.Generator().manual_seed(0), beta, free_bits, prior_draws)


@pytest.fixture
def x():
    return torch.randn(4, 2, 8, generator=torch.Generator().manual_seed(1))


def test_the_loss_is_a_place_of_the_sum_of_its_parts(x):
    found = losses(made(Small()), x, beta=0.5)
    assert set(found) == {"loss", "nll", "nll_first", "nll_rest", "kl"}
    assert found["nll"].item() == pytest.approx((found["nll_first"] + found["nll_rest"]).item())
    assert found["loss"].item() == pytest.approx(((found["nll"] + 0.5 * found["kl"]) / 8).item())


def test_free_bits_cost_nothing_below_their_number(x):
    objective = made(Small())
    assert losses(objective, x, free_bits=1e6)["loss"].item() == pytest.approx(
        losses(objective, x, beta=0.0)["loss"].item()
    )
    assert losses(objective, x)["loss"] > losses(objective, x, beta=0.0)["loss"]


def test_a_penalty_is_added_as_it_is(x):
    plain, penalised = losses(made(Small()), x), losses(made(Small(penalised=True)), x)
    assert penalised["penalty"] > 0
    assert (penalised["loss"] - plain["loss"]).item() == pytest.approx(penalised["penalty"].item(), rel=1e-4)


def test_the_priors_gradient_stays_with_the_prior(x):
    alone, both = made(Small()), made(Small(), Asked())
    losses(alone, x)["loss"].backward()
    found = losses(both, x)
    found["loss"].backward()
    assert both.networks["model"].weight.grad == alone.networks["model"].weight.grad
    assert both.networks["prior"].weight.grad.abs().sum() > 0
    assert {"prior", "nll"} <= set(found)


def test_the_prior_alone_leaves_the_model(x):
    objective = made(Small(), Asked())
    found = losses(objective, x, prior_draws=1)
    assert set(found) == {"loss", "prior"}
    found["loss"].backward()
    assert objective.networks["model"].weight.grad is None
    assert objective.networks["prior"].weight.grad is not None


def test_the_prior_gets_the_condition_as_it_is(x):
    prior = Asked()
    objective = made(Small(), prior)
    objective.networks["model"].condition = ConditionSpec(4, along=True)
    along = torch.rand(4, 4, 8)
    losses(objective, x, along)
    losses(objective, x, along, prior_draws=1)
    assert torch.equal(prior.seen[0][1], along)
    assert torch.equal(prior.seen[1][1], along)
    assert not prior.seen[0][0].requires_grad


def test_each_code_counts_several_times_for_the_prior_alone(x):
    prior = Asked()
    objective = made(Small(), prior)
    objective.networks["model"].condition = ConditionSpec(4)
    losses(objective, x, torch.arange(16.0).view(4, 4), prior_draws=3)
    codes, cond, _ = prior.seen[0]
    assert codes.shape == (12, 3)
    assert torch.equal(codes, codes[::3].repeat_interleave(3, 0))
    assert torch.equal(cond[3:6], torch.tensor([[4.0, 5, 6, 7]]).expand(3, -1))


@pytest.mark.parametrize("known", [True, False])
def test_the_prior_alone_learns_codes_of_whole_windows(x, known):
    """With an optional condition only if it knows conditions."""
    prior, seen = Asked(), []
    prior.cond_channels = 4 * known

    class Seeing(Small):
        condition = ConditionSpec(4, along=True, optional=True)

        def encode(self, x, cond=None):
            seen.append(cond)
            return super().encode(x)

    objective, along = made(Seeing(), prior), torch.rand(4, 4, 8)
    losses(objective, x, along, prior_draws=1, given=torch.zeros_like(x))
    codes, cond, _ = prior.seen[0]
    assert torch.equal(codes, Small().encode(x).mean)
    assert torch.equal(cond, along) if known else cond is None
    assert torch.equal(seen[0], along) if known else seen[0] is None


@pytest.mark.parametrize("takes", [True, False])
def test_the_prior_is_given_the_codes_of_windows_with_hidden_parts(x, takes):
    prior = Asked()
    prior.takes_given = takes
    given = x.clone()
    given[1:3] = 0.5
    losses(made(Small(), prior), x, prior_draws=2, given=given)
    codes, _, known = prior.seen[0]
    assert torch.equal(codes[::2], Small().encode(x).mean)
    if not takes:
        assert known is None
        return
    assert torch.equal(known[::2], known[1::2])
    assert torch.equal(known[::2][1:3], Small().encode(given).mean[1:3])
    assert not known[::2][[0, 3]].any()  # Nothing is hidden: nothing is given.


def test_a_prior_that_knows_an_optional_condition_does_without_it_by_chance(x):
    prior = Asked()
    objective = made(Small(), prior)
    objective.networks["model"].condition = ConditionSpec(4, along=True, optional=True, dropout=0.5)
    losses(objective.train(), x.repeat(25, 1, 1), torch.ones(100, 4, 8), prior_draws=1)
    kept = prior.seen[0][1].flatten(1)
    assert ((kept == 0).all(1) | (kept == 1).all(1)).all()
    assert 30 < kept[:, 0].sum() < 70


@pytest.mark.parametrize("along", [True, False])
def test_examples_do_without_an_optional_condition_by_chance_in_training_only(along):
    seen = []

    class Seeing(Small):
        condition = ConditionSpec(4, along=along, optional=True, dropout=0.25)

        def encode(self, x, cond=None):
            seen.append(cond)
            return super().encode(x)

    x, cond = torch.rand(400, 2, 8), torch.ones(400, 4, *[8] * along)
    objective = made(Seeing())
    losses(objective, x, cond)
    losses(objective.eval(), x, cond)
    without = (seen[0] == 0).flatten(1)
    assert torch.equal(without.all(1), without.any(1))
    assert without.float().mean().item() == pytest.approx(0.25, abs=0.07)
    assert torch.equal(seen[1], cond)


def test_kl_weights_go_where_they_say():
    options = TrainingOptions(steps=100, beta=0.5, kl_warmup=50)
    linear = [kl_weight(step, options) for step in range(100)]
    assert linear[49] == linear[99] == 0.5
    assert linear[24] == pytest.approx(0.25)
    assert kl_weight(0, TrainingOptions(beta=0.5)) == 0.5
    options = TrainingOptions(steps=100, kl_schedule="cyclical", kl_cycles=4)
    cyclical = [kl_weight(step, options) for step in range(100)]
    assert [step for step in range(100) if cyclical[step] == 0.0] == [0, 25, 50, 75]
    assert max(cyclical) == 1.0
