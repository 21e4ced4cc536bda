"""The one place where text for people is printed: what files say in it can neither steer a terminal nor flood it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

__all__ = ["printable", "say", "show", "show_path"]

_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, those that turn the direction of text, and halves of characters."""

_LONGEST, _END = 1500, 400  # Characters of a line, and those at its end that stay when it is cut: what to do.


def printable(text: str) -> str:
    r"""Return a text on one line, with escapes (``\x1b``) for all that is more than a character."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def say(text: str) -> None:
    """Print a line for people on stderr."""
    click.echo(_cut(printable(text)), err=True)


def show(text: object) -> None:
    """Print a line for people on stdout."""
    click.echo(printable(str(text)))


def show_path(path: Path, before: str = "", error: bool = False) -> None:
    """Print a path, after some text, on stdout: exact for a program, as `show` on a terminal. `error`: on stderr."""
    text = f"{before}{path}"
    if error or sys.stdout is None or sys.stdout.isatty():
        text = printable(text)
    click.echo(text, err=error, color=True)  # For a program, click would leave out some of a name.


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - _END]} ... {text[-_END:]}"
