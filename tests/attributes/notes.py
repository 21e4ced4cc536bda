"""Windows of notes whose attributes are known."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from musicae.core import Attribute, Notes
from musicae.formats.music.percussion import CLASSES

LOW = 60


def line(*tunes: Sequence[tuple[int, int]], steps: int = 32, loudness: float | None = None) -> Notes:
    """Return windows with notes ``(step, pitch)``, four steps a beat."""
    onsets = torch.zeros(len(tunes), 24, steps, dtype=torch.bool)
    for i, tune in enumerate(tunes):
        for step, pitch in tune:
            onsets[i, pitch - LOW, step] = True
    loud = None if loudness is None else torch.full((len(tunes), steps), loudness)
    return Notes(onsets, 4, LOW, loudness=loud)


def kit(*beats: Sequence[tuple[int, str]], steps: int = 32) -> Notes:
    """Return windows of drums with hits ``(step, class)``."""
    onsets, names = torch.zeros(len(beats), len(CLASSES), steps, dtype=torch.bool), list(CLASSES)
    for i, beat in enumerate(beats):
        for step, name in beat:
            onsets[i, names.index(name), step] = True
    return Notes(onsets, 4, classes=tuple(CLASSES))


SCALE = [(4 * i, pitch) for i, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]


def of(attribute: Attribute, notes: Notes) -> list[float]:
    found = attribute.of_notes(notes)
    assert found.shape == (len(notes.onsets),)
    return found.tolist()
