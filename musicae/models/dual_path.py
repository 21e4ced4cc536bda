"""A streaming network that denoises a sound: spectra, a path over the bands and one over time, a complex filter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Annotated, TypeAlias, cast

import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn import functional as F

from musicae.core import Spec, State
from musicae.errors import MusicaeError
from musicae.models.layers.bands import BandMerge, BandSplit, FrameSplit, check_bands, lowest_bands
from musicae.models.layers.hum import Hum
from musicae.models.layers.path_block import FastBlock, PathBlock
from musicae.models.layers.restorer import StreamingRestorer, check_sound
from musicae.models.layers.running_mean import initial_state, running_mean
from musicae.models.layers.stft import Stft
from musicae.ranges import Depth, Size, SizeOrNone

__all__ = ["DualPath"]

_COMPRESSION = 0.3  # Loudness grows with about this power of the magnitude.
_EPS = 1e-8  # Keeps negative powers of magnitudes finite.
_MIN_MAGNITUDE = 1e-4  # Of a bin, in the logarithm that the network sees.
_MIN_BACKGROUND = 1e-6  # Of a bin, in the averages of the logarithm.
_SILENCE = 1e-9  # Mean square of a frame; a quieter one counts as silent and is not made louder.
_LEVEL = 0.1  # RMS of the samples that the network sees.
_HUM_SECONDS = 2  # Over which the hum is averaged.


_Split: TypeAlias = Callable[[Tensor], Tensor]
_Block: TypeAlias = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]


class DualPath(StreamingRestorer):
    """Denoise a sound frame by frame; it is causal, so a block may have any number of hops.

    The compressed spectrum is split into bands, narrow where voices have their harmonics; blocks (see `PathBlock`) work
    on a vector for each, and their output gives each bin a complex filter over this frame and earlier ones (deep
    filtering, Mack and Habets 2020). At the start of training the sound passes almost unchanged.

    Parameters
    ----------
    spec : the windows, one channel of samples ``(1, T)``.
    n_fft, hop_length : window and hop of the spectra, in samples. The latency is `n_fft` samples: a hop and `delay`.
    width : channels of the blocks.
    blocks : number of blocks.
    taps : frames that the filter spans.
    context_frames : frames seen at once, this one and earlier ones; together they resolve what one alone cannot.
    bands : from the lowest up, how many bands of how many bins, as ``[[16, 2], [8, 4]]``; they must cover all bins.
    level_frames : frames over which the past level is averaged. The network's input is scaled by it, so that the same
        sound played louder is denoised in the same way. With 0 the input is not scaled.
    background_frames : frames over which the past level of each bin is averaged, in dB, one number or more; the
        network also sees how far the bin is above each average. The average is the level of steady noise.
    relative_phase : whether the network sees phases only relative to the frame before and the bin below, so that a
        sound whose phases are all turned by one angle (an inverted one, say) is filtered in the same way.
    hum_sample_rate : the sample rate in Hz, to track mains hum (see `Hum`): the network sees the hum in each bin, and
        can subtract it. With 0 it is not tracked.
    """

    why_no_code = (
        "a 'dual-path' network has no code: its filter works on the sound itself; use it to restore "
        "(denoise, upscale), and an autoencoder to encode, sample or interpolate"
    )

    def __init__(
        self,
        spec: Spec,
        n_fft: Size = 512,
        hop_length: Size = 256,
        width: Size = 64,
        blocks: Depth = 3,
        taps: Size = 3,
        context_frames: SizeOrNone = 2,
        bands: Sequence[Sequence[Size]] = ((16, 2), (8, 4), (4, 16), (4, 33)),
        level_frames: SizeOrNone = 0,
        background_frames: Sequence[Size] = (),
        relative_phase: bool = False,
        hum_sample_rate: Annotated[int, Meta(ge=0, le=768_000)] = 0,
    ) -> None:
        super().__init__()
        check_sound("dual-path", spec, hop_length)
        if min(width, blocks, taps, context_frames) < 1:
            raise MusicaeError("[model] width, blocks, taps and context_frames must be 1 or more")
        _check_levels(level_frames, background_frames, hum_sample_rate, hop_length)
        self.stft = Stft(n_fft, hop_length)
        self.multiple, self.delay, self.bins = hop_length, self.stft.delay, n_fft // 2 + 1
        self.taps, self.context_frames, self.relative_phase = taps, context_frames, relative_phase
        self.level_frames, self.background_frames = level_frames, tuple(background_frames)
        memory = _HUM_SECONDS * hum_sample_rate // hop_length
        self.hum = Hum(hum_sample_rate, n_fft, hop_length, memory) if hum_sample_rate else None
        checked = check_bands(bands, self.bins)
        self.bands, self.width = sum(count for count, _ in checked), width
        features = 2 * context_frames + 1 + (context_frames if relative_phase else 0) + len(background_frames)
        self.split = BandSplit(checked, features, width)
        self.blocks = nn.ModuleList(PathBlock(self.bands, width) for _ in range(blocks))
        self.merge = BandMerge(checked, width, 2 * taps)
        if self.hum is not None:
            low = lowest_bands(checked, self.hum.bins)
            self.hum_bands = sum(count for count, _ in low)
            self.hum_encoder, self.hum_decoder = BandSplit(low, 4, width), BandMerge(low, width, 2)
        self._fast_layers: tuple[_Split, list[_Block]] | None = None

    @property
    def _past_frames(self) -> int:
        return max(self.taps, self.context_frames) - 1

    def initial_state(self, batch: int = 1) -> State:
        """Return the state before the first block of `batch` streams.

        In this order: the newest samples ``(B, delay)``; the past frames, complex numbers as pairs
        ``(B, past frames, bins, 2)``; the averages of the level and the background (see `running_mean`); the state of
        the hum tracker (see `Hum`); two of each block's LSTM ``(1, B * bands, width)``; the overlap with the next
        output samples.
        """
        self._fast_layers = None  # The weights may have changed since the last stream.
        window = self.stft.window
        state = [self.stft.initial_state(batch), window.new_zeros(batch, self._past_frames, self.bins, 2)]
        if self.level_frames:
            state += initial_state(window, batch, 1)
        for _ in self.background_frames:
            state += initial_state(window, batch, self.bins)
        if self.hum is not None:
            state += self.hum.initial_state(batch)
        for _ in range(2 * len(self.blocks)):
            state.append(window.new_zeros(1, batch * self.bands, self.width))
        return (*state, self.stft.initial_state(batch))

    def stream(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the denoised ``(B, 1, N * hop_length)``, `delay` samples late, of ``(B, 1, N * hop_length)`` samples.

        Several blocks give the same as all of them in one. The weights must stay as they are while a stream goes on.
        """
        before, (split, blocks) = iter(state), self._layers(x)
        spectra, samples = self.stft.analyse(x[:, 0].float(), next(before))
        lagged, past = self._lagged(spectra, next(before))
        seen = torch.stack(lagged[: self.context_frames], 2)
        magnitude = seen.abs()
        power = magnitude[:, :, 0].square().mean(2, keepdim=True) / self.stft.hop_length
        scale, level = self._scale(power, tuple(islice(before, 2 if self.level_frames else 0)))
        above, background = self._above(
            magnitude[:, :, 0], power > _SILENCE, tuple(islice(before, 2 * len(self.background_frames)))
        )
        x = split(self._features(seen * scale[..., None], magnitude * scale[..., None], above))
        after = [samples, past, *level, *background]
        line = spectra
        if self.hum is not None:
            line, certainty, hum = self.hum(spectra, tuple(islice(before, 4)))
            x = x + self._encode_hum(line * scale, certainty)
            after += hum
        for block in blocks:
            x, hidden, cell = block(x, next(before), next(before))
            after += [hidden, cell]
        cleaned = self._filtered(lagged, self.merge(x))
        if self.hum is not None:
            cleaned = cleaned + self._decode_hum(x, line)
        out, overlap = self.stft.synthesise(cleaned, next(before))
        return out[:, None], (*after, overlap)

    def _layers(self, x: Tensor) -> tuple[_Split, Iterable[_Block]]:
        """Return the layers to use for samples `x` ``(B, 1, T)``: the modules, or if possible their fast equals."""
        slow = x.device.type != "cpu" or torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling()
        if slow or self.training or torch.is_grad_enabled():
            return self.split, self.blocks
        if self._fast_layers is None:
            blocks: list[_Block] = [FastBlock(cast(PathBlock, block)) for block in self.blocks]
            self._fast_layers = FrameSplit(self.split, self.bins), blocks
        split, fast = self._fast_layers
        return (split if x.shape[2] == self.multiple else self.split), fast

    def _lagged(self, spectra: Tensor, past: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return spectra ``(B, T, F)`` delayed by 0, 1 .. frames, and the last frames as pairs of numbers."""
        joined = torch.cat([torch.view_as_complex(past), spectra], dim=1)
        reach, count = self._past_frames, spectra.shape[1]
        lagged = [joined[:, reach - lag : reach - lag + count] for lag in range(reach + 1)]
        return lagged, torch.view_as_real(joined[:, joined.shape[1] - reach :])

    def _scale(self, power: Tensor, state: State) -> tuple[Tensor, list[Tensor]]:
        """Return the factor ``(B, T, 1)`` that brings each frame to the same level, and the state.

        The level is the mean of the frames so far; old ones count less, silent ones not at all.
        """
        if not self.level_frames:
            return torch.ones_like(power), []
        mean, after = running_mean(power, power > _SILENCE, self.level_frames, (state[0], state[1]))
        return _LEVEL * mean.clamp_min(_SILENCE).rsqrt(), after

    def _above(self, magnitude: Tensor, audible: Tensor, state: State) -> tuple[list[Tensor], list[Tensor]]:
        """Return how far each `magnitude` ``(B, T, F)`` is above the background, in units of 20 dB, and the states.

        It is 0 in frames that are not `audible` ``(B, T, 1)``, which do not count.
        """
        above: list[Tensor] = []
        after: list[Tensor] = []
        if not self.background_frames:
            return above, after
        level = magnitude.clamp_min(_MIN_BACKGROUND).log10()
        for i, memory in enumerate(self.background_frames):
            mean, kept = running_mean(level, audible, memory, (state[2 * i], state[2 * i + 1]))
            above.append(audible * (level - mean))
            after += kept
        return above, after

    def _encode_hum(self, line: Tensor, certainty: Tensor) -> Tensor:
        """Return the input of the bands ``(B, T, bands, width)`` for the hum ``(B, T, bins)``."""
        encoded = self.hum_encoder(torch.cat([torch.view_as_real(_compress(line)), certainty], -1))
        return F.pad(encoded, (0, 0, 0, self.bands - self.hum_bands))

    def _decode_hum(self, x: Tensor, line: Tensor) -> Tensor:
        """Return what to add to the output ``(B, T, F)``: the hum ``(B, T, bins)`` times gains for its bands."""
        gains = self.hum_decoder(x[:, :, : self.hum_bands])[:, :, : line.shape[2]].float()
        return F.pad(torch.view_as_complex(gains.contiguous()) * line, (0, self.bins - line.shape[2]))

    def _features(self, seen: Tensor, magnitude: Tensor, above: list[Tensor]) -> Tensor:
        """Return the network's input ``(B, T, bins, features)`` for spectra ``(B, T, K, F)`` by 0, 1 .. frames late."""
        now, parts = seen[:, :, :1], []
        if self.relative_phase:
            below = torch.view_as_complex(F.pad(torch.view_as_real(now), (0, 0, 1, 0)))[..., :-1]
            parts.append((magnitude.clamp_min(_EPS) ** _COMPRESSION).transpose(2, 3))
            seen = _compress(now * torch.cat([seen[:, :, 1:], below], 2).conj(), _COMPRESSION / 2)
        else:
            seen = _compress(seen)
        parts.append(torch.view_as_real(seen).transpose(2, 3).flatten(3))
        level = magnitude[:, :, 0].clamp_min(_MIN_MAGNITUDE).log10() / 2 + 1
        return torch.cat([*parts, torch.stack([level, *above], -1)], -1)

    def _filtered(self, lagged: list[Tensor], values: Tensor) -> Tensor:
        """Return ``(B, T, F)``: the newest spectra, and what the filters in `values` ``(B, T, F, 2 * taps)`` add."""
        values = values[:, :, : self.bins].float()
        filters = torch.complex(values[..., : self.taps], values[..., self.taps :])
        cleaned = lagged[0]
        for tap in range(self.taps):
            cleaned = torch.addcmul(cleaned, filters[..., tap : tap + 1].squeeze(-1), lagged[tap])
        return cleaned


def _compress(spectra: Tensor, power: float = _COMPRESSION) -> Tensor:
    """Return spectra with their magnitudes raised to `power`."""
    return spectra * spectra.abs().clamp_min(_EPS) ** (power - 1.0)


def _check_levels(level_frames: int, background_frames: Sequence[int], hum_sample_rate: int, hop_length: int) -> None:
    if 0 < hum_sample_rate < hop_length:
        raise MusicaeError(
            f"[model] hum_sample_rate must be the rate of the samples in Hz, or 0, not {hum_sample_rate}"
        )
    if level_frames < 0 or hum_sample_rate < 0:
        raise MusicaeError(
            f"[model] level_frames and hum_sample_rate must be 0 or more, not {level_frames} and {hum_sample_rate}"
        )
    are_ints = isinstance(background_frames, list | tuple) and all(type(n) is int for n in background_frames)
    if not are_ints or any(n < 1 for n in background_frames):
        raise MusicaeError(
            f"[model] background_frames must be a list of numbers of frames, 1 or more, not {background_frames}"
        )
