"""The one exception that users see: a line that says what is wrong and what to do."""

import difflib
from collections.abc import Iterable

__all__ = ["MusicaeError", "OutputError", "did_you_mean"]


class MusicaeError(Exception):
    """Anything the user can fix: bad input, a wrong name, a folder that cannot be written.

    The message is one line. The command line prints it without a traceback and exits with 1.
    """


class OutputError(MusicaeError):
    """A result that cannot be written. With many files to write, the others will fail as well."""


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest of `names`, else a list of them all."""
    names = sorted(names)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; choose from {', '.join(names)}" if names else "; there is none"
