"""Short-time Fourier analysis and synthesis that go through a sound block by block."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..errors import MusicaeError

__all__ = ["Stft"]


class Stft(nn.Module):
    """Spectra of overlapping frames, and the sound of spectra by overlap-add.

    The window is the root of Hann's, before and after, scaled so that spectra left alone give the sound back. A frame
    ends with the newest `hop` samples, so what comes out is `delay` samples late: ``n_fft - hop``.
    """

    window: Tensor

    def __init__(self, n_fft: int = 512, hop: int = 256) -> None:
        super().__init__()
        if hop < 1 or n_fft % hop or n_fft < 2 * hop:
            raise MusicaeError(f"[model] n_fft must be a multiple of hop, twice it or more, not {n_fft} and {hop}")
        self.n_fft, self.hop, self.delay = n_fft, hop, n_fft - hop
        window = torch.hann_window(n_fft, dtype=torch.float64).sqrt() * (2 * hop / n_fft) ** 0.5
        self.register_buffer("window", window.float(), persistent=False)

    def analyse(self, x: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the spectra ``(B, N, n_fft / 2 + 1)``, complex, of ``(B, N * hop)``, and what the next block needs.

        `before` is what the block before gave; None at the start of a sound.
        """
        if before is None:
            before = x.new_zeros(len(x), self.delay)
        joined = torch.cat([before, x], dim=1)
        frames = joined.unfold(1, self.n_fft, self.hop)
        return torch.fft.rfft(frames * self.window), joined[:, joined.shape[1] - self.delay :]

    def synthesise(self, spectra: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return ``(B, N * hop)`` samples of spectra ``(B, N, n_fft / 2 + 1)``, and what the next block needs."""
        frames = torch.fft.irfft(spectra, n=self.n_fft) * self.window
        batch, count, parts = len(frames), frames.shape[1], self.n_fft // self.hop
        pieces = frames.view(batch, count, parts, self.hop)
        total = frames.new_zeros(batch, count + parts - 1, self.hop)
        for part in range(parts):
            total = total + nn.functional.pad(pieces[:, :, part], (0, 0, part, parts - 1 - part))
        flat = total.flatten(1)
        if before is not None:
            flat = flat + nn.functional.pad(before, (0, flat.shape[1] - before.shape[1]))
        return flat[:, : count * self.hop], flat[:, count * self.hop :]
