"""Residual convolutions for 1-D and 2-D tensors: ``(B, C, *S)`` -> one vector -> features ``(B, H, *S)``."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from musicae.core import Spec
from musicae.errors import MusicaeError

__all__ = ["ConvDecoder", "ConvEncoder", "ResBlock", "conv", "conv_transposed"]


def conv(dims: int, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    """Return a 1-D or 2-D convolution that keeps the size, divided by `stride`."""
    layer = nn.Conv1d if dims == 1 else nn.Conv2d
    return layer(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2)


def conv_transposed(dims: int, inputs: int, outputs: int) -> nn.Module:
    """Return a transposed convolution that doubles the size."""
    layer = nn.ConvTranspose1d if dims == 1 else nn.ConvTranspose2d
    return layer(inputs, outputs, kernel_size=4, stride=2, padding=1)


class ResBlock(nn.Module):
    """Two normalised 3-wide convolutions beside an identity (He et al. 2016, pre-activation)."""

    def __init__(self, dims: int, width: int) -> None:
        super().__init__()
        groups = math.gcd(8, width)
        self.norm_in, self.norm_out = nn.GroupNorm(groups, width), nn.GroupNorm(groups, width)
        self.conv_in, self.conv_out = conv(dims, width, width), conv(dims, width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, width, *S)`` -> the same."""
        hidden = self.conv_in(F.silu(self.norm_in(x)))
        out: Tensor = x + self.conv_out(F.silu(self.norm_out(hidden)))
        return out


def _inner_shape(spec: Spec, depth: int, shuffle: int) -> tuple[int, ...]:
    if len(spec.shape) not in (1, 2) or (shuffle > 1 and len(spec.shape) != 2):
        raise MusicaeError(f"[model] convolutions take 1 or 2 spatial axes (2 with shuffle), not {len(spec.shape)}")
    factor = shuffle * 2**depth
    if any(size % factor for size in spec.shape):
        raise MusicaeError(f"[model] depth {depth} needs a shape that {factor} divides, not {spec.shape}")
    return tuple(size // factor for size in spec.shape)


class ConvEncoder(nn.Module):
    """``(B, C, *S)`` -> ``(B, features)``: `depth` halvings, the width doubled at each.

    With `shuffle` > 1 squares of `shuffle` by `shuffle` pixels first become channels. With `dense` > 0 it ends in a
    fully connected layer of that width.
    """

    def __init__(self, spec: Spec, width: int, depth: int, blocks: int, shuffle: int = 1, dense: int = 0) -> None:
        super().__init__()
        dims, inner = len(spec.shape), _inner_shape(spec, depth, shuffle)
        layers: list[nn.Module] = [nn.PixelUnshuffle(shuffle)] if shuffle > 1 else []
        layers += [conv(dims, spec.channels * shuffle**2 if shuffle > 1 else spec.channels, width)]
        for level in range(depth):
            wide = width * 2**level
            layers += [ResBlock(dims, wide) for _ in range(blocks)]
            layers += [conv(dims, wide, 2 * wide, kernel=4, stride=2)]
        layers += [ResBlock(dims, width * 2**depth) for _ in range(blocks)]
        self.features = width * 2**depth * math.prod(inner)
        layers += [nn.SiLU(), nn.Flatten()]
        if dense:
            layers += [nn.Linear(self.features, dense), nn.SiLU()]
            self.features = dense
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Encode a batch."""
        out: Tensor = self.layers(x)
        return out


class ConvDecoder(nn.Module):
    """A vector ``(B, size)`` -> features ``(B, channels, *S)``, the encoder's mirror image.

    With `dense` > 0 it begins with two fully connected layers of that width: for a small code one linear map is not
    enough.
    """

    def __init__(
        self,
        spec: Spec,
        size: int,
        channels: int,
        width: int,
        depth: int,
        blocks: int,
        shuffle: int = 1,
        dense: int = 0,
    ) -> None:
        super().__init__()
        dims, self.inner, wide = len(spec.shape), _inner_shape(spec, depth, shuffle), width * 2**depth
        begin: list[nn.Module] = []
        if dense:
            begin = [nn.Linear(size, dense), nn.SiLU(), nn.Linear(dense, dense), nn.SiLU()]
        project = nn.Linear(dense or size, wide * math.prod(self.inner))
        self.project_in = nn.Sequential(*begin, project) if dense else project
        layers: list[nn.Module] = [ResBlock(dims, wide) for _ in range(blocks)]
        for _ in range(depth):
            layers += [conv_transposed(dims, wide, wide // 2)]
            wide //= 2
            layers += [ResBlock(dims, wide) for _ in range(blocks)]
        layers += [nn.SiLU(), conv(dims, wide, channels * shuffle**2 if shuffle > 1 else channels)]
        self.layers = nn.Sequential(*layers, *([nn.PixelShuffle(shuffle)] if shuffle > 1 else []))

    def forward(self, z: Tensor) -> Tensor:
        """Decode a batch ``(B, size)``."""
        out: Tensor = self.layers(self.project_in(z).view(z.shape[0], -1, *self.inner))
        return out
