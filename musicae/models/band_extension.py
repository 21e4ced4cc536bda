"""A streaming network that adds the upper half of a sound's band."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicae.core import Spec, State
from musicae.errors import MusicaeError
from musicae.models.layers.restorer import StreamingRestorer, check_sound
from musicae.models.layers.stft import Stft
from musicae.ranges import Depth, Size, SizeOrNone

__all__ = ["BandExtension"]

_MIN_MAGNITUDE = 1e-5  # Of a bin, in the logarithm that the network sees.
_EPS = 1e-9  # Keeps divisions by magnitudes finite.
_LOG_RANGE = (-6.0, 3.0)  # Of the added magnitudes, log10.
_EDGE = 0.8  # Of the lower half: above it the input may already fall off.


class BandExtension(StreamingRestorer):
    """Add the upper half of the band to sounds that have nothing there; the lower half stays as it is.

    Recurrent layers read the logarithms of the lower magnitudes, frame by frame, and write those of the upper ones.
    Their phases are those of the lower half, mirrored at its edge (spectral folding, Makhoul and Berouti 1979). Frames
    come out `lookahead` frames late, so that the upper half can depend on what follows too.

    Parameters
    ----------
    spec : the windows, one channel of samples ``(1, T)`` at the higher rate.
    n_fft, hop_length : window and hop of the spectra, in samples.
    width : width of the recurrent layers.
    layers : number of recurrent layers.
    lookahead : frames read ahead of the one that is written.
    """

    why_no_code = (
        "a 'band-extension' network has no code: it adds the upper half of a sound's band; use it to restore "
        "(denoise, upscale), and an autoencoder to encode, sample or interpolate"
    )

    def __init__(
        self,
        spec: Spec,
        n_fft: Size = 512,
        hop_length: Size = 128,
        width: Size = 384,
        layers: Depth = 2,
        lookahead: SizeOrNone = 2,
    ) -> None:
        super().__init__()
        check_sound("band-extension", spec, hop_length)
        if min(width, layers) < 1 or lookahead < 0:
            raise MusicaeError("[model] width and layers must be 1 or more, lookahead 0 or more")
        self.stft = Stft(n_fft, hop_length)
        self.multiple, self.lookahead = hop_length, lookahead
        self.delay = self.stft.delay + lookahead * hop_length
        self.middle, self.bins = n_fft // 4, n_fft // 2 + 1
        self.edge = int(_EDGE * self.middle)
        self.project_in = nn.Linear(self.middle, width)
        self.norm = nn.LayerNorm(width)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True)
        self.project_out = nn.Linear(2 * width, self.bins - self.edge)

    def initial_state(self, batch: int = 1) -> State:
        """Return the state before the first block of `batch` streams.

        In this order: the newest samples ``(B, delay)``, the two states of the LSTM ``(layers, B, width)``, the frames
        that wait, complex numbers as pairs ``(B, lookahead, bins, 2)``, and the overlap with the next output samples.
        """
        zeros = self.stft.window.new_zeros
        recurrence = (self.lstm.num_layers, batch, self.lstm.hidden_size)
        held = zeros(batch, self.lookahead, self.bins, 2)
        samples, overlap = self.stft.initial_state(batch), self.stft.initial_state(batch)
        return samples, zeros(recurrence), zeros(recurrence), held, overlap

    def stream(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return ``(B, 1, N * hop_length)`` with the upper half added, `delay` samples late."""
        samples, hidden, cell, held, overlap = state
        spectra, samples = self.stft.analyse(x[:, 0].float(), samples)
        levels = spectra[..., : self.middle].abs().clamp_min(_MIN_MAGNITUDE).log10()
        features = self.norm(F.silu(self.project_in(levels)))
        series, (hidden, cell) = self.lstm(features, (hidden.to(features), cell.to(features)))
        # Of the frame `lookahead` earlier: the LSTM has seen all frames up to this one.
        upper = self.project_out(torch.cat([features, series], dim=-1)).float()
        joined = torch.cat([torch.view_as_complex(held), spectra], dim=1)
        late, waiting = joined[:, : spectra.shape[1]], joined[:, spectra.shape[1] :]
        out, overlap = self.stft.synthesise(self._extend(late, upper), overlap)
        return out[:, None], (samples, hidden, cell, torch.view_as_real(waiting), overlap)

    def _extend(self, spectra: Tensor, upper: Tensor) -> Tensor:
        """Return spectra ``(B, T, F)`` with magnitudes ``10 ** upper`` added from the edge up."""
        bins = torch.arange(self.edge, self.bins, device=spectra.device)
        # Where the input falls off, its own phase; above, the phase mirrored at the half.
        source = torch.where(bins < self.middle, bins, 2 * self.middle - bins)
        folded = spectra[..., source]
        direction = folded / folded.abs().clamp_min(_EPS)
        direction = torch.where(bins < self.middle, direction, direction.conj())
        added = 10 ** upper.clamp(*_LOG_RANGE) * direction
        # Below the half the input stays, and fades into the added part.
        share = ((bins - self.edge) / (self.middle - self.edge)).clamp(0, 1)
        return torch.cat([spectra[..., : self.edge], spectra[..., self.edge :] + share * added], dim=-1)
