"""The one exception that users see: a line that says what is wrong and what to do."""

import difflib
from collections.abc import Iterable

__all__ = [
    "OTHER_BARS",
    "OTHER_TRACK",
    "WITH_PRESET",
    "Line",
    "MusicaeError",
    "OutputError",
    "did_you_mean",
    "elsewhere",
    "line_of",
]


class Line(str):
    """A line for people that names an option of a command, and what is said instead where there are no options.

    As text it is the former; `elsewhere` is the latter, as the page of ``musicae play`` says it.
    """

    elsewhere: str

    def __new__(cls, text: str, elsewhere: str) -> "Line":
        """Return the line."""
        made = super().__new__(cls, text)
        made.elsewhere = elsewhere
        return made

    def __reduce__(self) -> tuple[type["Line"], tuple[str, str]]:
        return Line, (str(self), self.elsewhere)


def elsewhere(said: object) -> str:
    """Return what a line, or the line of an error, is where there are no options."""
    line = said.args[0] if isinstance(said, MusicaeError) and said.args else said
    return line.elsewhere if isinstance(line, Line) else str(line)


def line_of(*said: object) -> Line:
    """Return one line made of several, and of errors."""
    return Line("".join(map(str, said)), "".join(map(elsewhere, said)))


WITH_PRESET = Line("with --preset (musicae presets lists them)", "in the list at the top")
"""Where a preset is chosen; and what else messages advise in several places."""

OTHER_BARS = Line("choose others with --bars", "choose others")
OTHER_TRACK = Line("choose another with --track", "give another file")


class MusicaeError(Exception):
    """Anything the user can fix: bad input, a wrong name, a folder that cannot be written.

    The message is one line, perhaps a `Line`. The command line prints it without a traceback and exits with 1.
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
