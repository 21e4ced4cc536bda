"""Terms of the loss on codes: that they are sparse, or look like draws from N(0, 1)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from musicae.core import Latent
from musicae.shared_batch import normal

__all__ = ["Adversary", "Sparsity"]

_EPS = 1e-12  # Keeps the gradient finite at a code of zeros.


class Sparsity(nn.Module):
    """The L1 norm of the code, times `weight` (Ng 2011, sparse autoencoder; L1 instead of the KL term).

    Codes are scaled to length one first; otherwise smaller codes and a louder decoder would satisfy it. So it is
    between 1, if only one number is not 0, and ``sqrt(D)``, if all have the same size (Hoyer 2004).
    """

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, latent: Latent, rng: torch.Generator) -> Tensor:
        """Return its mean over the batch, a scalar."""
        length = latent.mean.square().sum(1).add(_EPS).sqrt()
        return self.weight * (latent.mean.abs().sum(1) / length).mean()


class Adversary(nn.Module):
    """A discriminator between codes and draws of N(0, 1), and the encoder's loss for failing to fool it.

    Makhzani et al. 2016, adversarial autoencoder; both are trained at every step, the encoder with the
    non-saturating loss (Goodfellow et al. 2014). The discriminator sees the codes of the batch without
    their gradient, the encoder the discriminator without its own, so that one loss serves both.
    """

    def __init__(self, latent: int, width: int, weight: float) -> None:
        super().__init__()
        self.weight = weight
        layers: list[nn.Module] = [nn.Linear(latent, width), nn.LeakyReLU(0.2)]
        layers += [nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 1)]
        self.net = nn.Sequential(*layers)

    def forward(self, latent: Latent, rng: torch.Generator) -> Tensor:
        """Return the discriminator's loss plus the encoder's times `weight`, a scalar."""
        code = latent.sample(rng)
        prior = normal(code.shape, rng).to(code)
        logits = self.net(torch.cat([prior, code.detach()])).squeeze(1).float()
        truth = torch.cat([torch.ones(len(prior)), torch.zeros(len(code))]).to(logits)
        fixed = {name: weight.detach() for name, weight in self.net.named_parameters()}
        fooled = functional_call(self.net, fixed, (code,)).squeeze(1).float()
        encoder_loss = F.binary_cross_entropy_with_logits(fooled, torch.ones_like(fooled))
        return F.binary_cross_entropy_with_logits(logits, truth) + self.weight * encoder_loss
