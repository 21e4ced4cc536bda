"""What is asked of codes besides."""

import pytest
import torch

from musicae.core import Latent
from musicae.models.layers.penalties import Adversary, Sparsity


def test_sparsity_costs_the_absolute_code_whatever_its_size():
    few, many = torch.tensor([[0.0, 3, 0, 0], [0, 0, 0, 7]]), torch.ones(2, 4)
    costs = [Sparsity(0.5)(Latent(code), torch.Generator()).item() for code in (few, many, 7 * many)]
    assert costs == pytest.approx([0.5, 1.0, 1.0])


def test_the_sparsity_of_nothing_has_a_gradient_that_is_finite():
    code = torch.zeros(2, 4, requires_grad=True)
    Sparsity(1.0)(Latent(code), torch.Generator()).backward()
    assert code.grad.isfinite().all()


def test_both_players_learn():
    """The discriminator learns to tell codes that are far off, and the gradient draws those towards N(0, 1)."""
    torch.manual_seed(0)
    adversary = Adversary(2, 32, weight=1.0)
    rng = torch.Generator().manual_seed(0)
    code = torch.nn.Parameter(torch.randn(256, 2, generator=rng) * 0.3 + 4)
    optimizer = torch.optim.Adam([{"params": adversary.parameters(), "lr": 2e-3}, {"params": [code], "lr": 2e-2}])
    for step in range(600):
        optimizer.zero_grad()
        adversary(Latent(code), rng).backward()
        optimizer.step()
        if step == 50:
            both = torch.cat([torch.randn(256, 2, generator=rng), code.detach()])
            real = torch.sigmoid(adversary.net(both)).view(2, -1)
            assert real[0].mean() > 0.8 > 0.2 > real[1].mean()
    assert code.mean(0).abs().max() < 0.8


def test_the_discriminator_learns_nothing_from_the_encoder_s_loss():
    torch.manual_seed(0)
    grads = []
    for weight in (0.0, 5.0):
        torch.manual_seed(0)
        adversary = Adversary(2, 8, weight)
        adversary(Latent(torch.ones(4, 2)), torch.Generator().manual_seed(0)).backward()
        grads.append(torch.cat([parameter.grad.flatten() for parameter in adversary.parameters()]))
    assert torch.equal(*grads)
