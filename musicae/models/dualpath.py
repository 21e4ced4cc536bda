"""A network that cleans a sound as it comes in: spectra, a path over the bands and one over time, a complex filter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core import Spec
from ..errors import MusicaeError
from .codeless import Codeless
from .hum import Hum
from .stft import Stft

__all__ = ["DualPath"]

_COMPRESS = 0.3  # Loudness grows with about this power of the magnitude.
_LEAST = 1e-8
_QUIET = 1e-4
_FAINT = 1e-6
_LEVEL = 0.1  # Of the samples, as root of the mean square.
_SILENT = 1e-9  # Mean square below which a sound is not made louder.
_AT_ONCE = 128  # Frames.
_REMEMBERED = 2  # Seconds of hum.

State = list[Any]


class _Split(nn.Module):
    """Features of bins to a vector for each band: each band has weights of its own (Luo and Yu 2023, band split)."""

    def __init__(self, groups: list[tuple[int, int]], features: int, width: int) -> None:
        super().__init__()
        self.groups = groups
        self.weights = nn.ParameterList(_uniform(count, size * features, width) for count, size in groups)
        self.bias = nn.Parameter(torch.zeros(sum(count for count, _ in groups), width))

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, T, bands, width)`` of ``(B, T, bins, features)``."""
        parts, at, seen = [], 0, 0
        batch, frames = x.shape[:2]
        for (count, size), weight in zip(self.groups, self.weights, strict=True):
            one = x[:, :, at : at + count * size].reshape(batch * frames, count, -1).transpose(0, 1)
            parts.append(torch.baddbmm(self.bias[seen : seen + count, None], one, weight))
            at, seen = at + count * size, seen + count
        return torch.cat(parts).transpose(0, 1).reshape(batch, frames, seen, -1).contiguous()


class _Merge(nn.Module):
    """A vector for each band to values for each bin: the way back."""

    def __init__(self, groups: list[tuple[int, int]], width: int, values: int) -> None:
        super().__init__()
        self.groups, self.values = groups, values
        self.norm = nn.LayerNorm(width)
        self.enter = nn.Linear(width, 2 * width)
        self.weights = nn.ParameterList(_uniform(count, 2 * width, size * values, 0.1) for count, size in groups)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, T, bins, values)`` of ``(B, T, bands, width)``."""
        batch, frames = x.shape[:2]
        x = F.silu(self.enter(self.norm(x))).flatten(0, 1).transpose(0, 1)
        parts, at = [], 0
        for (count, size), weight in zip(self.groups, self.weights, strict=True):
            one = torch.bmm(x[at : at + count], weight).transpose(0, 1)
            parts.append(one.reshape(batch, frames, count * size, self.values))
            at += count
        return torch.cat(parts, dim=2)


def _uniform(count: int, inside: int, out: int, scale: float = 1.0) -> nn.Parameter:
    reach = scale / math.sqrt(inside)
    return nn.Parameter(reach * (2 * torch.rand(count, inside, out) - 1))


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
        series, after = self._over_time(series, before)
        return x + self.leave(series).view(batch, bands, frames, width).transpose(1, 2), after

    def _over_time(self, series: Tensor, before: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        if before is None or series.shape[1] > 1 or self.training:
            return self.time(series, before)  # type: ignore[no-any-return]
        # A single frame, as a stream brings them: three times as fast.
        enter, again, bias, other = self.time.all_weights[0]
        hidden, cell = torch.lstm_cell(series[:, 0], (before[0][0], before[1][0]), enter, again, bias, other)
        return hidden[:, None], (hidden[None], cell[None])


class DualPath(Codeless):
    """Clean a sound frame by frame: causal, so it may be given in blocks of any number of hops.

    The compressed spectrum is split into bands, narrow where voices have their harmonics; blocks (see `_Block`) work on
    a vector for each, and what they end with gives for each bin a complex filter over this frame and the ones before
    it (deep filtering, Mack and Habets 2020). At the start of training it all but lets the sound through.

    Parameters
    ----------
    spec : of the windows, one channel of samples ``(1, T)``.
    n_fft, hop : of the spectra, in samples. The latency is `n_fft` samples: a block of a hop, and `delay`.
    width : channels of the blocks.
    blocks : how many.
    taps : frames that the filter is over.
    frames : that are seen at once, this one and those before it; together they resolve what one alone cannot.
    bands : from the lowest on, how many of how many bins each, as ``[[16, 2], [8, 4]]``; all bins must be in one.
    level : frames over which the level so far is averaged, to which what the network sees is brought: with it, the
        louder sound comes out as the quieter one does, louder. 0 shows it the sound as it is.
    usual : frames over which the level so far of each bin is averaged, in dB, one number or more; how far the bin is
        above each average is seen as well. Of noise that stays the same it is the level.
    relative : whether the network sees of phases only how they differ, from the frame before and the bin below, so
        that a sound whose phases are all turned by one angle (upside down, say) is filtered as it was.
    hum : the rate of the samples in Hz, if mains hum is to be followed (see `musicae.models.hum.Hum`): the network sees
        what of each bin is hum, and may take it away.
    """

    kind, why = "a 'dual-path' network", "its filter passes by one"

    def __init__(
        self, spec: Spec, n_fft: int = 512, hop: int = 256, width: int = 64, blocks: int = 3, taps: int = 3,
        frames: int = 2, bands: Sequence[Sequence[int]] = ((16, 2), (8, 4), (4, 16), (4, 33)), level: int = 0,
        usual: Sequence[int] = (), relative: bool = False, hum: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        if len(spec.shape) != 1 or spec.channels != 1:
            raise MusicaeError("[model] 'dual-path' takes one channel of samples; use it with the adapter 'audio'")
        if min(hop, width, blocks, taps, frames) < 1:
            raise MusicaeError("[model] hop, width, blocks, taps and frames must be 1 or more")
        if 0 < hum < hop:
            raise MusicaeError(f"[model] hum must be the rate of the samples in Hz, or 0, not {hum}")
        if level < 0 or hum < 0:
            raise MusicaeError(f"[model] level and hum must be 0 or more, not {level} and {hum}")
        if not isinstance(usual, list | tuple) or any(type(one) is not int or one < 1 for one in usual):
            raise MusicaeError(f"[model] usual must be a list of numbers of frames, 1 or more, not {usual}")
        if spec.shape[0] % hop:
            raise MusicaeError(f"[model] hop {hop} must divide the window of {spec.shape[0]} samples")
        self.stft = Stft(n_fft, hop)
        self.multiple, self.delay, self.bins = hop, self.stft.delay, n_fft // 2 + 1
        self.taps, self.frames, self.level, self.usual, self.relative = taps, frames, level, tuple(usual), relative
        self.hum = Hum(hum, n_fft, hop, _REMEMBERED * hum // hop) if hum else None
        groups = _groups(bands, self.bins)
        self.room = sum(count * size for count, size in groups)
        features = 2 * frames + 1 + (frames if relative else 0) + len(usual)
        self.split = _Split(groups, features, width)
        self.blocks = nn.ModuleList(_Block(sum(count for count, _ in groups), width) for _ in range(blocks))
        self.merge = _Merge(groups, width, 2 * taps)
        if self.hum:
            low = _lowest(groups, self.hum.bins)
            self.lows = sum(count for count, _ in low), sum(count * size for count, size in low)
            self.hear, self.take = _Split(low, 4, width), _Merge(low, width, 2)

    def stream(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return the cleaned ``(B, 1, N * hop)``, `delay` samples late, of ``(B, 1, N * hop)`` samples.

        `state` is what the block before gave, None at the start: blocks one by one give what the whole gives.
        """
        before: State = [None] * (6 + len(self.blocks)) if state is None else list(state)
        after: State = []
        spectra, kept = self.stft.analyse(x[:, 0].float(), before.pop(0))
        after.append(kept)
        past = before.pop(0)
        reach = max(self.taps, self.frames) - 1
        if past is None:
            past = spectra.new_zeros(len(spectra), reach, self.bins)
        joined = torch.cat([past, spectra], dim=1)
        after.append(joined[:, joined.shape[1] - reach :])
        count = spectra.shape[1]
        lagged = [joined[:, reach - lag : reach - lag + count] for lag in range(reach + 1)]
        power = (spectra.real.square() + spectra.imag.square()).mean(2, keepdim=True) / self.stft.hop
        scale, kept = self._scale(power, before.pop(0))
        after.append(kept)
        above, usual = self._above(spectra, power > _SILENT, before.pop(0))
        after.append(usual)
        x = self.split(self._features([one * scale for one in lagged[: self.frames]], above))
        line, heard, kept = self._hum(spectra, scale, before.pop(0))
        after.append(kept)
        x = x + heard
        for block in self.blocks:
            x, kept = block(x, before.pop(0))
            after.append(kept)
        filters = self._filters(self.merge(x))
        cleaned = torch.stack([one * part for one, part in zip(filters, lagged, strict=False)]).sum(0)
        if self.hum:
            gains = self.take(x[:, :, : self.lows[0]])[:, :, : line.shape[2]].float()
            cleaned = cleaned + F.pad(torch.view_as_complex(gains.contiguous()) * line, (0, self.bins - line.shape[2]))
        out, kept = self.stft.synthesise(cleaned, before.pop(0))
        after.append(kept)
        return out[:, None], after

    def _scale(self, power: Tensor, before: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Any]:
        """Return by what ``(B, T, 1)`` each frame is to be multiplied to be seen at one level, of their mean squares.

        The level is the mean of the frames so far, those long ago counting less, and silent ones not at all.
        """
        if not self.level:
            return power.new_ones(()), None
        mean, after = _running(power, power > _SILENT, self.level, before)
        return _LEVEL * mean.clamp_min(_SILENT).rsqrt(), after

    def _above(self, spectra: Tensor, heard: Tensor, before: State | None) -> tuple[list[Tensor], State]:
        """Return how far each bin of ``(B, T, F)`` is above what is usual, in 20 dB, and the states.

        0 in frames that are silent, not `heard` ``(B, T, 1)``, which do not count.
        """
        level = spectra.abs().clamp_min(_FAINT).log10()
        states = before or [None] * len(self.usual)
        found = [_running(level, heard, age, one) for age, one in zip(self.usual, states, strict=True)]
        return [heard * (level - mean) for mean, _ in found], [state for _, state in found]

    def _hum(self, spectra: Tensor, scale: Tensor, before: Any) -> tuple[Tensor, Tensor, Any]:
        """Return the hum in the lowest bins, what the bands ``(B, T, bands, width)`` are told of it, and the state."""
        if not self.hum:
            return spectra, spectra.real.new_zeros(()), None
        line, sure, after = self.hum(spectra, before)
        seen = torch.cat([torch.stack(_compressed(line * scale), -1), sure], -1)
        heard = self.hear(F.pad(seen, (0, 0, 0, self.lows[1] - line.shape[2])))
        return line, F.pad(heard, (0, 0, 0, self.split.bias.shape[0] - self.lows[0])), after

    def _features(self, lagged: list[Tensor], above: list[Tensor]) -> Tensor:
        """Return what is seen of spectra ``(B, T, F)``, of this frame and those before: ``(B, T, room, features)``."""
        now = lagged[0]
        if self.relative:
            below = F.pad(now, (1, 0))[..., :-1]
            parts = [one.abs().clamp_min(_LEAST) ** _COMPRESS for one in lagged]
            parts += [part for one in (*lagged[1:], below) for part in _compressed(now * one.conj(), _COMPRESS / 2)]
        else:
            parts = [part for one in lagged for part in _compressed(one)]
        parts.append(now.abs().clamp_min(_QUIET).log10() / 2 + 1)
        return F.pad(torch.stack([*parts, *above], -1), (0, 0, 0, self.room - self.bins))

    def _filters(self, x: Tensor) -> list[Tensor]:
        """Return the complex filters ``(B, T, F)`` of each tap."""
        values = x[:, :, : self.bins].float()
        filters = list(torch.complex(values[..., : self.taps], values[..., self.taps :]).unbind(-1))
        filters[0] = filters[0] + 1.0
        return filters

    def restore(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the cleaned samples ``(B, 1, T)`` of `x`, in time with them; `multiple` divides ``T``."""
        after = -(-self.delay // self.multiple) * self.multiple
        out, _ = self.stream(F.pad(x, (0, after)))
        return out[..., self.delay : self.delay + x.shape[-1]]


def _compressed(spectra: Tensor, power: float = _COMPRESS) -> list[Tensor]:
    """Return the real and the imaginary part of ``(B, T, F)``, of a magnitude that grows as loudness does."""
    scaled = spectra * spectra.abs().clamp_min(_LEAST) ** (power - 1.0)
    return [scaled.real, scaled.imag]


def _running(
    x: Tensor, heard: Tensor, age: int, before: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return the mean of ``(B, T, F)`` over the frames so far, those older than `age` counting less, and the state.

    Only those `heard` ``(B, T, 1)`` count; before the first it is 0.
    """
    marks = heard.to(x)
    total, weight = (x.new_zeros(len(x), x.shape[2]), x.new_zeros(len(x), 1)) if before is None else before
    if x.shape[1] == 1:  # As a stream brings them: no matrix is needed.
        fall = math.exp(-1 / age)
        total, weight = torch.add(marks[:, 0] * x[:, 0], total, alpha=fall), marks[:, 0] + fall * weight
        return (total / weight.clamp_min(_LEAST))[:, None], (total, weight)
    means = []
    for part, mark in zip(torch.split(marks * x, _AT_ONCE, dim=1), torch.split(marks, _AT_ONCE, dim=1), strict=True):
        ages = torch.arange(part.shape[1] + 1, device=x.device)
        falls = torch.exp(-ages / age)
        # What a frame of age 0, 1, .. still counts, for each frame.
        counts = torch.where(ages[:-1, None] >= ages[:-1], falls[(ages[:-1, None] - ages[:-1]).clamp_min(0)], 0.0)
        totals = counts @ part + total[:, None] * falls[1:, None]
        weights = counts @ mark + weight[:, None] * falls[1:, None]
        means.append(totals / weights.clamp_min(_LEAST))
        total, weight = totals[:, -1], weights[:, -1]
    return torch.cat(means, dim=1), (total, weight)


def _lowest(groups: list[tuple[int, int]], bins: int) -> list[tuple[int, int]]:
    """Return those of the bands that so many of the lowest bins are in."""
    found: list[tuple[int, int]] = []
    for count, size in groups:
        if bins > 0:
            found.append((min(count, -(-bins // size)), size))
            bins -= count * size
    return found


def _groups(bands: Sequence[Sequence[int]], bins: int) -> list[tuple[int, int]]:
    """Return the checked `bands`."""
    try:
        groups = [(int(count), int(size)) for count, size in bands]
    except (TypeError, ValueError):
        groups = []
    if not groups or min(min(group) for group in groups) < 1:
        raise MusicaeError("[model] bands must be pairs, how many of how many bins, as [[16, 2], [8, 4]]")
    covered = sum(count * size for count, size in groups)
    if not bins <= covered < bins + groups[-1][1]:
        raise MusicaeError(f"[model] bands must take all of the {bins} bins, and no more; those given take {covered}")
    return groups
