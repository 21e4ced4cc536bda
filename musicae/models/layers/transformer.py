"""A patch Transformer for 1-D and 2-D tensors: ``(B, C, *S)`` -> one vector -> features ``(B, H, *S)``.

The tensor is cut into patches (a beat of a melody, a square of a picture), each a token
(Dosovitskiy et al. 2021); all patches are decoded at once.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.shared_batch import uniform_like

__all__ = ["PatchDecoder", "PatchEncoder", "attention", "patchify", "unpatchify"]

_FEW_TOKENS = 128  # Up to here all weights at once fit the cache.


def patchify(x: Tensor, patch: int) -> Tensor:
    """Cut ``(B, C, *S)`` into tokens ``(B, N, C * patch ** len(S))``."""
    b, c = x.shape[:2]
    if x.ndim == 3:
        return x.view(b, c, -1, patch).transpose(1, 2).reshape(b, -1, c * patch)
    h, w = x.shape[2] // patch, x.shape[3] // patch
    return x.view(b, c, h, patch, w, patch).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w, c * patch * patch)


def unpatchify(tokens: Tensor, channels: int, shape: tuple[int, ...], patch: int) -> Tensor:
    """Undo `patchify`: ``(B, N, channels * patch ** len(shape))`` -> ``(B, channels, *shape)``."""
    b = tokens.shape[0]
    if len(shape) == 1:
        return tokens.view(b, -1, channels, patch).transpose(1, 2).reshape(b, channels, shape[0])
    h, w = shape[0] // patch, shape[1] // patch
    grid = tokens.view(b, h, w, channels, patch, patch)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(b, channels, *shape)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return scaled dot-product attention ``(B, heads, N, D)`` of queries, keys and values of that shape.

    (Vaswani et al. 2017.) On a CPU, PyTorch's kernel for long sequences takes up to ten times as long for short ones.
    """
    if q.device.type != "cpu" or q.shape[2] > _FEW_TOKENS:
        return F.scaled_dot_product_attention(q, k, v)
    weights = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2)).softmax(-1)
    return torch.matmul(weights, v)


class Block(nn.Module):
    """A pre-normalised Transformer layer: attention, then an MLP of four times the width.

    In training a share `dropout` of what each of the two adds is left out (Srivastava et al. 2014).
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, N, width)`` -> the same."""
        b, n, width = x.shape
        q, k, v = self.qkv(self.norm_attention(x)).view(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = attention(q, k, v).transpose(1, 2).reshape(b, n, width)
        x = x + self._thinned(self.out(mixed))
        out: Tensor = x + self._thinned(self.down(F.gelu(self.up(self.norm_mlp(x)))))
        return out

    def _thinned(self, x: Tensor) -> Tensor:
        if not self.dropout or not self.training:
            return x
        return x * (uniform_like(x) >= self.dropout) / (1 - self.dropout)


def _tokens(spec: Spec, patch: int, width: int, heads: int) -> int:
    if len(spec.shape) not in (1, 2):
        raise MusicaeError(f"[model] the patch Transformer takes 1 or 2 spatial axes, not {len(spec.shape)}")
    if any(size % patch for size in spec.shape):
        raise MusicaeError(f"[model] patch {patch} does not divide the window's shape {spec.shape}")
    if width % heads:
        raise MusicaeError(f"[model] heads {heads} does not divide width {width}")
    return math.prod(size // patch for size in spec.shape)


class PatchEncoder(nn.Module):
    """``(B, C, *S)`` -> ``(B, features)``, all tokens joined.

    With `along` > 0 a condition ``(B, along, *S)``, such as chords, is embedded as well and added to the tokens.
    `dropout` is that of its layers.
    """

    def __init__(
        self, spec: Spec, patch: int, width: int, depth: int, heads: int, along: int = 0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        n = _tokens(spec, patch, width, heads)
        self.patch, self.features = patch, n * width
        self.embed = nn.Linear(spec.channels * patch ** len(spec.shape), width)
        self.embed_along = nn.Linear(along * patch ** len(spec.shape), width, bias=False) if along else None
        self.position = nn.Parameter(torch.randn(n, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, along: Tensor | None = None) -> Tensor:
        """Encode a batch."""
        tokens = self.embed(patchify(x, self.patch)) + self.position
        if self.embed_along is not None and along is not None:
            tokens = tokens + self.embed_along(patchify(along, self.patch))
        out: Tensor = self.norm(self.blocks(tokens)).flatten(1)
        return out


class PatchDecoder(nn.Module):
    """A vector ``(B, size)`` -> features ``(B, channels, *S)``; `along` is as in `PatchEncoder`."""

    def __init__(
        self, spec: Spec, size: int, channels: int, patch: int, width: int, depth: int, heads: int, along: int = 0
    ) -> None:
        super().__init__()
        n = _tokens(spec, patch, width, heads)
        self.patch, self.shape, self.channels = patch, spec.shape, channels
        self.project_in = nn.Linear(size, n * width)
        self.embed_along = nn.Linear(along * patch ** len(spec.shape), width, bias=False) if along else None
        self.position = nn.Parameter(torch.randn(n, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, channels * patch ** len(spec.shape))

    def forward(self, z: Tensor, along: Tensor | None = None) -> Tensor:
        """Decode a batch ``(B, size)``."""
        tokens = self.project_in(z).view(z.shape[0], *self.position.shape) + self.position
        if self.embed_along is not None and along is not None:
            tokens = tokens + self.embed_along(patchify(along, self.patch))
        return unpatchify(self.out(self.norm(self.blocks(tokens))), self.channels, self.shape, self.patch)
