"""What the page is answered: samples as JSON that it draws, and as files."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import torch
from torch import Tensor

from musicae import plots
from musicae.codec import Codec
from musicae.core import Roll, Sample
from musicae.ops.conditions import takes_chords, with_chords
from musicae.ops.plane import check_plane, has_plane, place_of, plane
from musicae.ops.playing import programs_of, tempo_of
from musicae.ops.shift import Change
from musicae.tensors.band import CHORD_CHANNELS
from musicae.web.catalog import kind_of
from musicae.web.studio import Found

__all__ = ["plane_picture", "point"]

_PEAKS = 400  # Of a waveform.
_SHOWN = (128, 256)  # Pixels of a spectrogram at most.
_RANGE_DB = 80.0  # That a spectrogram's values 0 to 1 stand for.
_VELOCITY = 100  # Where a roll says nothing of loudness.


def point(found: Found) -> dict[str, Any]:
    """Return what is at a point as the page draws it."""
    codec, sample = found.pad.codec, found.sample
    shown = {"notes": _music, "picture": _picture, "sound": _sound}[kind_of(codec)]
    on_plane = {"map": place_of(found.place.codes[0])} if has_plane(codec) else {}
    return {
        "kind": kind_of(codec),
        **shown(codec, sample),
        **on_plane,
        "distances": found.distances,
        "changes": [_change(one) for one in found.changes],
        "notices": found.notices,
    }


def _change(one: Change) -> dict[str, Any]:
    return {"name": one.name, "unit": one.unit, "was": one.was, "asked": one.asked, "is": one.steps[-1],
            "missed": one.missed}  # fmt: skip


def png(write: Callable[[BinaryIO], object]) -> str:
    """Return the PNG that a function writes, in base64."""
    file = io.BytesIO()
    write(file)
    return base64.b64encode(file.getvalue()).decode()


def _picture(codec: Codec, sample: Sample) -> dict[str, Any]:
    bare = Sample(sample.tensor, codec.adapter.blank())
    return {"picture": {"png": png(lambda file: codec.adapter.write(bare, file))}}


def _sound(codec: Codec, sample: Sample) -> dict[str, Any]:
    seconds = sample.tensor.shape[-1] / codec.adapter.steps_per_second
    picture = codec.adapter.picture(sample.tensor)
    if picture is None:
        return {"wave": {"peaks": _peaks(sample.tensor[0]), "seconds": seconds}}
    shape = min(_SHOWN[0], picture.shape[1]), min(_SHOWN[1], picture.shape[2])
    small = torch.nn.functional.adaptive_avg_pool2d(picture[None], shape)[0]
    drawn = {"png": png(lambda file: plots.spectrogram(small, file))}
    steps_are_samples = codec.adapter.sample_rate > 0
    # Of a spectrogram the level is drawn: the phase that makes a wave of it takes too long while the hand moves.
    wave = _peaks(sample.tensor[0]) if steps_are_samples else _peaks(_levels(picture[0]))
    return {"wave": {"peaks": wave, "seconds": seconds}, "spectrogram": drawn}


def _levels(picture: Tensor) -> Tensor:
    """Return a wave ``(2 T,)`` as high and as low as the loudest band of a spectrogram ``(F, T)`` in decibels."""
    level = picture.amax(0)
    amplitude = 10 ** ((level - level.max()) * _RANGE_DB / 20)
    return torch.stack([amplitude, -amplitude], dim=1).flatten()


def _peaks(wave: Tensor) -> list[tuple[float, float]]:
    """Return the lowest and the highest value of each of as many equal parts of a wave ``(T,)`` as the page draws."""
    parts = torch.tensor_split(wave, max(1, min(_PEAKS, len(wave) // 2)))
    return [(round(part.min().item(), 4), round(part.max().item(), 4)) for part in parts]


def _music(codec: Codec, sample: Sample) -> dict[str, Any]:
    rolls = codec.adapter.rolls(sample)
    first = rolls[0]
    _, numerator, denominator = first.meters[0]
    return {
        "length": first.length,
        "steps_per_beat": first.steps_per_beat,
        "beats_per_bar": 4 * numerator / denominator,
        "tempo": tempo_of(codec, sample.meta),
        "programs": programs_of(codec, sample.meta),
        "rolls": [_roll(roll) for roll in rolls],
        "chords": [list(one) for one in _chords(codec, sample, first)],
    }


def _chords(codec: Codec, sample: Sample, first: Roll) -> Sequence[tuple[int, str]]:
    """Return the chords of music that has any: those that it is played over, or those that are recognised in it."""
    if first.chords or not takes_chords(codec, torch.zeros(CHORD_CHANNELS, 1)):
        return first.chords
    return codec.adapter.rolls(with_chords(codec, sample))[0].chords


def plane_picture(codec: Codec) -> bytes:
    """Return the plane of codes of a preset as PNG, with nothing around it. Raise MusicaeError where there is none."""
    check_plane(codec)
    tiles, *_ = plane(codec)
    joined = plots.mosaic(tiles.flip(0)).movedim(-1, 0)[: codec.spec.channels]
    file = io.BytesIO()
    codec.adapter.write(Sample(joined.contiguous(), codec.adapter.blank()), file)
    return file.getvalue()


def _roll(roll: Roll) -> dict[str, Any]:
    velocities = [round(127 * one) for one in roll.loudness] or [_VELOCITY] * len(roll.notes)
    notes = [[*note, velocity] for note, velocity in zip(roll.notes, velocities, strict=True)]
    return {"part": roll.name, "drums": bool(roll.labels), "lanes": list(roll.labels), "notes": notes}
