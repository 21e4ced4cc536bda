"""The flow prior: a distribution over codes."""

import pytest
import torch

from musicae.errors import MusicaeError
from musicae.models.flow import FlowPrior


def draw(prior, n, seed=0, cond=None):
    """Draw codes ``(n, D)`` as a codec does."""
    noise = torch.randn(n, len(prior.mean), generator=torch.Generator().manual_seed(seed))
    noise[:, prior.active_size :] = 0.0
    return prior.from_noise(noise, cond)


def test_the_flow_learns_where_codes_lie():
    torch.manual_seed(0)
    prior = FlowPrior(2, width=32, depth=2)
    optimizer = torch.optim.Adam(prior.parameters(), 3e-3)
    rng = torch.Generator().manual_seed(0)
    for _ in range(400):
        side = torch.randint(2, (256, 1), generator=rng) * 6.0 - 3.0
        codes = torch.cat([side, -side], 1) + 0.1 * torch.randn(256, 2, generator=rng)
        optimizer.zero_grad()
        prior.loss(codes, rng).backward()
        optimizer.step()
    drawn = draw(prior.eval(), 500)
    near = torch.minimum((drawn - torch.tensor([3.0, -3])).norm(dim=1), (drawn - torch.tensor([-3.0, 3])).norm(dim=1))
    assert (near < 1).float().mean() > 0.9
    assert 0.3 < (drawn[:, 0] > 0).float().mean() < 0.7


def test_a_conditional_prior_draws_each_class_where_it_lies():
    torch.manual_seed(0)
    prior, rng = FlowPrior(2, width=32, depth=2, cond_channels=2), torch.Generator().manual_seed(0)
    assert prior.cond_channels == 2
    optimizer = torch.optim.Adam(prior.parameters(), 5e-3)
    cond = torch.eye(2).repeat(128, 1)
    for _ in range(300):
        codes = 0.2 * torch.randn(256, 2, generator=rng) + 2 * cond
        optimizer.zero_grad()
        prior.loss(codes, rng, cond).backward()
        optimizer.step()
    drawn = draw(prior.eval(), 256, cond=cond)
    assert ((drawn - 2 * cond).norm(dim=1) < 1).float().mean() > 0.9
    torch.testing.assert_close(prior.from_noise(prior.to_noise(drawn, cond), cond), drawn, atol=0.05, rtol=0.05)
    with pytest.raises(MusicaeError, match="prior is conditional"):
        draw(prior, 3)


@pytest.mark.parametrize("linear", [True, False])
def test_a_prior_draws_codes_that_go_with_what_is_given(linear):
    torch.manual_seed(0)
    prior, rng = FlowPrior(2, width=32, depth=2, given=True, linear=linear), torch.Generator().manual_seed(0)
    assert prior.takes_given
    optimizer = torch.optim.Adam(prior.parameters(), 5e-3)
    for _ in range(300):
        codes = 2 * torch.randn(256, 2, generator=rng)
        given = torch.cat([codes[:, :1], torch.zeros(256, 1)], 1)
        given[128:] = 0.0
        optimizer.zero_grad()
        prior.loss(codes, rng, given=given).backward()
        optimizer.step()
    noise = torch.randn(256, 2, generator=rng)
    given = torch.tensor([[3.0, 0.0]]).expand(256, -1)
    drawn = prior.eval().from_noise(noise, given=given)
    assert (drawn[:, 0] - 3).abs().median() < 0.7
    assert drawn[:, 1].std() > 1.2
    torch.testing.assert_close(prior.to_noise(drawn, given=given), noise, atol=0.1, rtol=0.1)
    for free in (prior.from_noise(noise), prior.from_noise(noise, given=torch.zeros(256, 2))):
        assert free[:, 0].std() > 1.2
        assert free[:, 0].mean().abs() < 0.6


def test_a_condition_can_be_averaged_part_by_part():
    prior = FlowPrior(4, width=16, depth=1, cond_channels=3, cond_parts=2).eval()
    along, z = torch.rand(5, 3, 8), torch.randn(5, 4)
    halves = along.unflatten(-1, (2, 4)).mean(-1)
    assert torch.allclose(prior.to_noise(z, along), prior.to_noise(z, halves), atol=1e-6)
    assert not torch.allclose(prior.to_noise(z, along), prior.to_noise(z, halves.flip(-1)))


def test_a_condition_that_runs_along_is_averaged_over_time():
    prior = FlowPrior(4, width=16, depth=1, cond_channels=3).eval()
    along, z = torch.rand(5, 3, 8), torch.randn(5, 4)
    assert torch.equal(prior.to_noise(z, along), prior.to_noise(z, along.mean(-1)))
    assert torch.equal(prior.from_noise(z, along), prior.from_noise(z, along.mean(-1)))
    assert not torch.allclose(prior.from_noise(z, along), prior.from_noise(z, along.flip(0)))
    losses = [prior.loss(z, torch.Generator().manual_seed(0), one) for one in (along, along.mean(-1))]
    assert torch.equal(*losses)


def test_a_prior_that_is_not_conditional_leaves_conditions_alone():
    prior, z = FlowPrior(4, width=16, depth=1).eval(), torch.randn(5, 4)
    assert torch.equal(prior.to_noise(z, torch.rand(5, 3)), prior.to_noise(z))
    assert prior.loss(z, torch.Generator().manual_seed(0), torch.rand(5, 3)) == prior.loss(
        z, torch.Generator().manual_seed(0)
    )


def test_a_prior_over_the_first_numbers_leaves_the_others_as_they_are():
    torch.manual_seed(0)
    prior = FlowPrior(6, width=32, depth=1, active_size=2)
    codes = torch.randn(64, 6) + torch.arange(6)
    for _ in range(400):
        prior.loss(codes, torch.Generator().manual_seed(0))
    drawn = draw(prior, 50, seed=1)
    assert drawn[:, :2].std(0).min() > 0.1
    torch.testing.assert_close(drawn[:, 2:], prior.mean[2:].expand(50, 4))
    noise = prior.to_noise(codes)
    torch.testing.assert_close(prior.from_noise(noise)[:, 2:], codes[:, 2:])
    assert (prior.active_size, FlowPrior(6).active_size) == (2, 6)
    with pytest.raises(MusicaeError, match="active_size must be 0 to 6"):
        FlowPrior(6, active_size=7)


def test_in_use_it_follows_no_statistics():
    prior = FlowPrior(3, width=16, depth=1).eval()
    prior.loss(torch.randn(8, 3) + 5, torch.Generator())
    assert not prior.mean.any()
    assert prior.scale == 1


def test_a_linear_flow_starts_as_the_best_for_independent_codes_and_stays_a_flow():
    torch.manual_seed(0)
    spread = torch.tensor([2.0, 0.5, 1.0, 1.0])
    prior, rng = FlowPrior(4, width=16, depth=1, linear=True), torch.Generator().manual_seed(0)
    x, t = torch.randn(5, 4), torch.rand(5)
    with torch.no_grad():
        assert torch.equal(
            prior.velocity(x, t), torch.stack([prior.velocity(x[i : i + 1], t[i : i + 1])[0] for i in range(5)])
        )
        still = prior.velocity(torch.zeros(5, 4), t)
        twice = prior.velocity(2 * x, t) - 2 * prior.velocity(x, t) + still
    torch.testing.assert_close(twice, torch.zeros(5, 4), atol=1e-6, rtol=0)  # The MLP is silent, the rest is linear.
    optimizer = torch.optim.Adam(prior.parameters(), 1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        prior.loss(spread * torch.randn(256, 4, generator=rng), rng).backward()
        optimizer.step()
    drawn = draw(prior.eval(), 2000)
    torch.testing.assert_close(drawn.std(0), spread, rtol=0.15, atol=0)
    torch.testing.assert_close(prior.from_noise(prior.to_noise(drawn)), drawn, atol=0.05, rtol=0.05)
