"""A network that cleans a sound as it comes in: spectra, a path over the bands and one over time, a complex filter."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core import Spec
from ..errors import MusicaeError
from .codeless import Codeless
from .stft import Stft

__all__ = ["DualPath"]

_COMPRESS = 0.3  # Loudness grows with about this power of the magnitude.
_LEAST = 1e-8
_LEAK = 0.2

State = list[Any]


class _Down(nn.Module):
    """A convolution over this frame and the one before that halves the bands."""

    def __init__(self, inside: int, out: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, out, (2, kernel), stride=(1, 2), padding=(0, kernel // 2))

    def forward(self, x: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Go on from the last frame `before` ``(B, C, 1, F)`` of the block before."""
        if before is None:
            before = torch.zeros_like(x[:, :, :1])
        out = F.leaky_relu(self.conv(torch.cat([before, x], dim=2)), _LEAK)
        return out, x[:, :, -1:]


class _Block(nn.Module):
    """A perceptron over all bands of a frame, then a recurrence over the frames of each band, the same for all bands.

    The two paths are those of Luo, Chen and Yoshioka (2020) and Le et al. (2021, DPCRN); the first is a mixer
    (Tolstikhin et al. 2021) here.
    """

    def __init__(self, bands: int, width: int) -> None:
        super().__init__()
        self.norm_bands, self.norm_time = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix = nn.Sequential(nn.Linear(bands, 2 * bands), nn.SiLU(), nn.Linear(2 * bands, bands))
        self.project = nn.Linear(width, width)
        self.time = nn.LSTM(width, width, batch_first=True)
        self.leave = nn.Linear(width, width)

    def forward(self, x: Tensor, before: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Take ``(B, T, F, C)``."""
        mixed = self.mix(self.norm_bands(x).transpose(2, 3)).transpose(2, 3)
        x = x + self.project(mixed)
        batch, frames, bands, width = x.shape
        series = self.norm_time(x).transpose(1, 2).reshape(batch * bands, frames, width)
        series, after = self.time(series, before)
        return x + self.leave(series).view(batch, bands, frames, width).transpose(1, 2), after


class DualPath(Codeless):
    """Clean a sound frame by frame: causal, so it may be given in blocks of any number of hops.

    Convolutions take the compressed spectrum down to a part of its bands, blocks (see `_Block`) work there, and the
    way back up, with skip connections, gives for each bin a complex filter over this frame and the ones before it (deep
    filtering, Mack and Habets 2020). At the start of training it lets the sound through.

    Parameters
    ----------
    spec : of the windows, one channel of samples ``(1, T)``.
    n_fft, hop : of the spectra, in samples. The latency is `n_fft` samples: a block of a hop, and `delay`.
    width : channels of the blocks; each convolution before them has half as many as the next.
    blocks : how many.
    taps : frames that the filter is over.
    depth : convolutions that each halve the bands.
    """

    kind, why = "a 'dual-path' network", "its skip connections and its filter pass by one"

    def __init__(
        self, spec: Spec, n_fft: int = 512, hop: int = 256, width: int = 64, blocks: int = 3, taps: int = 3,
        depth: int = 3,
    ) -> None:  # fmt: skip
        super().__init__()
        if len(spec.shape) != 1 or spec.channels != 1:
            raise MusicaeError("[model] 'dual-path' takes one channel of samples; use it with the adapter 'audio'")
        if min(depth, blocks, taps) < 1 or width >> (depth - 1) < 1:
            raise MusicaeError(
                "[model] blocks, taps and depth must be 1 or more, and width must be 2 ** (depth - 1) or more"
            )
        if spec.shape[0] % hop:
            raise MusicaeError(f"[model] hop {hop} must divide the window of {spec.shape[0]} samples")
        self.stft = Stft(n_fft, hop)
        self.multiple, self.delay, self.taps = hop, self.stft.delay, taps
        bins = n_fft // 2 + 1
        sizes = [bins]
        for _ in range(depth):
            sizes.append((sizes[-1] - 1) // 2 + 1)
        self.sizes = sizes
        channels = [2, *(width >> i for i in reversed(range(depth)))]
        self.downs = nn.ModuleList(
            _Down(inside, out, kernel)
            for inside, out, kernel in zip(channels[:-1], channels[1:], (5, *[3] * (depth - 1)), strict=True)
        )
        self.blocks = nn.ModuleList(_Block(sizes[-1], width) for _ in range(blocks))
        self.ups = nn.ModuleList(
            nn.Conv2d(2 * inside, out, (1, 3), padding=(0, 1))
            for inside, out in zip(channels[:0:-1], [*channels[-2:0:-1], channels[1]], strict=True)
        )
        self.leave = nn.Conv2d(channels[1] + 2, 2 * taps, (1, 3), padding=(0, 1))
        with torch.no_grad():
            for parameter in self.leave.parameters():
                parameter.mul_(0.1)

    def stream(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return the cleaned ``(B, 1, N * hop)``, `delay` samples late, of ``(B, 1, N * hop)`` samples.

        `state` is what the block before gave, None at the start: blocks one by one give what the whole gives.
        """
        before: State = [None] * (3 + len(self.downs) + len(self.blocks)) if state is None else list(state)
        after: State = []
        spectra, kept = self.stft.analyse(x[:, 0].float(), before.pop(0))
        after.append(kept)
        features = self._features(spectra)
        levels, x = [], features
        for down in self.downs:
            x, kept = down(x, before.pop(0))
            levels.append(x)
            after.append(kept)
        x = x.permute(0, 2, 3, 1)
        for block in self.blocks:
            x, kept = block(x, before.pop(0))
            after.append(kept)
        filters = self._filters(x.permute(0, 3, 1, 2), levels, features)
        past = before.pop(0)
        if past is None:
            past = spectra.new_zeros(len(spectra), self.taps - 1, spectra.shape[2])
        joined = torch.cat([past, spectra], dim=1)
        count = spectra.shape[1]
        lagged = [joined[:, self.taps - 1 - lag : self.taps - 1 - lag + count] for lag in range(self.taps)]
        cleaned = (filters * torch.stack(lagged, 1)).sum(1)
        after.append(joined[:, joined.shape[1] - (self.taps - 1) :])
        out, kept = self.stft.synthesise(cleaned, before.pop(0))
        after.append(kept)
        return out[:, None], after

    def _features(self, spectra: Tensor) -> Tensor:
        """Return real and imaginary parts ``(B, 2, T, F)`` with compressed magnitudes."""
        size = spectra.abs().clamp_min(_LEAST)
        scaled = spectra * size ** (_COMPRESS - 1.0)
        return torch.stack([scaled.real, scaled.imag], 1)

    def _filters(self, x: Tensor, levels: list[Tensor], features: Tensor) -> Tensor:
        """Return the complex filters ``(B, taps, T, F)`` from the blocks' output ``(B, C, T, bands)``."""
        for i, up in enumerate(self.ups):
            x = F.leaky_relu(up(torch.cat([x, levels[-1 - i]], dim=1)), _LEAK)
            # Bands are repeated, then one is dropped: 33 become 65.
            x = x.repeat_interleave(2, dim=3)[..., : self.sizes[-2 - i]]
        out = self.leave(torch.cat([x, features.to(x.dtype)], dim=1)).float()
        filters = torch.complex(out[:, : self.taps].contiguous(), out[:, self.taps :].contiguous())
        through = torch.zeros(self.taps, 1, 1, device=out.device)
        through[0] = 1.0
        return filters + through

    def restore(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the cleaned samples ``(B, 1, T)`` of `x`, in time with them; `multiple` divides ``T``."""
        after = -(-self.delay // self.multiple) * self.multiple
        out, _ = self.stream(F.pad(x, (0, after)))
        return out[..., self.delay : self.delay + x.shape[-1]]
