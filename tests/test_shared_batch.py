"""A batch shared among processes: draws and statistics as in one."""

import torch

from musicae.core import Latent
from musicae.models.flow import FlowPrior
from musicae.shared_batch import Share, normal, sharing, uniform_like, whole


def seeded():
    return torch.Generator().manual_seed(3)


def parts(draw, count=2):
    """What each of `count` processes draws, one after another."""
    drawn = []
    for index in range(count):
        torch.manual_seed(3)
        with sharing(Share(index, count)):
            drawn.append(draw())
    return torch.cat(drawn)


def test_outside_of_a_training_they_are_plain_draws():
    assert torch.equal(normal((6, 4), seeded()), torch.randn((6, 4), generator=seeded()))
    x = torch.ones(6, 1, 5)
    torch.manual_seed(3)
    drawn = uniform_like(x)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand_like(x))
    assert torch.equal(whole(x), x)


def test_processes_draw_what_one_would():
    assert torch.equal(parts(lambda: normal((3, 40), seeded())), normal((6, 40), seeded()))
    drawn = parts(lambda: uniform_like(torch.ones(2, 7)), 3)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(6, 7))


def test_a_code_is_sampled_with_the_noise_of_the_whole_batch():
    mean = torch.arange(24.0).view(6, 4)
    alone = Latent(mean, torch.zeros(6, 4)).sample(seeded())
    halves = iter(mean.chunk(2))
    assert torch.equal(parts(lambda: Latent(next(halves), torch.zeros(3, 4)).sample(seeded())), alone)


def test_a_prior_tracks_the_codes_of_all():
    codes = torch.randn(8, 4, generator=seeded())
    alone, shared = FlowPrior(4, width=8, depth=1).train(), FlowPrior(4, width=8, depth=1).train()
    alone.loss(codes, seeded())
    with sharing(Share(1, 2, lambda x: codes)):
        shared.loss(codes[4:], seeded())
    assert torch.equal(alone.mean, shared.mean)
    assert torch.equal(alone.scale, shared.scale)
