"""The most probable path through the states of a hidden Markov model in which all changes of state are alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Path", "best_path"]


class Path(NamedTuple):
    """States ``(N,)``, at which places a state is entered, bool ``(N,)``, the first included, and what it is worth."""

    states: NDArray[np.int64]
    entered: NDArray[np.bool_]
    worth: float


def best_path(fit: NDArray[np.float64], cost: NDArray[np.float64]) -> Path:
    """Return the path with the largest sum of `fit` ``(N, S)``, less a cost for each state that is entered.

    `cost` is ``(N,)``, or ``(N, S)`` where states differ in it. If it is under 0, a state may be entered from itself.
    The algorithm is Viterbi's (1967, "Error bounds for convolutional codes and an asymptotically optimum decoding
    algorithm"), in time ``N * S``.
    """
    best = fit.copy()
    costs = cost.reshape(len(fit), -1)
    changed = np.empty(costs.shape)
    for n in range(1, len(fit)):
        changed[n] = best[n - 1].max() - costs[n]
        best[n] += np.maximum(best[n - 1], changed[n])
    top = best.argmax(1)
    stays = best[:-1] >= changed[1:]
    states, entered = np.empty(len(fit), np.int64), np.zeros(len(fit), bool)
    states[-1] = state = top[-1]
    for n in range(len(fit) - 2, -1, -1):
        entered[n + 1] = not stays[n, state]
        states[n] = state = top[n] if entered[n + 1] else state
    entered[:1] = True
    return Path(states, entered, float(best[-1].max()))
