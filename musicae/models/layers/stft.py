"""Short-time Fourier analysis and synthesis that go through a sound block by block."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from musicae.errors import MusicaeError

__all__ = ["Stft"]


class Stft(nn.Module):
    """Spectra of overlapping frames, and the sound of spectra by overlap-add.

    The window is the root of a Hann window, before and after, scaled so that unchanged spectra give the sound back. A
    frame ends with the newest `hop_length` samples, so what comes out is `delay` samples late: ``n_fft - hop_length``.

    `analyse` and `synthesise` each carry `delay` samples from block to block, zeros at the start of a sound
    (see `initial_state`).
    """

    window: Tensor

    def __init__(self, n_fft: int = 512, hop_length: int = 256) -> None:
        super().__init__()
        if hop_length < 1 or n_fft % hop_length or n_fft < 2 * hop_length:
            raise MusicaeError(
                f"[model] n_fft must be a multiple of hop_length, at least twice, not {n_fft} and {hop_length}"
            )
        self.n_fft, self.hop_length, self.delay = n_fft, hop_length, n_fft - hop_length
        window = torch.hann_window(n_fft, dtype=torch.float64).sqrt() * (2 * hop_length / n_fft) ** 0.5
        self.register_buffer("window", window.float(), persistent=False)

    def initial_state(self, batch: int) -> Tensor:
        """Return the state of `analyse`, and of `synthesise`, before the first block: ``(batch, delay)``."""
        return self.window.new_zeros(batch, self.delay)

    def analyse(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return the spectra ``(B, N, n_fft / 2 + 1)``, complex, of ``(B, N * hop_length)``, and the next state.

        The state is the last `delay` samples.
        """
        joined = torch.cat([state, x], dim=1)
        frames = joined.unfold(1, self.n_fft, self.hop_length)
        return torch.fft.rfft(frames * self.window), joined[:, joined.shape[1] - self.delay :]

    def synthesise(self, spectra: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``(B, N * hop_length)`` samples of spectra ``(B, N, n_fft / 2 + 1)``, and the next state.

        The state is what past frames add to the next `delay` samples.
        """
        frames = torch.fft.irfft(spectra, n=self.n_fft) * self.window
        batch, count, parts = frames.shape[0], frames.shape[1], self.n_fft // self.hop_length
        pieces = frames.view(batch, count, parts, self.hop_length)
        total = frames.new_zeros(batch, count + parts - 1, self.hop_length)
        for part in range(parts):
            total = total + nn.functional.pad(pieces[:, :, part], (0, 0, part, parts - 1 - part))
        flat = total.flatten(1)
        flat = flat + nn.functional.pad(state, (0, flat.shape[1] - self.delay))
        return flat[:, : count * self.hop_length], flat[:, count * self.hop_length :]
