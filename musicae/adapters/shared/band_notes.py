"""The notes of each part of a band: its line or chords, placed in steps, as a tensor and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae.adapters.shared import lines
from musicae.formats.music.bar_grid import Excerpt
from musicae.formats.music.parts import Notes
from musicae.formats.music.percussion import CLASS_OF, CLASSES
from musicae.tensors import band, melody_tokens
from musicae.tensors.band import RANGES

__all__ = [
    "folded",
    "from_tensor",
    "hits",
    "in_steps",
    "joined",
    "line",
    "pitched",
    "prominent",
    "to_tensor",
]

_MAX_TONES = 8  # Onsets of harmony in a step; the most prominent are kept.
_LOUD = 127.0

# --- notes in steps --------------------------------------------------------------------------------------------------


def line(notes: Notes, step: float, upwards: bool) -> tuple[Notes, Notes]:
    """Return the top line of notes (or the bottom one), and the notes that are not in it."""
    turned = notes if upwards else notes._replace(pitch=127 - notes.pitch)
    found = lines.skyline(turned, step)
    found = found if upwards else found._replace(pitch=127 - found.pitch)
    left = ~np.isin(notes.start << 7 | notes.pitch, found.start << 7 | found.pitch)
    return found, Notes(*(values[left] for values in notes))


def joined(several: Sequence[Notes]) -> Notes:
    """Return several lists of notes as one."""
    together = [np.concatenate(values) for values in zip(*several, strict=True)]
    order = np.argsort(together[0], kind="stable")
    return Notes(*(values[order] for values in together))


def in_steps(notes: Notes, found: Excerpt) -> Notes:
    """Return the notes that begin inside the excerpt, in steps; each lasts a step at least."""
    start, end = found.steps(notes.start), found.steps(notes.end)
    inside = (start >= 0) & (start < found.length)
    end = np.minimum(np.maximum(end, start + 1), found.length)
    return Notes(start[inside], end[inside], notes.pitch[inside], notes.velocity[inside], notes.program[inside])


def folded(notes: Notes, part: str, remarks: list[str] | None) -> Notes:
    """Return the notes moved by octaves into the range of a part; `pitch` counts from its lowest."""
    low, high = RANGES[part]
    return notes._replace(pitch=lines.in_range(notes.pitch, low, high, remarks, f"{part}: ") - low)


def hits(notes: Notes, remarks: list[str] | None) -> Notes:
    """Return the hits that have a class; `pitch` is the class."""
    classes = CLASS_OF[notes.pitch]
    if remarks is not None and (count := np.count_nonzero(classes < 0)):
        remarks.append(f"drums: {count} note(s) are not percussion (27..87) and were left out")
    known = (classes >= 0) & (notes.velocity > 0)
    return Notes(*(values[known] for values in notes._replace(pitch=classes)))


def prominent(notes: Notes, remarks: list[str] | None) -> Notes:
    """Return notes of harmony, each pitch once at a time, and of many that begin together the longest and loudest."""
    weight = notes.velocity * np.minimum(notes.end - notes.start, 16)
    order = np.lexsort((-weight, notes.pitch, notes.start))
    first = np.append(True, np.diff(notes.start[order] * 128 + notes.pitch[order]) > 0)
    order = order[first] if len(order) else order
    order = order[np.lexsort((-weight[order], notes.start[order]))]
    start = notes.start[order]
    rank = np.arange(len(start)) - np.searchsorted(start, start)
    kept = order[rank < _MAX_TONES]
    if remarks is not None and len(kept) < len(order):
        remarks.append(f"harmony: {len(order) - len(kept)} note(s) of thick chords were left out")
    kept = kept[np.lexsort((notes.start[kept], notes.pitch[kept]))]
    chosen = Notes(*(values[kept] for values in notes))
    again = np.append((np.diff(chosen.pitch) == 0), False)
    following = np.append(chosen.start[1:], 0)
    cut = chosen._replace(end=np.where(again, np.minimum(chosen.end, following), chosen.end))
    order = np.argsort(cut.start, kind="stable")
    return Notes(*(values[order] for values in cut))


# --- tensors ---------------------------------------------------------------------------------------------------------


def to_tensor(notes: Mapping[str, Notes], length: int) -> NDArray[np.float32]:
    """Return the band ``(C, L)`` of the notes of each part."""
    values = np.repeat(band.silent().numpy()[:, None], length, axis=1)
    for part, own in notes.items():
        channels, loud = band.groups_of(part)
        rows, loudness = values[channels], values[loud]
        if part in ("melody", "bass"):
            tokens = melody_tokens.from_notes(own.start, own.end, own.pitch, length)
            rows[:] = 0
            rows[tokens, np.arange(length)] = 1.0
            loudness[0, own.start] = own.velocity / _LOUD
        elif part == "harmony":
            held, onset = np.split(rows, 2)
            onset[own.pitch, own.start] = 1.0
            for pitch in np.unique(own.pitch):  # One after another, to save memory.
                start, end = (at[own.pitch == pitch] for at in (own.start, own.end))
                change = np.bincount(start + 1, minlength=length + 1) - np.bincount(end, minlength=length + 1)
                held[pitch] = change.cumsum()[:-1] > 0
            count = np.bincount(own.start, minlength=length)
            # A whole number, as a file holds it.
            loudness[0] = np.rint(np.bincount(own.start, own.velocity, length) / np.maximum(count, 1)) / _LOUD
        else:
            np.maximum.at(loudness, (own.pitch, own.start), own.velocity / np.float32(_LOUD))
            rows[:] = loudness > 0
    return values


def from_tensor(tensor: Tensor, part: str) -> tuple[NDArray[np.int64], ...]:
    """Return the notes of a part of a band ``(C, T)``: where each begins and ends, its MIDI pitch and velocity."""
    channels, loud = band.groups_of(part)
    rows, loudness = tensor[channels], tensor[loud]
    if part == "drums":
        start, kind = (rows > 0.5).T.nonzero(as_tuple=True)
        end, pitch = start + 1, torch.tensor([notes[0] for notes in CLASSES.values()])[kind]
        level = loudness[kind, start]
    elif part == "harmony":
        start, end, pitch = band.harmony_notes(rows)
        level = loudness[0, start]
    else:
        start, end, pitch = melody_tokens.notes(melody_tokens.tokens(rows))
        level = loudness[0, start]
    velocity = (level * _LOUD).round().clamp(1, 127).long()
    low = RANGES[part][0] if part in RANGES else 0
    return tuple(values.numpy() for values in (start, end, pitch + low, velocity))


def pitched(notes: Mapping[str, Notes]) -> tuple[NDArray[np.int64], ...]:
    """Return the start, end, MIDI pitch and velocity of all notes that have a pitch."""
    own = [notes[part]._replace(pitch=notes[part].pitch + RANGES[part][0]) for part in RANGES if part in notes]
    every = joined(own) if own else Notes(*(np.empty(0, np.int64),) * 5)
    return every.start, every.end, every.pitch, every.velocity
