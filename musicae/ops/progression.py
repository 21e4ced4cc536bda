"""A chord progression that the user gives, as a condition of a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Roll, Sample
from musicae.errors import WITH_PRESET, Line, MusicaeError, elsewhere, line_of
from musicae.ops.conditions import takes_chords
from musicae.tensors import chord_symbols

__all__ = ["bars_of", "blank_under", "counted", "meter_of", "progression", "whole_bars"]

_CHORDS = Line("--chords", "the progression")
_BANDS = Line("use one for bands (--only band)", f"choose one for bands {elsewhere(WITH_PRESET)}")


def progression(codec: Codec, chords: str, sample: Sample, name: str, *, cut: bool = False) -> tuple[Tensor, list[str]]:
    """Return a progression as the condition ``(24, L)`` of a sample, bar by bar, and what the user is to know.

    It is repeated as often as the sample needs, which is said; `name` is what messages call the sample. With `cut`, for
    a loop, it goes without saying, and a progression that is too long is cut, which is said.
    Raise MusicaeError for a chord that does not exist, for more bars than the sample has, and for a preset that takes
    no chords.
    """
    bars, roll = chord_symbols.parse(chords), _roll(codec, sample)
    places = _bars(roll)
    if len(bars) > len(places) and not cut:
        raise MusicaeError(
            line_of(_CHORDS, f" has {_bars_in_words(len(bars))}, {name} has {len(places)}; leave out what is too much")
        )
    parts = [
        chord_symbols.condition([bars[i % len(bars)]], length, length, beats)
        for i, (length, beats) in enumerate(places)
    ]
    found = torch.from_numpy(np.concatenate(parts, axis=1)[:, : roll.length])
    if not takes_chords(codec, found):
        raise MusicaeError(
            line_of(Line("--chords: ", ""), f"the preset '{codec.preset.name}' takes no chords; ", _BANDS)
        )
    notices = []
    if cut and len(bars) > len(places):
        notices.append(f"of {len(bars)} bars of chords the first {len(places)} fit")
    elif not cut and len(bars) < len(places):
        has = f" has {_bars_in_words(len(bars))}, {name} has {len(places)}; they are repeated"
        notices.append(line_of(_CHORDS, has))
    return found, notices


def bars_of(codec: Codec, sample: Sample) -> list[int]:
    """Return the length of each bar of a sample in steps, the last one whole; none for what has no notes."""
    rolls = codec.adapter.rolls(sample)
    return [length for length, _ in _bars(rolls[0])] if rolls else []


def whole_bars(bars: Sequence[int], length: int) -> int | None:
    """Return how many `bars` last `length` steps, where more are as the last; None where a bar would be cut."""
    ends = list(accumulate(bars))
    if not ends or length in ends:
        return ends.index(length) + 1 if ends else None
    more, rest = divmod(length - ends[-1], bars[-1])
    return len(bars) + more if more > 0 and not rest else None


def meter_of(codec: Codec, sample: Sample) -> str:
    """Return the meter of a sample, such as ``"3/4"``; empty where there are several, and for what has no notes."""
    rolls = codec.adapter.rolls(sample)
    meters = {f"{numerator}/{denominator}" for _, numerator, denominator in rolls[0].meters} if rolls else set[str]()
    return meters.pop() if len(meters) == 1 else ""


def counted(codec: Codec, sample: Sample, *lengths: int) -> tuple[list[str], str]:
    """Return lengths in steps of a sample as one counts them, and the unit.

    It is ``"s"``, ``"bars"`` where all are whole ones, ``"beats"`` (quarter notes), or for anything else ``"steps"``.
    """
    if rate := codec.adapter.steps_per_second:
        return [f"{length / rate:.1f}" for length in lengths], "s"
    rolls = codec.adapter.rolls(sample)
    if not rolls:
        return [str(length) for length in lengths], "steps"
    bars = bars_of(codec, sample)
    whole = [whole_bars(bars, length) for length in lengths]
    if all(whole):
        return [str(count) for count in whole], "bars"
    return [f"{length / rolls[0].steps_per_beat:g}" for length in lengths], "beats"


def blank_under(codec: Codec, chords: str) -> Sample:
    """Return a sample of nothing, as many windows as a progression needs, for a verb that has no file.

    Raise MusicaeError as `progression` does.
    """
    bars, size = chord_symbols.parse(chords), codec.spec.shape[-1]
    step = codec.blank_step()
    window = Sample(step.expand(*step.shape[:-1], size), codec.adapter.blank(), size)
    here = len(_bars(_roll(codec, window)))
    count = math.ceil(len(bars) / here)
    return codec.adapter.concat([window] * count)


def _roll(codec: Codec, sample: Sample) -> Roll:
    """Return the piano roll of the first part of a sample, for its meters."""
    rolls = codec.adapter.rolls(sample)
    if not rolls:
        why = f"what '{codec.preset.name}' makes has no notes"
        raise MusicaeError(Line(f"--chords: {why}; leave it out", f"{why}; leave the chords out"))
    return rolls[0]


def _bars(roll: Roll) -> list[tuple[int, int]]:
    """Return the length of each bar in steps, and how many beats it has; the last may go beyond the end."""
    found: list[tuple[int, int]] = []
    ends = [meter[0] for meter in roll.meters[1:]]
    for (start, numerator, denominator), end in zip(roll.meters, [*ends, roll.length], strict=True):
        length = max(1, round(4 * roll.steps_per_beat * numerator / denominator))
        found += [(length, numerator)] * math.ceil((min(end, roll.length) - start) / length)
    return found


def _bars_in_words(count: int) -> str:
    return f"{count} bar{'s' * (count > 1)}"
