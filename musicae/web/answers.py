"""What the page is answered: samples as JSON that it draws, and as files."""

from __future__ import annotations

import base64
import io
from typing import Any

from musicae.codec import Codec
from musicae.core import Roll, Sample
from musicae.ops.playing import programs_of, tempo_of
from musicae.web.catalog import kind_of
from musicae.web.studio import Found

__all__ = ["point"]

_PEAKS = 400  # Of a waveform.
_VELOCITY = 100  # Where a roll says nothing of loudness.


def point(found: Found) -> dict[str, Any]:
    """Return what is at a point as the page draws it."""
    codec, sample = found.pad.codec, found.sample
    return {
        "kind": kind_of(codec),
        **shown(codec, sample),
        "distances": found.distances,
        "changes": found.changes,
        "notices": found.notices,
    }


def shown(codec: Codec, sample: Sample) -> dict[str, Any]:
    """Return a sample as the page draws it: rolls, a picture or a waveform."""
    kind = kind_of(codec)
    if kind == "picture":
        file = io.BytesIO()
        codec.adapter.write(Sample(sample.tensor, codec.adapter.blank()), file)
        return {"picture": {"png": base64.b64encode(file.getvalue()).decode()}}
    if kind == "sound":
        return {"wave": {}}
    return _music(codec, sample)


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
        "chords": [list(one) for one in first.chords],
    }


def _roll(roll: Roll) -> dict[str, Any]:
    velocities = [round(127 * one) for one in roll.loudness] or [_VELOCITY] * len(roll.notes)
    notes = [[*note, velocity] for note, velocity in zip(roll.notes, velocities, strict=True)]
    return {"part": roll.name, "drums": bool(roll.labels), "lanes": list(roll.labels), "notes": notes}
