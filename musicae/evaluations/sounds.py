"""Sounds reconstructed from a code, against a linear code of as many numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from musicae.codec import Codec
from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.evaluations.shared.clips import clips_of
from musicae.evaluations.shared.common import Figures, report
from musicae.evaluations.shared.judges import speech_scores
from musicae.models.mdct_vae import Mdct
from musicae.ranges import Count, Seconds, Seed, Size
from musicae.tensors.metrics import mel_distance, si_sdr
from musicae.tensors.random import generator

__all__ = ["sounds"]

_MAX_TRAIN = 400  # Training windows that the linear code is fitted to.


def sounds(
    codec: Codec,
    train: Windows,
    folders: Mapping[str, Path],
    limit: int | None,
    *,
    sets: tuple[str, ...] = ("speech", "music"),
    clips: Count = 6,
    seconds: Seconds = 8.0,
    hop_length: Size = 256,
    seed: Seed = 0,
) -> Figures:
    """Measure what a code keeps of the sounds in the folders named by ``--data speech=DIR`` and ``--data music=DIR``.

    `clips` of `seconds` of every folder and file in them: `si_sdr_<set>` in dB, `mel_distance_<set>`, and `pesq_<set>`
    and `stoi_<set>` if their packages are installed. ``floor_pca_...`` are of principal components of the modified
    discrete cosine transform of `hop_length`, fitted to training data, with as many numbers for a window as the model's
    code has (`numbers_per_second`). Raise MusicaeError for a model without a code of sound, or if none of the folders
    is named.
    """
    rate = codec.adapter.sample_rate
    if not rate or not codec.model.latent_size:
        raise MusicaeError("the evaluation 'sounds' is for models of sound with a code; use the adapter 'audio'")
    named = [name for name in sets if name in folders]
    if not named:
        raise MusicaeError(f"this evaluation needs {' or '.join(f'--data {name}=DIR' for name in sets)}")
    size = codec.model.latent_size // (codec.spec.shape[-1] // hop_length + 1)  # For each frame of the transform.
    if not 1 <= size <= hop_length:
        raise MusicaeError(
            f"[evaluation] hop_length {hop_length} does not fit a code of {codec.model.latent_size} numbers; change it"
        )
    index = torch.randperm(len(train), generator=generator(seed, 17))[:_MAX_TRAIN]
    linear = LinearCode(train.batch(index), hop_length, size)
    figures: Figures = {"numbers_per_second": size * rate / hop_length}
    for name in named:
        clean = clips_of(codec.adapter, folders[name], clips, round(seconds * rate), seed)[:limit]
        outputs = {
            "": [_reconstruct(codec, clip) for clip in clean],
            "floor_pca_": [linear.reconstruct(clip) for clip in clean],
        }
        for prefix, clips_out in outputs.items():
            true, out = torch.stack(clean)[:, None], torch.stack(clips_out)[:, None]
            values = {"si_sdr": si_sdr(true, out), "mel_distance": mel_distance(true, out, rate)}
            scores = speech_scores(list(zip(clean, clips_out, strict=True)), rate)
            values |= {judge: torch.tensor(score) for judge, score in scores.items()}
            for key, value in values.items():
                report(figures, prefix, f"{key}_{name}", value)
    return figures


class LinearCode:
    """The first `size` principal components of each frame of the MDCT, fitted to windows `x` ``(N, 1, T)``."""

    def __init__(self, x: Tensor, hop_length: int, size: int) -> None:
        self.mdct, self.hop_length = Mdct(hop_length), hop_length
        frames = self.mdct.analyse(x[:, 0, : x.shape[-1] // hop_length * hop_length]).flatten(0, 1).double()
        centre = frames.mean(0)
        _, vectors = torch.linalg.eigh((frames - centre).T @ (frames - centre))
        self.axes, self.centre = vectors[:, -size:].float(), centre.float()

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return ``(T,)`` reconstructed from its code."""
        padded = F.pad(x, (0, -len(x) % self.hop_length))
        kept = (self.mdct.analyse(padded[None]) - self.centre) @ self.axes @ self.axes.T + self.centre
        return self.mdct.synthesise(kept)[0, : len(x)]


def _reconstruct(codec: Codec, x: Tensor) -> Tensor:
    """Return ``(T,)`` reconstructed from its codes, window by window."""
    size = codec.spec.shape[-1]
    windows = F.pad(x, (0, -len(x) % size)).view(-1, 1, size)
    return codec.decode(codec.encode(windows).mean)[:, 0].flatten()[: len(x)]
