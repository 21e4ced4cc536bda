"""How far a command has got, on one line of stderr where that is a terminal; nothing is left of it at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

__all__ = ["clock", "percent", "refreshed", "time_left"]

_CLEAR_LINE = "\r\x1b[K"


def percent(what: str, least: int = 0) -> Callable[[float, float], None]:
    """Return a function that shows how many of `what` are done; nothing where there are `least` of them or fewer."""

    def report(done: float, of: float) -> None:
        if of > least and sys.stderr.isatty():
            click.echo(f"{_CLEAR_LINE}{done} of {of} {what}" if done < of else _CLEAR_LINE, nl=False, err=True)

    return report


@contextmanager
def time_left() -> Iterator[Callable[[float, float], None]]:
    """Give a function that shows how many seconds of a recording are done, and how long the rest will take."""
    started, shown = time.monotonic(), False

    def report(done: float, of: float) -> None:
        nonlocal shown
        passed = time.monotonic() - started
        if not sys.stderr.isatty() or passed < 1:
            return
        left = f" of {clock(of)}, {clock(passed / done * (of - done))} left" if done and done <= of else ""
        click.echo(f"{_CLEAR_LINE}{clock(done)}{left}", nl=False, err=True)
        shown = True

    try:
        yield report
    finally:
        if shown:
            click.echo(_CLEAR_LINE, nl=False, err=True)


@contextmanager
def refreshed() -> Iterator[Callable[[str], None]]:
    """Give a function that shows a text in place of the one before, where stderr is a terminal."""
    shown = False

    def show(text: str) -> None:
        nonlocal shown
        if sys.stderr.isatty():
            click.echo(f"{_CLEAR_LINE}{text}", nl=False, err=True)
            shown = True

    try:
        yield show
    finally:
        if shown:
            click.echo(_CLEAR_LINE, nl=False, err=True)


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds: ``1:05``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
