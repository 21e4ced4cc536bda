"""How well the upper half of a band is filled in: spectra and samples, against resampling by a sinc and by splines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.evaluations.shared.clips import clips_of, folder_of
from musicae.evaluations.shared.common import Figures, limited, report
from musicae.evaluations.shared.judges import speech_scores
from musicae.ranges import Count, Seconds, Seed
from musicae.tensors.metrics import log_spectral_distance, mel_distance, snr

__all__ = ["bandwidth"]


def bandwidth(
    codec: Codec,
    folders: Mapping[str, Path],
    limit: int | None,
    *,
    clips: Count = 6,
    seconds: Seconds = 8.0,
    seed: Seed = 0,
) -> Figures:
    """Measure a model that fills in the upper half of the band on `clips` of `seconds` of every piece.

    The pieces are the folders and files in the folder of ``--data sounds=DIR``; the model must not have been trained on
    them. Each is brought to half the preset's rate and back by a band-limited (sinc) resampler.
    `lsd` is the log-spectral distance (see `musicae.tensors.metrics`), and says little without `snr` in dB,
    `mel_distance` and, of speech, `pesq` and `stoi`: noise lowers it as well. ``floor_sinc_...`` are figures of the
    model's input, ``floor_spline_...`` of interpolation by cubic splines. Raise MusicaeError if data are missing.
    """
    rate = codec.adapter.sample_rate
    if not rate:
        raise MusicaeError("the evaluation 'bandwidth' is for models of sound; use the adapter 'audio'")
    clean = clips_of(codec.adapter, folder_of(folders, "sounds"), clips, round(seconds * rate), seed)
    clean = limited(clean, limit, seed)
    figures: Figures = {"files": len(clean)}
    given = [_half_band(clip) for clip in clean]
    outputs = {
        "": [codec.restore_any_size(sinc[None])[0] for sinc, _ in given],
        "floor_sinc_": [sinc for sinc, _ in given],
        "floor_spline_": [spline for _, spline in given],
    }
    for prefix, clips_out in outputs.items():
        true, out = torch.stack(clean)[:, None], torch.stack(clips_out)[:, None]
        values = {
            "lsd": log_spectral_distance(true, out),
            "snr": snr(true, out),
            "mel_distance": mel_distance(true, out, rate),
        }
        scores = speech_scores(list(zip(clean, clips_out, strict=True)), rate)
        values |= {name: torch.tensor(score) for name, score in scores.items()}
        for name, value in values.items():
            report(figures, prefix, name, value)
    return figures


def _half_band(clean: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``(T,)`` resampled to half the rate and back: by a sinc, and by cubic splines."""
    import soxr
    from scipy.interpolate import CubicSpline

    length = len(clean)
    low = soxr.resample(clean.numpy(), 2, 1, quality="VHQ")
    sinc = np.zeros(length, np.float32)
    back = soxr.resample(low, 1, 2, quality="VHQ")[:length]
    sinc[: len(back)] = back
    spline = CubicSpline(2 * np.arange(len(low)), low)(np.arange(length))
    return torch.from_numpy(sinc), torch.from_numpy(spline.astype(np.float32))
