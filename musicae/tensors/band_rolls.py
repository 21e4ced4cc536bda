"""The piano rolls of a band's parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from musicae.core import Roll
from musicae.tensors import melody_tokens
from musicae.tensors.band import RANGES, groups_of

__all__ = ["harmony_notes", "rolls"]

_SCORE_ORDER = ("melody", "harmony", "bass")


def rolls(
    x: Tensor, drums: Sequence[str], steps_per_beat: int, meters: Sequence[Sequence[int]] = ((0, 4, 4),)
) -> list[Roll]:
    """Return the rolls of a band ``(C, T)`` from the top of a score down: melody, harmony, bass and drums.

    `drums` names the classes of drums, from the lowest lane up; `meters` are as in `Roll`.
    """
    x = x.detach().cpu()
    made: list[tuple[str, list[tuple[int, int, int]], tuple[str, ...], Tensor]] = []
    for part in _SCORE_ORDER:
        channels, velocity = groups_of(part)
        if part == "harmony":
            start, end, row = harmony_notes(x[channels])
        else:
            start, end, row = melody_tokens.notes(melody_tokens.tokens(x[channels]))
        notes = zip(start.tolist(), (end - start).tolist(), (row + RANGES[part][0]).tolist(), strict=True)
        made.append((part, list(notes), (), x[velocity][0, start]))
    channels, velocity = groups_of("drums")
    step, row = (x[channels] > 0.5).T.nonzero(as_tuple=True)
    hits = [(at, 1, lane) for at, lane in zip(step.tolist(), row.tolist(), strict=True)]
    made.append(("drums", hits, tuple(drums), x[velocity][row, step]))
    return [
        Roll(notes, x.shape[-1], steps_per_beat, labels, meters, name, loud.clamp(0, 1).tolist())
        for name, notes, labels, loud in made
    ]


def harmony_notes(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the notes of harmony ``(2 P, T)``: where each begins, where it ends, and its pitch from the lowest one.

    Each is int64 ``(N,)``, in time order. A note goes on while it is held and does not begin anew; what is held
    without having begun is no note.
    """
    held, onset = (x > 0.5).chunk(2)
    step, pitch = onset.T.nonzero(as_tuple=True)
    steps = held.shape[-1]
    # The next step, from each one on, at which a pitch does not go on.
    stops = np.where((held & ~onset).numpy(), steps, np.arange(steps))
    following = np.minimum.accumulate(stops[:, ::-1], axis=1)[:, ::-1]
    following = np.concatenate([following, np.full((len(following), 1), steps)], axis=1)
    return step, step.new_tensor(following[pitch.numpy(), step.numpy() + 1]), pitch
