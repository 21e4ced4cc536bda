"""What a model asks of its codes besides telling the data: to be sparse, or to look like draws from N(0, 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from ..core import Latent

__all__ = ["Adversary", "Sparsity"]


class Sparsity(nn.Module):
    """The L1 norm of the code, times `weight` (Ng 2011, sparse autoencoder; with L1 in the place of the KL term).

    It is of codes brought to length one each: else smaller codes and a louder decoder would do. So it lies between 1,
    for one number that is not 0, and the root of their count, for all alike (Hoyer 2004).
    """

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, latent: Latent, rng: torch.Generator) -> Tensor:
        """Return its mean over the batch."""
        size = latent.mean.square().sum(1).add(1e-12).sqrt()
        return self.weight * (latent.mean.abs().sum(1) / size).mean()


class Adversary(nn.Module):
    """A discriminator that tells codes from draws of N(0, 1), and what the encoder pays for being told.

    Makhzani et al. 2016, adversarial autoencoder; both players are trained at every step, the encoder with the
    non-saturating loss (Goodfellow et al. 2014). The discriminator sees the codes of the batch without
    their gradient, the encoder the discriminator without its own, so that one loss serves both.
    """

    def __init__(self, latent: int, width: int, weight: float) -> None:
        super().__init__()
        self.weight = weight
        self.net = nn.Sequential(
            nn.Linear(latent, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )  # fmt: skip

    def forward(self, latent: Latent, rng: torch.Generator) -> Tensor:
        """Return the losses of both players, the encoder's times `weight`."""
        code = latent.sample(rng)
        prior = torch.randn(code.shape, generator=rng).to(code)
        told = self.net(torch.cat([prior, code.detach()])).squeeze(1).float()
        truth = torch.cat([torch.ones(len(prior)), torch.zeros(len(code))]).to(told)
        fixed = {name: weight.detach() for name, weight in self.net.named_parameters()}
        fooled = functional_call(self.net, fixed, (code,)).squeeze(1).float()
        mine = F.binary_cross_entropy_with_logits(fooled, torch.ones_like(fooled))
        return F.binary_cross_entropy_with_logits(told, truth) + self.weight * mine
