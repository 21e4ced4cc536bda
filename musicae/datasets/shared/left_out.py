"""What a data set leaves out, and why."""

from __future__ import annotations

import logging

from musicae.errors import MusicaeError

__all__ = ["LeftOut"]

_MAX_REASONS = 3  # Named in a line, the most frequent first.


class LeftOut:
    """Counts the files that a data set cannot use; `what` says what they are (``"pictures under photos"``)."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._reasons: dict[str, list[str]] = {}

    def add(self, reason: str, example: str) -> None:
        """Count one file: `reason` goes on after a number (``"silent"``), `example` is its name or what is wrong."""
        self._reasons.setdefault(reason, []).append(example)

    def __len__(self) -> int:
        return sum(map(len, self._reasons.values()))

    def __str__(self) -> str:
        ordered = sorted(self._reasons.items(), key=lambda item: -len(item[1]))
        return ", ".join(f"{len(files)} {reason} ({files[0]})" for reason, files in ordered[:_MAX_REASONS])

    def report(self, used: int, needed: bool = True) -> None:
        """Log what was left out, where `used` files were not; raise MusicaeError if none was and one is `needed`."""
        count = used + len(self)
        if needed and count and not used:
            raise MusicaeError(f"none of the {count} {self.what} can be used: {self}; give others with --data")
        if len(self):
            logging.getLogger("musicae").warning("%d of %d %s were left out: %s", len(self), count, self.what, self)
