"""How far reconstructed sounds are from the true ones, against an estimated phase alone and principal components."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Adapter, Windows
from musicae.errors import MusicaeError
from musicae.evaluations.shared.common import Figures, all_of, mean, pca

__all__ = ["one_shots"]


def one_shots(codec: Codec, train: Windows, test: Windows) -> Figures:
    """Measure a model of single sounds on held-out ones, each decoded, rendered as sound and analysed again.

    `mel_distance` is the mean absolute difference of the spectrograms, in the adapter's units (50 dB): for the
    reconstruction from the code's mean. `floor_phase` is that of the true spectrogram, so of estimating a phase alone;
    `floor_pca` that of as many principal components of the training data as the code has numbers. `excess` is how far
    the first is above `floor_phase`, `floor_excess` how far `floor_pca` is, `excess_ratio` their ratio.
    Raise MusicaeError for an adapter whose windows are not spectrograms.
    """
    if len(codec.spec.shape) != 2 or not codec.adapter.steps_per_second:
        raise MusicaeError("the evaluation 'one-shots' is for spectrograms of sound; use the adapter 'mel'")
    true = all_of(test)
    latent = codec.encode(true)
    centre, components = pca(all_of(train).flatten(1), codec.model.latent_size)
    flat = true.flatten(1) - centre
    plain = (flat @ components @ components.T + centre).view(true.shape).clamp_min(0)
    outputs = {"": codec.decode(latent.mean).clamp_min(0), "phase": true, "pca": plain}
    figures: Figures = {}
    for name, spectrograms in outputs.items():
        distance = (_round_trip(codec.adapter, spectrograms) - true).abs().flatten(1).mean(1)
        if name:
            figures[f"floor_{name}"] = distance.mean().item()
        else:
            mean(figures, "mel_distance", distance)
    figures["excess"] = figures["mel_distance"] - figures["floor_phase"]
    figures["floor_excess"] = figures["floor_pca"] - figures["floor_phase"]
    figures["excess_ratio"] = figures["excess"] / figures["floor_excess"]
    mean(figures, "kl_nats", latent.kl().sum(1))
    return figures


def _round_trip(adapter: Adapter, spectrograms: Tensor, batch: int = 32) -> Tensor:
    """Return the spectrograms of the sounds that `spectrograms` are rendered as."""
    return torch.cat([adapter.round_trip(part) for part in torch.split(spectrograms, batch)])
