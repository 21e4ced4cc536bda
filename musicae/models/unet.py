"""A U-Net: what makes a clean tensor of a corrupted one. It has no code, for its skip connections pass by one."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core import Spec
from ..errors import MusicaeError
from .codeless import Codeless
from .conv import conv, conv_transposed

__all__ = ["UNet"]

_MIRRORED: dict[int, list[list[int]]] = {1: [[]], 2: [[], [2, 3]], 4: [[], [2], [3], [2, 3]]}


class _Block(nn.Module):
    """Two 3-wide convolutions beside an identity.

    No normalisation: it would make what is written in one place depend on all others, and large tensors
    are taken in tiles.
    """

    def __init__(self, dims: int, width: int) -> None:
        super().__init__()
        self.enter, self.leave = conv(dims, width, width), conv(dims, width, width)
        weight = next(self.leave.parameters())
        with torch.no_grad():
            weight.mul_(0.1)  # A deep net of near identities at the start.

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.leave(F.relu(self.enter(x)))
        return out


class UNet(Codeless):
    """Blocks at `depth` + 1 sizes, each half of the one before, with skip connections (Ronneberger et al. 2015).

    Parameters
    ----------
    spec : of the tensors, one or two spatial axes.
    width : channels at the first size; they double at each halving.
    depth : halvings.
    blocks : residual blocks at each size, on the way down and on the way up.
    shuffle : that many values along each axis are taken together as channels before all else, and taken apart at
        the end: a net as wide at a fraction of the cost (Zhang, Zuo and Zhang 2018, FFDNet). Two axes only.
    logits : what goes out are logits of the input plus a correction, not the input plus a correction.
    mirrors : when it is used (not in training) the result is the mean over the input as it is (1), turned upside down
        as well (2), or mirrored along each axis and both (4; Timofte, Rothe and Van Gool 2016, self-ensemble). It takes
        as many times as long. Two axes only.
    """

    kind, why = "a U-Net", "its skip connections pass by one"

    def __init__(
        self,
        spec: Spec,
        width: int = 32,
        depth: int = 2,
        blocks: int = 1,
        shuffle: int = 1,
        logits: bool = False,
        mirrors: int = 1,
    ) -> None:
        super().__init__()
        dims = len(spec.shape)
        if dims not in (1, 2) or (shuffle > 1 and dims != 2):
            raise MusicaeError(f"[model] a U-Net takes 1 or 2 spatial axes (2 with shuffle), not {dims}")
        if mirrors not in _MIRRORED or (mirrors > 1 and dims != 2):
            raise MusicaeError(
                f"[model] mirrors must be 1, 2 or 4, and 1 unless there are 2 spatial axes, not {mirrors}"
            )
        self.shuffle, self.logits, self.mirrors = shuffle, logits, mirrors
        self.multiple = shuffle * 2**depth
        if any(size % self.multiple for size in spec.shape):
            raise MusicaeError(f"[model] shuffle and depth need a shape that {self.multiple} divides, not {spec.shape}")
        channels = spec.channels * shuffle**dims
        widths = [width * 2**level for level in range(depth + 1)]
        self.enter, self.leave = conv(dims, channels, width), conv(dims, width, channels)

        def stage(wide: int) -> nn.Sequential:
            return nn.Sequential(*(_Block(dims, wide) for _ in range(blocks)))

        self.downs = nn.ModuleList(stage(wide) for wide in widths[:-1])
        self.shrink = nn.ModuleList(conv(dims, wide, 2 * wide, kernel=4, stride=2) for wide in widths[:-1])
        self.bottom = stage(widths[-1])
        self.grow = nn.ModuleList(conv_transposed(dims, 2 * wide, wide) for wide in widths[:-1])
        self.ups = nn.ModuleList(stage(wide) for wide in widths[:-1])

    def restore(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the parameters ``(B, C, *S)`` for corrupted values `x` ``(B, C, *S)``."""
        if self.training or self.mirrors == 1:
            return self._once(x)
        made = [self._once(x.flip(axes)).flip(axes) for axes in _MIRRORED[self.mirrors]]
        return torch.stack(made).mean(0)

    def _once(self, x: Tensor) -> Tensor:
        given = x
        if self.shuffle > 1:
            x = F.pixel_unshuffle(x, self.shuffle)
        x = self.enter(x)
        skips = []
        for stage, shrink in zip(self.downs, self.shrink, strict=True):
            x = stage(x)
            skips.append(x)
            x = shrink(x)
        x = self.bottom(x)
        for i in reversed(range(len(skips))):
            x = self.ups[i](self.grow[i](x) + skips[i])
        x = self.leave(x)
        if self.shuffle > 1:
            x = F.pixel_shuffle(x, self.shuffle)
        base = torch.logit(given, 0.02) if self.logits else given
        return x.float() + base
