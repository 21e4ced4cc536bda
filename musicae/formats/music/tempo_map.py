"""When the ticks of a score come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = ["check_tempo", "seconds_at"]

_USUAL = 500_000  # Microseconds of a quarter note where a file does not say.
_SLOWEST, _FASTEST = 10.0, 1000.0  # Quarter notes a minute that a person may mean.


def check_tempo(tempo: float) -> None:
    """Raise MusicaeError for a tempo, in quarter notes a minute, that is no music's."""
    if not _SLOWEST <= tempo <= _FASTEST:
        raise MusicaeError(f"--tempo must be {_SLOWEST:g} to {_FASTEST:g} beats a minute, not {tempo:g}")


def seconds_at(score: ScoreTick, tick: float) -> float:
    """Return when a tick of a score comes, in seconds from its start; one before that has a time under 0."""
    events = score.tempos.numpy()
    order = np.argsort(events["time"], kind="stable")
    at = np.append(0, events["time"][order]).astype(np.float64)
    lasts = np.append(_USUAL, events["mspq"][order]) / (1e6 * score.ticks_per_quarter)
    begin = np.append(0.0, np.cumsum(np.diff(at) * lasts[:-1]))
    k = int(np.searchsorted(at, max(tick, 0), side="right")) - 1
    return float(begin[k] + (tick - at[k]) * lasts[k])
