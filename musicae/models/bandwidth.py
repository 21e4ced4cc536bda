"""A network that adds the upper half of a sound's band, as it comes in."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core import Spec
from ..errors import MusicaeError
from .codeless import Codeless
from .stft import Stft

__all__ = ["BandExtension"]

_LEAST = 1e-5  # The magnitude of a bin that counts as silent.
_EDGE = 0.8  # Of the lower half: from there on the sound that is given may already fall off.


class BandExtension(Codeless):
    """Add what is above half the band to sounds that have nothing there; what they have stays as it is.

    Recurrent layers read the logarithms of the lower magnitudes, frame by frame, and write those of the upper ones.
    Their phases are the lower ones', mirrored at the half (spectral folding, Makhoul and Berouti 1979). So that a
    frame's upper part is drawn by what follows as well, it comes out `ahead` frames late.

    Parameters
    ----------
    spec : of the windows, one channel of samples ``(1, T)`` at the higher rate.
    n_fft, hop : of the spectra, in samples.
    width : of the recurrent layers.
    layers : how many.
    ahead : frames that are looked at before one is written.
    """

    kind, why = "a 'band-extension' network", "it adds to a sound what is above its band"

    def __init__(
        self, spec: Spec, n_fft: int = 512, hop: int = 128, width: int = 384, layers: int = 2, ahead: int = 2
    ) -> None:
        super().__init__()
        if len(spec.shape) != 1 or spec.channels != 1:
            raise MusicaeError("[model] 'band-extension' takes one channel of samples; use it with the adapter 'audio'")
        if min(hop, width, layers) < 1 or ahead < 0:
            raise MusicaeError("[model] hop, width and layers must be 1 or more, ahead 0 or more")
        if spec.shape[0] % hop:
            raise MusicaeError(f"[model] hop {hop} must divide the window of {spec.shape[0]} samples")
        self.stft = Stft(n_fft, hop)
        self.multiple, self.ahead = hop, ahead
        self.delay = self.stft.delay + ahead * hop
        self.middle, self.bins = n_fft // 4, n_fft // 2 + 1
        self.edge = int(_EDGE * self.middle)
        self.enter = nn.Linear(self.middle, width)
        self.norm = nn.LayerNorm(width)
        self.time = nn.LSTM(width, width, layers, batch_first=True)
        self.leave = nn.Linear(2 * width, self.bins - self.edge)

    def stream(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return ``(B, 1, N * hop)`` with the upper half added, `delay` samples late (see `musicae.core.Streamer`)."""
        before = [None] * 4 if state is None else list(state)
        spectra, kept = self.stft.analyse(x[:, 0].float(), before[0])
        after = [kept]
        levels = spectra[..., : self.middle].abs().clamp_min(_LEAST).log10()
        entered = self.norm(F.silu(self.enter(levels)))
        series, kept = self.time(entered, before[1])
        after.append(kept)
        # Of the frame `ahead` before: what comes now has been heard as well.
        upper = self.leave(torch.cat([entered, series], dim=-1)).float()
        held = before[2] if before[2] is not None else spectra.new_zeros(len(x), self.ahead, self.bins)
        joined = torch.cat([held, spectra], dim=1)
        late, kept = joined[:, : spectra.shape[1]], joined[:, spectra.shape[1] :]
        after.append(kept)
        out, kept = self.stft.synthesise(self._extended(late, upper), before[3])
        after.append(kept)
        return out[:, None], after

    def _extended(self, spectra: Tensor, upper: Tensor) -> Tensor:
        """Return spectra ``(B, T, F)`` with bins of magnitudes ``10 ** upper`` added from the edge on."""
        place = torch.arange(self.edge, self.bins, device=spectra.device)
        # Where the sound that is given falls off, its own phase; above, what lies mirrored at the half.
        source = torch.where(place < self.middle, place, 2 * self.middle - place)
        told = spectra[..., source]
        direction = told / told.abs().clamp_min(1e-9)
        direction = torch.where(place < self.middle, direction, direction.conj())
        added = 10 ** upper.clamp(-6.0, 3.0) * direction
        # Below the half the sound itself stays, and fades over into what is made.
        share = ((place - self.edge) / (self.middle - self.edge)).clamp(0, 1)
        return torch.cat([spectra[..., : self.edge], spectra[..., self.edge :] + share * added], dim=-1)

    def restore(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return ``(B, 1, T)`` with the upper half added, in time with `x`; `multiple` divides ``T``."""
        after = -(-self.delay // self.multiple) * self.multiple
        out, _ = self.stream(F.pad(x, (0, after)))
        return out[..., self.delay : self.delay + x.shape[-1]]
