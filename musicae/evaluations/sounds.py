"""Sounds through a code: what comes back, beside a linear code of as many numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..codec import Codec, generator
from ..core import Windows
from ..errors import MusicaeError
from ..metrics import mel_distance, si_sdr
from .common import Figures, mean
from .recordings import clips_of, judged

__all__ = ["sounds"]

_KNOWN = 400  # Windows of the training data that the linear code is fitted to.


def sounds(
    codec: Codec, train: Windows, folders: Mapping[str, Path], limit: int | None, *,
    sets: tuple[str, ...] = ("speech", "music"), clips: int = 6, seconds: float = 8.0, seed: int = 0,
) -> Figures:  # fmt: skip
    """Measure what a code of sound keeps of the folders named by ``--data speech=DIR`` and ``--data music=DIR``.

    `clips` of `seconds` of every folder and file in them: `si_sdr_<set>` in dB, `mel_distance_<set>`, and `pesq_<set>`
    and `stoi_<set>` where their packages are installed. ``floor_pca_...`` are of principal components of the modified
    discrete cosine transform with as many numbers a second, `numbers_per_second`, fitted to training data.
    Raise MusicaeError for a model without such a transform, and where none of the folders is named.
    """
    model: Any = codec.model
    rate = int(getattr(codec.adapter, "rate", 0))
    if not rate or not hasattr(model, "prepare") or not hasattr(model, "mdct"):
        raise MusicaeError("the evaluation 'sounds' is for models of sound on the modified discrete cosine transform")
    found = [name for name in sets if name in folders]
    if not found:
        raise MusicaeError(f"this evaluation needs {' or '.join(f'--data {name}=DIR' for name in sets)}")
    index = torch.randperm(len(train), generator=generator(seed, 17))[:_KNOWN]
    axes, centre = _components(model, train.batch(index))
    figures: Figures = {"numbers_per_second": model.latent * rate / model.mdct.hop}
    for name in found:
        clean = clips_of(codec, folders[name], clips, round(seconds * rate), seed)[:limit]
        ways = {
            "": [_through(codec, one) for one in clean],
            "floor_pca_": [_plain(model, axes, centre, one) for one in clean],
        }
        for prefix, made in ways.items():
            true, out = torch.stack(clean)[:, None], torch.stack(made)[:, None]
            values = {
                "si_sdr": si_sdr(true, out),
                "mel_distance": mel_distance(true, out, rate),
                **{
                    key: torch.tensor(found) for key, found in judged(list(zip(clean, made, strict=True)), rate).items()
                },
            }
            for key, value in values.items():
                if prefix:
                    figures[f"{prefix}{key}_{name}"] = value.mean().item()
                else:
                    mean(figures, f"{key}_{name}", value)
    return figures


def _components(model: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    hop = model.mdct.hop
    known = model.mdct.analyse(x[:, 0, : x.shape[-1] // hop * hop]).flatten(0, 1).double()
    centre = known.mean(0)
    _, vectors = torch.linalg.eigh((known - centre).T @ (known - centre))
    return vectors[:, -model.latent :].float(), centre.float()


def _plain(model: Any, axes: Tensor, centre: Tensor, x: Tensor) -> Tensor:
    """Return ``(T,)`` through the linear code."""
    hop = model.mdct.hop
    padded = torch.nn.functional.pad(x, (0, -len(x) % hop))
    kept = (model.mdct.analyse(padded[None]) - centre) @ axes @ axes.T + centre
    made: Tensor = model.mdct.synthesise(kept)[0, : len(x)]
    return made


def _through(codec: Codec, x: Tensor) -> Tensor:
    """Return ``(T,)`` encoded and decoded, window by window."""
    size = codec.spec.shape[-1]
    windows = torch.nn.functional.pad(x, (0, -len(x) % size)).view(-1, 1, size)
    return codec.decode(codec.encode(windows).mean)[:, 0].flatten()[: len(x)]
