"""A U-Net: it turns a corrupted tensor into a clean one. It has no code: its skip connections would bypass it."""

from __future__ import annotations

from typing import Annotated, cast

import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn import functional as F

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.layers.conv import conv, conv_transposed
from musicae.models.layers.restorer import Restorer
from musicae.ranges import Depth, Size

__all__ = ["UNet"]

_LOGIT_EPS = 0.02  # The input is clipped to this distance from 0 and 1.
_FLIPS: dict[int, list[list[int]]] = {1: [[]], 2: [[], [2, 3]], 4: [[], [2], [3], [2, 3]]}
"""Size of a self-ensemble -> the axes along which each of its inputs is mirrored."""


class _Block(nn.Module):
    """Two 3-wide convolutions beside an identity.

    No normalisation: it would make each place depend on all others, and large tensors are restored in tiles.
    """

    def __init__(self, dims: int, width: int) -> None:
        super().__init__()
        self.conv_in, self.conv_out = conv(dims, width, width), conv(dims, width, width)
        weight = next(self.conv_out.parameters())
        with torch.no_grad():
            weight.mul_(0.1)  # At the start each block is near the identity.

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv_out(F.relu(self.conv_in(x), inplace=True))
        return out.add_(x)


class UNet(Restorer):
    """Blocks at `depth` + 1 sizes, each half of the one before, with skip connections (Ronneberger et al. 2015).

    Parameters
    ----------
    spec : the tensors, with one or two spatial axes.
    width : channels at the first size; they double at each halving.
    depth : number of halvings.
    blocks : residual blocks at each size, on the way down and on the way up.
    shuffle : that many values along each axis become channels at the input, and places again at the output: a net as
        wide at a fraction of the cost (Zhang, Zuo and Zhang 2018, FFDNet). Two axes only.
    logits : the output is the logits of the input plus a correction, not the input plus a correction.
    self_ensemble : outside training, average over the input itself (1), also rotated by half a turn (2), or also
        mirrored along each axis and both (4; Timofte, Rothe and Van Gool 2016). It takes as many times as long. Two
        axes only.
    """

    why_no_code = (
        "a U-Net has no code: its skip connections would bypass it; use it to restore (denoise, upscale), "
        "and an autoencoder to encode, sample or interpolate"
    )

    def __init__(
        self,
        spec: Spec,
        width: Size = 32,
        depth: Depth = 2,
        blocks: Depth = 1,
        shuffle: Annotated[int, Meta(ge=1, le=64)] = 1,
        logits: bool = False,
        self_ensemble: Annotated[int, Meta(ge=1, le=8)] = 1,
    ) -> None:
        super().__init__()
        dims = len(spec.shape)
        if dims not in (1, 2) or (shuffle > 1 and dims != 2):
            raise MusicaeError(f"[model] a U-Net takes 1 or 2 spatial axes (2 with shuffle), not {dims}")
        if self_ensemble not in _FLIPS or (self_ensemble > 1 and dims != 2):
            raise MusicaeError(
                f"[model] self_ensemble must be 1, 2 or 4, and 1 unless there are 2 spatial axes, not {self_ensemble}"
            )
        self.shuffle, self.logits, self.self_ensemble = shuffle, logits, self_ensemble
        self.multiple = shuffle * 2**depth
        if any(size % self.multiple for size in spec.shape):
            raise MusicaeError(f"[model] shuffle and depth need a shape that {self.multiple} divides, not {spec.shape}")
        channels = spec.channels * shuffle**dims
        widths = [width * 2**level for level in range(depth + 1)]
        self.conv_in, self.conv_out = conv(dims, channels, width), conv(dims, width, channels)

        def stage(wide: int) -> nn.Sequential:
            return nn.Sequential(*(_Block(dims, wide) for _ in range(blocks)))

        self.down_blocks = nn.ModuleList(stage(wide) for wide in widths[:-1])
        self.downsample = nn.ModuleList(conv(dims, wide, 2 * wide, kernel=4, stride=2) for wide in widths[:-1])
        self.bottleneck = stage(widths[-1])
        self.upsample = nn.ModuleList(conv_transposed(dims, 2 * wide, wide) for wide in widths[:-1])
        self.up_blocks = nn.ModuleList(stage(wide) for wide in widths[:-1])

    def restore(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the parameters ``(B, C, *S)`` for corrupted values `x` ``(B, C, *S)``."""
        if self.training or self.self_ensemble == 1:
            return self._restore_once(x)
        restored = [self._restore_once(x.flip(axes)).flip(axes) for axes in _FLIPS[self.self_ensemble]]
        return torch.stack(restored).mean(0)

    def _seen(self, x: Tensor) -> Tensor:
        """Return the first convolution of `x`; outside training in full precision, or `x` itself would be rounded."""
        device = x.device.type
        if self.training or not torch.is_autocast_enabled(device):
            return cast(Tensor, self.conv_in(x))
        with torch.autocast(device, enabled=False):
            return cast(Tensor, self.conv_in(x).to(torch.get_autocast_dtype(device)))

    def _restore_once(self, x: Tensor) -> Tensor:
        given = x
        if self.shuffle > 1:
            x = F.pixel_unshuffle(x, self.shuffle)
        x = self._seen(x)
        skips = []
        for stage, downsample in zip(self.down_blocks, self.downsample, strict=True):
            x = stage(x)
            skips.append(x)
            x = downsample(x)
        x = self.bottleneck(x)
        for i in reversed(range(len(skips))):
            x = self.up_blocks[i](self.upsample[i](x) + skips[i])
        x = self.conv_out(x)
        if self.shuffle > 1:
            x = F.pixel_shuffle(x, self.shuffle)
        base = torch.logit(given, _LOGIT_EPS) if self.logits else given
        return x.float() + base
