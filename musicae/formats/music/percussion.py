"""The nine drum classes, and the notes of General MIDI percussion that belong to each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLASSES", "CLASS_OF", "share_in_kit"]

CLASSES: dict[str, tuple[int, ...]] = {
    "kick": (36, 35),
    "snare": (38, 37, 39, 40, 31, 32, 33),
    "closed hi-hat": (42, 22, 44, 54, 68, 69, 70, 71, 73, 75, 78, 80, 82),
    "open hi-hat": (46, 26, 67, 72, 74, 79, 81),
    "low tom": (43, 41, 58, 61, 64, 84, 86, 87),
    "mid tom": (47, 45, 60, 63, 66, 77),
    "high tom": (50, 48, 62, 65, 76),
    "crash": (49, 52, 55, 57, 27, 28, 29, 30),
    "ride": (51, 53, 56, 59, 34, 83, 85),
}
"""The channels, in order, and the notes of each; the first note is the one that is written.

The nine classes, the notes of the drum kit and those of the Roland TD-11 (22 and 26: the hi-hat's edge, 58 and
43: the floor tom's rim and head, 37 and 40: the snare's sticks and rim) are those of the Groove MIDI Dataset. The rest
of General MIDI percussion (35..81) and of level 2 (27..34, 82..87) is sorted by pitch, length and use: low and dry
sounds to the toms, shakers and scrapes to the closed hi-hat, bells and clicks to the ride, long noises to the crash.
"""

CLASS_OF = np.full(128, -1, np.int64)
"""The class of each MIDI note ``(128,)``; -1 for one that is not percussion."""

for _index, _notes in enumerate(CLASSES.values()):
    CLASS_OF[list(_notes)] = _index

_KIT = (35, 59)


def share_in_kit(pitch: NDArray[np.int64]) -> float:
    """Return the share of MIDI notes ``(N,)`` that are those of General MIDI's drum kit, 35 to 59."""
    return float(((pitch >= _KIT[0]) & (pitch <= _KIT[1])).mean())
