"""A network that adds the upper half of a sound's band, as it comes in."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicae.core import Spec, State
from musicae.errors import MusicaeError
from musicae.models.layers.restorer import StreamingRestorer, check_sound
from musicae.models.layers.stft import Stft

__all__ = ["BandExtension"]

_MIN_MAGNITUDE = 1e-5  # Of a bin, for the logarithm that the network sees.
_EPS = 1e-9  # Of a magnitude that is divided by.
_LOG_RANGE = (-6.0, 3.0)  # Of the magnitudes that are added, log10.
_EDGE = 0.8  # Of the lower half: from there on the given sound may already fall off.


class BandExtension(StreamingRestorer):
    """Add what is above half the band to sounds that have nothing there; what they have stays as it is.

    Recurrent layers read the logarithms of the lower magnitudes, frame by frame, and write those of the upper ones.
    Their phases are the lower ones', mirrored at the half (spectral folding, Makhoul and Berouti 1979). So that a
    frame's upper part can depend on what follows as well, it comes out `lookahead` frames late.

    Parameters
    ----------
    spec : of the windows, one channel of samples ``(1, T)`` at the higher rate.
    n_fft, hop_length : of the spectra, in samples.
    width : of the recurrent layers.
    layers : how many.
    lookahead : frames that are looked at before one is written.
    """

    why_no_code = (
        "a 'band-extension' network has no code: it adds to a sound what is above its band; use it to restore "
        "(denoise, upscale), and an autoencoder to encode, sample or interpolate"
    )

    def __init__(
        self,
        spec: Spec,
        n_fft: int = 512,
        hop_length: int = 128,
        width: int = 384,
        layers: int = 2,
        lookahead: int = 2,
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

        In this order: the newest samples ``(B, delay)``, the recurrence's two ``(layers, B, width)``, the frames that
        wait, complex numbers as pairs ``(B, lookahead, bins, 2)``, and what overlaps the next samples out.
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
        # Of the frame `lookahead` before, for which the recurrence has seen the frames up to this one.
        upper = self.project_out(torch.cat([features, series], dim=-1)).float()
        joined = torch.cat([torch.view_as_complex(held), spectra], dim=1)
        late, waiting = joined[:, : spectra.shape[1]], joined[:, spectra.shape[1] :]
        out, overlap = self.stft.synthesise(self._extended(late, upper), overlap)
        return out[:, None], (samples, hidden, cell, torch.view_as_real(waiting), overlap)

    def _extended(self, spectra: Tensor, upper: Tensor) -> Tensor:
        """Return spectra ``(B, T, F)`` with bins of magnitudes ``10 ** upper`` added from the edge on."""
        place = torch.arange(self.edge, self.bins, device=spectra.device)
        # Where the given sound falls off, its own phase; above, what lies mirrored at the half.
        source = torch.where(place < self.middle, place, 2 * self.middle - place)
        folded = spectra[..., source]
        direction = folded / folded.abs().clamp_min(_EPS)
        direction = torch.where(place < self.middle, direction, direction.conj())
        added = 10 ** upper.clamp(*_LOG_RANGE) * direction
        # Below the half the sound itself stays, and fades over into what is made.
        share = ((place - self.edge) / (self.middle - self.edge)).clamp(0, 1)
        return torch.cat([spectra[..., : self.edge], spectra[..., self.edge :] + share * added], dim=-1)
