"""An autoencoder of sound on a critically sampled transform, which starts as principal components and learns more."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core import Choose, Latent, Spec
from ..errors import MusicaeError
from .conv import ResBlock, conv

__all__ = ["Mdct", "MdctModel", "mdct_vae"]

_LEAST = 1e-9
_AT_ONCE = 64
_COMPRESS = 0.4
_SMALL = 1e-3  # Of a coefficient: below it the compressed one is not steeper.
_LOG_LEVELS = (-12.0, 6.0)


class Mdct(nn.Module):
    """The modified discrete cosine transform: `hop` real numbers for each `hop` samples, with a sine window.

    Windows overlap by half, and what is left alone comes back whole (Princen, Johnson and Bradley 1987).
    """

    basis: Tensor

    def __init__(self, hop: int) -> None:
        super().__init__()
        self.hop = hop
        n, k = torch.arange(2 * hop, dtype=torch.float64)[:, None], torch.arange(hop, dtype=torch.float64)
        window = torch.sin(math.pi / (2 * hop) * (n + 0.5))
        phase = math.pi / hop * (n + 0.5 + hop / 2) * (k + 0.5)
        self.register_buffer("basis", (math.sqrt(2 / hop) * window * phase.cos()).float(), persistent=False)

    def analyse(self, x: Tensor) -> Tensor:
        """Return ``(B, T / hop + 1, hop)`` coefficients of ``(B, T)``; the first and the last window hang over."""
        frames = F.pad(x, (self.hop, self.hop)).unfold(1, 2 * self.hop, self.hop)
        with torch.autocast(x.device.type, enabled=False):  # Half the bits would be heard.
            return frames.float() @ self.basis

    def synthesise(self, coefficients: Tensor) -> Tensor:
        """Return ``(B, T)`` samples of ``(B, T / hop + 1, hop)``."""
        with torch.autocast(coefficients.device.type, enabled=False):
            frames = coefficients.float() @ self.basis.T
        first, second = frames[..., : self.hop], frames[..., self.hop :]
        return (second[:, :-1] + first[:, 1:]).flatten(1)


class MdctModel(nn.Module):
    """Codes of `latent` numbers for each `hop` samples: a linear map of the coefficients, and a network beside it.

    The linear maps are principal components of the training data (`prepare`) and stay so; the networks start as
    nothing, so that training adds. The code of a window ``(1, T)`` has ``(T / hop + 1) * latent`` numbers, by frames.
    """

    prepared = 4000  # Windows that `prepare` is to be given.
    axes: Tensor
    centre: Tensor
    scale: Tensor

    def __init__(self, spec: Spec, latent: int, hop: int, width: int, blocks: int, variational: bool) -> None:
        super().__init__()
        if len(spec.shape) != 1 or spec.channels != 1:
            raise MusicaeError("[model] 'mdct-vae' takes one channel of samples; use it with the adapter 'audio'")
        if hop < 1 or spec.shape[0] % hop or not 1 <= latent <= hop:
            raise MusicaeError(
                f"[model] hop {hop} must divide the window of {spec.shape[0]} samples, and latent be 1 to hop"
            )
        self.frames, self.latent, self.variational = spec.shape[0] // hop + 1, latent, variational
        self.latent_size = self.frames * latent
        self.mdct = Mdct(hop)
        self.register_buffer("axes", torch.eye(hop)[:, :latent].contiguous())
        self.register_buffer("centre", torch.zeros(hop))
        self.register_buffer("scale", torch.ones(latent))
        self.encoder = nn.Sequential(
            conv(1, 2 * hop, width, 3), *(ResBlock(1, width) for _ in range(blocks)), nn.SiLU(),
            conv(1, width, latent * (2 if variational else 1), 1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            conv(1, latent + hop, width, 3), *(ResBlock(1, width) for _ in range(blocks)), nn.SiLU(),
            conv(1, width, hop, 1),
        )  # fmt: skip
        with torch.no_grad():
            for last in (self.encoder[-1], self.decoder[-1]):
                for parameter in last.parameters():
                    parameter.mul_(0.0)
            if variational:
                next(p for name, p in self.encoder[-1].named_parameters() if name == "bias")[latent:] = -6.0

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """Start as the principal components of windows ``(N, 1, T)`` of the training data."""
        size = x.shape[-1] // self.mdct.hop * self.mdct.hop
        hop, exact = self.mdct.hop, torch.float64
        count, total, products = 0, torch.zeros(hop, dtype=exact), torch.zeros(hop, hop, dtype=exact)
        for part in torch.split(x[:, 0, :size], _AT_ONCE):
            known = self.mdct.analyse(part.to(self.mdct.basis)).flatten(0, 1).to("cpu", exact)
            count, total, products = count + len(known), total + known.sum(0), products + known.T @ known
        centre = total / count
        values, vectors = torch.linalg.eigh(products / count - torch.outer(centre, centre))
        self.axes.copy_(vectors[:, -self.latent :])
        self.scale.copy_(values[-self.latent :].clamp_min(_LEAST).sqrt())  # Codes of power one, as the prior has.
        self.centre.copy_(centre)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Return the code of `x` ``(B, 1, T)``."""
        found = self.mdct.analyse(x[:, 0].float())
        size = found.abs() + _LEAST
        features = torch.cat([found.sign() * size**_COMPRESS, size.log10() / 3 + 1], dim=-1)
        added = self.encoder(features.transpose(1, 2)).transpose(1, 2).float()
        with torch.autocast(x.device.type, enabled=False):
            mean = (found - self.centre) @ self.axes / self.scale + added[..., : self.latent]
        logvar = added[..., self.latent :].clamp(*_LOG_LEVELS).flatten(1) if self.variational else None
        return Latent(mean.flatten(1), logvar)

    def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return samples ``(B, 1, T)``."""
        code = z.view(len(z), self.frames, self.latent)
        with torch.autocast(z.device.type, enabled=False):
            plain = (code.float() * self.scale) @ self.axes.T + self.centre
        seen = torch.cat([code.float(), plain.sign() * (plain.abs() + _SMALL) ** _COMPRESS], dim=-1)
        added = self.decoder(seen.transpose(1, 2)).transpose(1, 2).float()
        return self.mdct.synthesise(plain + added)[:, None]

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Return samples ``(B, 1, T)``."""
        return choose(self.params(z, z))


def mdct_vae(
    spec: Spec, latent: int = 16, hop: int = 256, width: int = 384, blocks: int = 3, variational: bool = True
) -> MdctModel:
    """Return a VAE of sound on the modified discrete cosine transform, `latent` numbers for each `hop` samples."""
    return MdctModel(spec, latent, hop, width, blocks, variational)
