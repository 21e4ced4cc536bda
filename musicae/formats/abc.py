"""Tunes in ABC notation -> scores. The parser is abc2midi, which comes with symusic."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = ["from_abc", "is_abc", "load", "split_abc"]


def is_abc(head: bytes) -> bool:
    """Tell whether a file that begins with `head` is text with an ABC tune: a line ``X:1``."""
    return b"\0" not in head and re.search(rb"(?m)^X:\s*\d", head.replace(b"\r", b"\n")) is not None


def load(data: bytes, name: str) -> tuple[ScoreTick, list[str]]:
    """Return the score of the first tune in the bytes of an ABC file, and remarks; `name` is the file's, for messages.

    Raise MusicaeError if there is no tune, or none that can be read.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    tunes = split_abc(text.replace("\r\n", "\n"))
    if not tunes:
        raise MusicaeError(f"{name} has no ABC tune; a tune starts with a line X:1")
    remarks = [f"the file has {len(tunes)} tunes; the first was taken"] if len(tunes) > 1 else []
    try:
        return from_abc(tunes[0]), remarks
    except MusicaeError as error:
        raise MusicaeError(f"{name}: {error}") from None


def split_abc(text: str) -> list[str]:
    """Return the tunes of an ABC file, each from its ``X:`` line on."""
    return [tune.rstrip() + "\n" for tune in re.split(r"(?m)^(?=X:)", text) if tune.startswith("X:")]


def from_abc(tune: str) -> ScoreTick:
    """Return the score of one ABC tune, its pick-up bar marked by a time signature.

    symusic runs abc2midi, which starts a pick-up at tick 0 and keeps no bar lines, but stresses the first note of
    each bar: the bars begin where most of these stresses are (at the first one if they do not agree).

    Raises
    ------
    MusicaeError : text without a tune.
    """
    from symusic.core import ScoreTick

    # abc2midi would swing a tune whose rhythm (R:) says hornpipe.
    head, _, rest = re.sub(r"(?m)^R:.*\n", "", tune).partition("\n")
    try:
        with _REDIRECTION, _quiet():
            # abc2midi would play chord names, which are for an accompanist.
            score = ScoreTick.from_abc(f"{head}\n%%MIDI gchordoff\n{rest}")
    except (RuntimeError, ValueError):
        raise MusicaeError("the ABC text has no tune that can be read; it needs at least X: and K: lines") from None
    _mark_pickup(score)
    return score


def _mark_pickup(score: ScoreTick) -> None:
    from symusic.core import TimeSignatureTick

    if len(score.time_signatures) != 1 or not len(score.tracks):
        return
    meter = score.time_signatures[0]
    notes = score.tracks[0].notes.numpy()
    bar = score.ticks_per_quarter * 4 * meter.numerator // max(1, meter.denominator)
    stressed = (notes["time"] - 1)[notes["velocity"] == 105]  # abc2midi: first beat 105, and all notes a tick late
    if bar < 1 or len(stressed) < 3:
        return
    phases, counts = np.unique(stressed[1:] % bar, return_counts=True)
    clear = counts.max() > 0.6 * counts.sum()
    phase = int(phases[counts.argmax()] if clear else stressed[1])
    if 0 < phase < bar:
        score.time_signatures.append(TimeSignatureTick(phase, meter.numerator, meter.denominator))


_REDIRECTION = threading.Lock()  # The two streams belong to the process: one thread at a time redirects them.


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Discard what a child process or a C library writes to stdout and stderr."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [(stream, os.dup(stream)) for stream in (1, 2)]
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream, _ in saved:
            os.dup2(null, stream)
        yield
    finally:
        for stream, copy in saved:
            os.dup2(copy, stream)
            os.close(copy)
        os.close(null)
