"""An autoencoder of sound on the MDCT, a critically sampled transform; it starts as principal components."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicae.core import Latent, Model, Spec
from musicae.errors import MusicaeError
from musicae.models.layers.code_model import LOGVAR_RANGE
from musicae.models.layers.conv import ResBlock, conv
from musicae.models.layers.restorer import check_sound
from musicae.ranges import Depth, Size

__all__ = ["Mdct", "MdctModel", "mdct_vae"]

_MIN_VARIANCE = 1e-9  # Of a component before it is scaled to power one.
_MIN_COEFFICIENT = 1e-9  # Keeps logarithms and gradients finite.
_CHUNK = 64  # Windows analysed at a time.
_COMPRESSION = 0.4  # The networks see coefficients to this power.
_COMPRESSION_OFFSET = 1e-3  # Added to coefficients before: near 0 the compression would be too steep.
_INITIAL_LOGVAR = -6.0


class Mdct(nn.Module):
    """The modified discrete cosine transform: `hop_length` real numbers for as many samples, with a sine window.

    Windows overlap by half, and unchanged coefficients give the sound back (Princen, Johnson and Bradley 1987).
    """

    basis: Tensor

    def __init__(self, hop_length: int) -> None:
        super().__init__()
        self.hop_length = hop = hop_length
        n, k = torch.arange(2 * hop, dtype=torch.float64)[:, None], torch.arange(hop, dtype=torch.float64)
        window = torch.sin(math.pi / (2 * hop) * (n + 0.5))
        phase = math.pi / hop * (n + 0.5 + hop / 2) * (k + 0.5)
        self.register_buffer("basis", (math.sqrt(2 / hop) * window * phase.cos()).float(), persistent=False)

    def analyse(self, x: Tensor) -> Tensor:
        """Return coefficients ``(B, T / hop_length + 1, hop_length)`` of ``(B, T)``; the outer windows overhang."""
        frames = F.pad(x, (self.hop_length, self.hop_length)).unfold(1, 2 * self.hop_length, self.hop_length)
        with torch.autocast(x.device.type, enabled=False):  # Half precision would be audible.
            return frames.float() @ self.basis

    def synthesise(self, coefficients: Tensor) -> Tensor:
        """Return ``(B, T)`` samples of ``(B, T / hop_length + 1, hop_length)``."""
        with torch.autocast(coefficients.device.type, enabled=False):
            frames = coefficients.float() @ self.basis.T
        first, second = frames[..., : self.hop_length], frames[..., self.hop_length :]
        return (second[:, :-1] + first[:, 1:]).flatten(1)


class MdctModel(Model):
    """Codes of `latent` numbers for each `hop_length` samples: a linear map of the coefficients, and a network.

    The linear maps are principal components of the training data (`init_from_data`) and are not trained; the networks
    start at zero, so training only adds to the maps. The code of a window ``(1, T)`` has ``(T / hop_length + 1) *
    latent`` numbers, frame by frame.
    """

    components: Tensor
    mean: Tensor
    scale: Tensor

    init_samples = 4000

    def __init__(self, spec: Spec, latent: int, hop_length: int, width: int, blocks: int, variational: bool) -> None:
        super().__init__()
        check_sound("mdct-vae", spec, hop_length)
        if not 1 <= latent <= hop_length:
            raise MusicaeError(f"[model] latent must be 1 to hop_length, {hop_length}, not {latent}")
        self.frames, self.latent, self.variational = spec.shape[0] // hop_length + 1, latent, variational
        self.latent_size, self.code_frames = self.frames * latent, self.frames
        self.mdct = Mdct(hop_length)
        self.register_buffer("components", torch.eye(hop_length)[:, :latent].contiguous())
        self.register_buffer("mean", torch.zeros(hop_length))
        self.register_buffer("scale", torch.ones(latent))
        self.encoder = _network(2 * hop_length, width, blocks, latent * (2 if variational else 1))
        self.decoder = _network(latent + hop_length, width, blocks, hop_length)
        if variational:
            bias = dict(self.encoder[-1].named_parameters())["bias"]
            with torch.no_grad():
                bias[latent:] = _INITIAL_LOGVAR

    @torch.no_grad()
    def init_from_data(self, x: Tensor) -> None:
        """Start as the principal components of windows ``(N, 1, T)`` of the training data."""
        hop, exact = self.mdct.hop_length, torch.float64
        size = x.shape[-1] // hop * hop
        count, total, products = 0, torch.zeros(hop, dtype=exact), torch.zeros(hop, hop, dtype=exact)
        for part in torch.split(x[:, 0, :size], _CHUNK):
            rows = self.mdct.analyse(part.to(self.mdct.basis)).flatten(0, 1).to("cpu", exact)
            count, total, products = count + len(rows), total + rows.sum(0), products + rows.T @ rows
        mean = total / count
        values, vectors = torch.linalg.eigh(products / count - torch.outer(mean, mean))
        self.components.copy_(vectors[:, -self.latent :])
        # Codes of power one, like the prior.
        self.scale.copy_(values[-self.latent :].clamp_min(_MIN_VARIANCE).sqrt())
        self.mean.copy_(mean)

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Return the code of `x` ``(B, 1, T)``."""
        coefficients = self.mdct.analyse(x[:, 0].float())
        size = coefficients.abs() + _MIN_COEFFICIENT
        features = torch.cat([coefficients.sign() * size**_COMPRESSION, size.log10() / 3 + 1], dim=-1)
        added = self.encoder(features.transpose(1, 2)).transpose(1, 2).float()
        with torch.autocast(x.device.type, enabled=False):
            mean = (coefficients - self.mean) @ self.components / self.scale + added[..., : self.latent]
        logvar = added[..., self.latent :].clamp(*LOGVAR_RANGE).flatten(1) if self.variational else None
        return Latent(mean.flatten(1), logvar)

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        """Return samples ``(B, 1, T)``."""
        code = z.view(z.shape[0], self.frames, self.latent)
        with torch.autocast(z.device.type, enabled=False):
            plain = (code.float() * self.scale) @ self.components.T + self.mean
        seen = torch.cat([code.float(), plain.sign() * (plain.abs() + _COMPRESSION_OFFSET) ** _COMPRESSION], dim=-1)
        added = self.decoder(seen.transpose(1, 2)).transpose(1, 2).float()
        return self.mdct.synthesise(plain + added)[:, None]


def _network(inputs: int, width: int, blocks: int, outputs: int) -> nn.Sequential:
    """Return a residual network over frames, ``(B, inputs, frames)``, whose output starts at zero."""
    layers = [conv(1, inputs, width, 3), *(ResBlock(1, width) for _ in range(blocks)), nn.SiLU()]
    last = conv(1, width, outputs, 1)
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.zero_()
    return nn.Sequential(*layers, last)


def mdct_vae(
    spec: Spec,
    latent: Size = 16,
    hop_length: Size = 256,
    width: Size = 384,
    blocks: Depth = 3,
    variational: bool = True,
) -> MdctModel:
    """Return a VAE of sound on the modified discrete cosine transform, `latent` numbers for `hop_length` samples."""
    return MdctModel(spec, latent, hop_length, width, blocks, variational)
