"""An autoencoder of spectrograms, or other pictures, that starts as principal components of their columns."""

from __future__ import annotations

from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor, nn

from musicae.core import Latent, Model, Spec
from musicae.errors import MusicaeError
from musicae.models.layers.conv import ResBlock, conv
from musicae.ranges import Depth, Size

__all__ = ["ColumnModel", "column_vae"]

_MIN_VARIANCE = 1e-6  # Of the codes before they are scaled to power one.
_LOGVAR_RANGE = (-14.0, 6.0)
_INITIAL_LOGVAR = -7.0


class ColumnModel(Model):
    """Codes of `latent` numbers for windows ``(C, H, W)``: a linear map, and a network that refines what it decodes.

    The window is cut into pieces `columns` wide. A few examples are enough to know the principal components of all
    pieces together. The coefficients that vary most are kept, and rotated so that they are uncorrelated. That map comes
    from the data (`init_from_data`) and is not trained; codes have a mean power of one. The network starts at zero, so
    training only adds to the map. It sees `shuffle` by `shuffle` pixels as the channels of one.
    """

    components: Tensor
    mean: Tensor
    selected: Tensor
    rotation: Tensor
    scale: Tensor

    init_samples = 6000
    channels_last = False

    def __init__(
        self,
        spec: Spec,
        latent: int,
        columns: int,
        components: int,
        width: int,
        blocks: int,
        shuffle: int,
        variational: bool,
    ) -> None:
        super().__init__()
        if len(spec.shape) != 2:
            raise MusicaeError(f"[model] 'column-vae' takes windows of two axes, not {len(spec.shape)}")
        if min(columns, shuffle, width) < 1 or blocks < 0:
            raise MusicaeError("[model] columns, shuffle and width must be 1 or more, and blocks not below 0")
        height, wide = spec.shape
        size = spec.channels * height * columns
        if wide % columns or not 1 <= components <= size or not 1 <= latent <= wide // columns * components:
            raise MusicaeError(
                f"[model] columns must divide {wide}, components be 1 to {size}, and latent be at most the components "
                f"of all pieces, not {columns}, {components} and {latent}"
            )
        if height % shuffle or wide % shuffle:
            raise MusicaeError(f"[model] shuffle {shuffle} must divide {height} and {wide}")
        self.shape, self.columns, self.latent_size = spec.full_shape, columns, latent
        places = wide // columns
        self.register_buffer("components", torch.eye(size)[:, :components].contiguous())
        self.register_buffer("mean", torch.zeros(self.shape))
        self.register_buffer("selected", (torch.arange(places * components) < latent).float())
        self.register_buffer("rotation", torch.eye(latent))
        self.register_buffer("scale", torch.ones(1))
        self.logvar = nn.Parameter(torch.full((latent,), _INITIAL_LOGVAR)) if variational else None
        channels = spec.channels * shuffle**2
        layers: list[nn.Module] = [nn.PixelUnshuffle(shuffle), conv(2, channels, width)]
        layers += [ResBlock(2, width) for _ in range(blocks)]
        layers += [nn.SiLU(), conv(2, width, channels), nn.PixelShuffle(shuffle)]
        self.refiner = nn.Sequential(*layers)
        with torch.no_grad():
            for parameter in self.refiner[-2].parameters():
                parameter.zero_()

    def _pieces(self, x: Tensor) -> Tensor:
        """Cut ``(B, C, H, W)`` into pieces ``(B, places, C * H * columns)``."""
        return x.view(*x.shape[:3], -1, self.columns).movedim(3, 1).flatten(2)

    def _join(self, pieces: Tensor) -> Tensor:
        """Undo `_pieces`."""
        return pieces.view(*pieces.shape[:2], *self.shape[:2], self.columns).movedim(1, 3).flatten(3)

    @property
    def _index(self) -> Tensor:
        # Not `nonzero`: a GPU would have to say how many there are before anything else can start.
        places = torch.arange(len(self.selected), device=self.selected.device)
        return (self.selected * 2 * len(self.selected) - places).topk(self.latent_size).indices

    @torch.no_grad()
    def init_from_data(self, x: Tensor) -> None:
        """Start as the principal components of windows ``(N, C, H, W)`` of the training data."""
        windows = x.to(self.components)
        self.mean.copy_(windows.mean(0))
        pieces = self._pieces(windows - self.mean)
        flat = pieces.flatten(0, 1)
        _, vectors = torch.linalg.eigh((flat.T @ flat).double())
        self.components.copy_(vectors[:, -self.components.shape[1] :])
        coefficients = (pieces @ self.components).flatten(1)
        largest = coefficients.square().mean(0).argsort(descending=True)[: self.latent_size]
        self.selected.zero_()[largest] = 1.0
        chosen = coefficients[:, self._index].double()
        values, vectors = torch.linalg.eigh(chosen.T @ chosen / len(chosen))
        self.rotation.copy_(vectors.flip(1))  # The one that varies most is the code's first number.
        self.scale.copy_(values.mean().clamp_min(_MIN_VARIANCE).sqrt())

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Return the code of `x` ``(B, C, H, W)``."""
        with torch.autocast(x.device.type, enabled=False):
            coefficients = (self._pieces(x.float() - self.mean) @ self.components).flatten(1)
            mean = coefficients[:, self._index] @ self.rotation / self.scale
        if self.logvar is None:
            return Latent(mean)
        return Latent(mean, self.logvar.clamp(*_LOGVAR_RANGE).expand_as(mean))

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        """Return ``(B, C, H, W)``."""
        with torch.autocast(z.device.type, enabled=False):
            coefficients = z.new_zeros(z.shape[0], len(self.selected), dtype=torch.float32)
            coefficients[:, self._index] = (z.float() * self.scale) @ self.rotation.T
            pieces = coefficients.view(z.shape[0], -1, self.components.shape[1]) @ self.components.T
            plain = self._join(pieces) + self.mean
        refined: Tensor = plain + self.refiner(plain).float()
        return refined


def column_vae(
    spec: Spec,
    latent: Size = 512,
    columns: Size = 16,
    components: Size = 256,
    width: Size = 64,
    blocks: Depth = 4,
    shuffle: Annotated[int, Meta(ge=1, le=64)] = 4,
    variational: bool = True,
) -> ColumnModel:
    """Return a VAE of spectrograms on principal components of their columns: see `ColumnModel`."""
    return ColumnModel(spec, latent, columns, components, width, blocks, shuffle, variational)
