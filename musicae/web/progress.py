"""How far a long piece of work has got, for whoever waits for it."""

from __future__ import annotations

import time

from musicae.errors import MusicaeError

__all__ = ["Progress"]

_MOST = 0.99  # Of it is shown while it goes on.


class Progress:
    """The progress of work that calls `report` in its thread, while others look at `share`, and may `stop` it.

    `expected` seconds are what all of it may take, for work that reports seldom; 0 where nobody knows.
    """

    def __init__(self) -> None:
        self.expected = 0.0
        self._began = self._at = time.monotonic()
        self._done = self._of = 0.0
        self._stopped = False

    def begin(self, expected: float) -> None:
        """Count the time from now."""
        self.expected, self._began = expected, time.monotonic()
        self._at = self._began

    def report(self, done: float, of: float) -> None:
        """Take note of how much is done, and of how much (0: it is not known). Raise MusicaeError to stop it."""
        if self._stopped:
            raise MusicaeError("nobody waits for this any more; it was stopped")
        self._done, self._of, self._at = done, of, time.monotonic()

    def stop(self) -> None:
        """Let the work end when it next reports."""
        self._stopped = True

    @property
    def seconds(self) -> float:
        """How long all of it takes, as far as one can tell; at least as long as it has taken."""
        passed = time.monotonic() - self._began
        if self._done and self._of:
            return max(passed, (self._at - self._began) / self._done * self._of)
        return max(passed, self.expected)

    @property
    def share(self) -> float:
        """How much is done, 0 to 1; between two reports it goes on as the time does, where that is known."""
        if not self._of:
            return min(_MOST, (time.monotonic() - self._began) / self.expected) if self.expected else 0.0
        ahead = (time.monotonic() - self._at) / self.seconds * self._of if self.expected else 0.0
        return min(_MOST, (self._done + min(ahead, _MOST)) / self._of)
