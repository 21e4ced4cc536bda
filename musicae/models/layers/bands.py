"""From the bins of a spectrum to bands and back, each band with its own weights (Luo and Yu 2023, band split)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicae.errors import MusicaeError

__all__ = ["BandMerge", "BandSplit", "Bands", "FrameSplit", "check_bands", "lowest_bands"]

Bands = list[tuple[int, int]]
"""From the lowest up: how many bands, of how many bins each."""


class BandSplit(nn.Module):
    """From the features of bins to a vector for each band."""

    def __init__(self, bands: Bands, features: int, width: int) -> None:
        super().__init__()
        self.bands = bands
        self.padded_bins = sum(count * size for count, size in bands)
        self.weights = nn.ParameterList(_uniform(count, size * features, width) for count, size in bands)
        self.bias = nn.Parameter(torch.zeros(sum(count for count, _ in bands), width))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, T, bands, width)`` of ``(B, T, bins, features)``; bins missing at the end count as 0."""
        parts, bin_, band = [], 0, 0
        batch, frames, bins = x.shape[:3]
        x = F.pad(x, (0, 0, 0, self.padded_bins - bins))
        for (count, size), weight in zip(self.bands, self.weights, strict=True):
            group = x[:, :, bin_ : bin_ + count * size].reshape(batch * frames, count, -1).transpose(0, 1)
            parts.append(torch.baddbmm(self.bias[band : band + count, None], group, weight))
            bin_, band = bin_ + count * size, band + count
        return torch.cat(parts).transpose(0, 1).reshape(batch, frames, band, -1).contiguous()


class FrameSplit:
    """What a `BandSplit` does, for one frame of `bins` bins, in one step, with the weights that it has now."""

    def __init__(self, split: BandSplit, bins: int) -> None:
        weights = [weight.flatten(0, 1) for weight in split.weights]
        features = sum(map(len, weights)) // split.padded_bins
        # A band is a weighted sum of rows of one table: those of its bins and features.
        self.table, self.bias = torch.cat(weights)[: bins * features].contiguous(), split.bias.detach()
        sizes = torch.tensor([size * features for count, size in split.bands for _ in range(count)])
        self.rows, self.starts = torch.arange(bins * features), sizes.cumsum(0) - sizes

    def __call__(self, x: Tensor) -> Tensor:
        """Return the same as `BandSplit` for ``(B, 1, bins, features)``."""
        sums = [self._sums(one.flatten()) for one in x]
        return torch.stack(sums).add_(self.bias)[:, None]

    def _sums(self, x: Tensor) -> Tensor:
        return F.embedding_bag(self.rows, self.table, self.starts, mode="sum", per_sample_weights=x)


class BandMerge(nn.Module):
    """From a vector for each band back to values for each bin."""

    def __init__(self, bands: Bands, width: int, values: int) -> None:
        super().__init__()
        self.bands, self.values = bands, values
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.weights = nn.ParameterList(_uniform(count, 2 * width, size * values, 0.1) for count, size in bands)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, T, bins, values)`` of ``(B, T, bands, width)``."""
        batch, frames = x.shape[:2]
        x = F.silu(self.expand(self.norm(x))).flatten(0, 1).transpose(0, 1)
        parts, band = [], 0
        for (count, size), weight in zip(self.bands, self.weights, strict=True):
            group = torch.bmm(x[band : band + count], weight).transpose(0, 1)
            parts.append(group.reshape(batch, frames, count * size, self.values))
            band += count
        return torch.cat(parts, dim=2)


def _uniform(count: int, inputs: int, outputs: int, scale: float = 1.0) -> nn.Parameter:
    bound = scale / math.sqrt(inputs)
    return nn.Parameter(bound * (2 * torch.rand(count, inputs, outputs) - 1))


def lowest_bands(bands: Bands, bins: int) -> Bands:
    """Return the bands that contain the lowest `bins` bins."""
    lowest: Bands = []
    for count, size in bands:
        if bins > 0:
            lowest.append((min(count, -(-bins // size)), size))
            bins -= count * size
    return lowest


def check_bands(bands: Sequence[Sequence[int]], bins: int) -> Bands:
    """Return the setting `bands`; raise MusicaeError unless it covers all of `bins` bins."""
    try:
        checked = [(int(count), int(size)) for count, size in bands]
    except (TypeError, ValueError):
        checked = []
    if not checked or min(min(band) for band in checked) < 1:
        raise MusicaeError(
            "[model] bands must be pairs of a number of bands and their size in bins, such as [[16, 2], [8, 4]]"
        )
    covered = sum(count * size for count, size in checked)
    if not bins <= covered < bins + checked[-1][1]:
        raise MusicaeError(f"[model] bands must cover all {bins} bins, and no more; those given cover {covered}")
    return checked
