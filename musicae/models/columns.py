"""An autoencoder of spectrograms, or other pictures, that starts as principal components of their columns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..core import Choose, Latent, Spec
from ..errors import MusicaeError
from .conv import ResBlock, conv

__all__ = ["ColumnModel", "column_vae"]

_LEAST = 1e-6
_LOG_LEVELS = (-14.0, 6.0)
_LOG_LEVEL = -7.0  # What it starts with.


class ColumnModel(nn.Module):
    """Codes of `latent` numbers of a window ``(C, H, W)``: a linear map, and a network that mends what it decodes.

    The window is cut into pieces `columns` wide. Principal components of all pieces together are known well from few
    examples; those that vary most, where they do, are kept, and turned so that they vary apart from one another.
    That much comes from the data (`prepare`) and stays; codes are of power one in the mean. The network starts as
    nothing, so that training adds. It sees `shuffle` by `shuffle` pixels as one with channels.
    """

    axes: Tensor
    centre: Tensor
    kept: Tensor
    turn: Tensor
    scale: Tensor

    prepared = 6000  # Windows that `prepare` is to be given, of the training data as training alters them.

    def __init__(
        self, spec: Spec, latent: int, columns: int, components: int, width: int, blocks: int, shuffle: int,
        variational: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        if len(spec.shape) != 2:
            raise MusicaeError(f"[model] 'column-vae' takes windows of two axes, not {len(spec.shape)}")
        if min(columns, shuffle, width) < 1 or blocks < 0:
            raise MusicaeError("[model] columns, shuffle and width must be 1 or more, and blocks not below 0")
        height, wide = spec.shape
        size = spec.channels * height * columns
        if wide % columns or not 1 <= components <= size or not 1 <= latent <= wide // columns * components:
            raise MusicaeError(
                f"[model] columns must divide {wide}, components be 1 to {size}, and latent be at most that of all "
                f"pieces, not {columns}, {components} and {latent}"
            )
        if height % shuffle or wide % shuffle:
            raise MusicaeError(f"[model] shuffle {shuffle} must divide {height} and {wide}")
        self.shape, self.columns, self.latent_size = spec.full_shape, columns, latent
        places = wide // columns
        self.register_buffer("axes", torch.eye(size)[:, :components].contiguous())
        self.register_buffer("centre", torch.zeros(self.shape))
        self.register_buffer("kept", (torch.arange(places * components) < latent).float())
        self.register_buffer("turn", torch.eye(latent))
        self.register_buffer("scale", torch.ones(1))
        self.logvar = nn.Parameter(torch.full((latent,), _LOG_LEVEL)) if variational else None
        channels = spec.channels * shuffle**2
        self.mend = nn.Sequential(
            nn.PixelUnshuffle(shuffle), conv(2, channels, width), *(ResBlock(2, width) for _ in range(blocks)),
            nn.SiLU(), conv(2, width, channels), nn.PixelShuffle(shuffle),
        )  # fmt: skip
        with torch.no_grad():
            for parameter in self.mend[-2].parameters():
                parameter.zero_()

    def _pieces(self, x: Tensor) -> Tensor:
        """Return ``(B, places, C * H * columns)``."""
        return x.view(*x.shape[:3], -1, self.columns).movedim(3, 1).flatten(2)

    def _joined(self, pieces: Tensor) -> Tensor:
        return pieces.view(*pieces.shape[:2], *self.shape[:2], self.columns).movedim(1, 3).flatten(3)

    @property
    def _index(self) -> Tensor:
        return self.kept.nonzero()[:, 0]

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """Start as the principal components of windows ``(N, C, H, W)`` of the training data."""
        known = x.to(self.axes)
        self.centre.copy_(known.mean(0))
        pieces = self._pieces(known - self.centre)
        flat = pieces.flatten(0, 1)
        _, vectors = torch.linalg.eigh((flat.T @ flat).double())
        self.axes.copy_(vectors[:, -self.axes.shape[1] :])
        found = (pieces @ self.axes).flatten(1)
        most = found.square().mean(0).argsort(descending=True)[: self.latent_size]
        self.kept.zero_()[most] = 1.0
        chosen = found[:, self._index].double()
        values, vectors = torch.linalg.eigh(chosen.T @ chosen / len(chosen))
        self.turn.copy_(vectors.flip(1))  # The one that varies most is the code's first number.
        self.scale.copy_(values.mean().clamp_min(_LEAST).sqrt())

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Return the code of `x` ``(B, C, H, W)``."""
        with torch.autocast(x.device.type, enabled=False):
            found = (self._pieces(x.float() - self.centre) @ self.axes).flatten(1)
            mean = found[:, self._index] @ self.turn / self.scale
        if self.logvar is None:
            return Latent(mean)
        return Latent(mean, self.logvar.clamp(*_LOG_LEVELS).expand_as(mean))

    def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return ``(B, C, H, W)``."""
        with torch.autocast(z.device.type, enabled=False):
            found = z.new_zeros(len(z), len(self.kept), dtype=torch.float32)
            found[:, self._index] = (z.float() * self.scale) @ self.turn.T
            pieces = found.view(len(z), -1, self.axes.shape[1]) @ self.axes.T
            plain = self._joined(pieces) + self.centre
        made: Tensor = plain + self.mend(plain).float()
        return made

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Return a window ``(B, C, H, W)``."""
        return choose(self.params(z, z))


def column_vae(
    spec: Spec, latent: int = 512, columns: int = 16, components: int = 256, width: int = 64, blocks: int = 4,
    shuffle: int = 4, variational: bool = True,
) -> ColumnModel:  # fmt: skip
    """Return a VAE of spectrograms on principal components of their columns: see `ColumnModel`."""
    return ColumnModel(spec, latent, columns, components, width, blocks, shuffle, variational)
