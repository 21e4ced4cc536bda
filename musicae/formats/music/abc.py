"""Tunes in ABC notation -> scores. The parser is abc2midi, which comes with symusic."""

from __future__ import annotations

import codecs
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from musicae.errors import MusicaeError, line_of
from musicae.formats.temporary import temporary_folder
from musicae.formats.text import decode_texts
from musicae.memory import check_memory

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = ["converted", "first_tune", "from_abc", "is_abc", "load"]

_COPIES = 4  # How many times its size a file takes at most.
_MAX_LENGTH = 1_000_000  # Characters of a tune; the longest of music21's have 9,000.
_SECONDS = 2  # Of computing; an ordinary tune takes some milliseconds.
_TIMEOUT = 4.0  # Seconds in all.
_MEMORY, _FILE = 2**28, 2**23  # Bytes that abc2midi may take, and write.
_LIMITS = f"ulimit -t {_SECONDS}; ulimit -v {_MEMORY >> 10}; ulimit -f {_FILE >> 9}; ulimit -c 0"
_NO_CHORDS = "%%MIDI gchordoff\n"
_AT_ONCE = 64  # Tunes converted by one shell.
_ONCE = 'exec "$0" "$@"'
_LOOP = 'i=$1; while [ $i -lt $2 ]; do "$0" $i.abc -o $i.mid && : > $i.done; i=$((i+1)); done'
_made: ContextVar[dict[str, bytes]] = ContextVar("_made")


def is_abc(head: bytes) -> bool:
    """Tell whether a file that begins with `head` is text with an ABC tune: a line ``X:1``."""
    return b"\0" not in head and re.search(rb"(?m)^(?:\xef\xbb\xbf)?X:\s*\d", head.replace(b"\r", b"\n")) is not None


def load(data: bytes, name: str) -> tuple[ScoreTick, list[str]]:
    """Return the score of the first tune in the bytes of an ABC file, and remarks; `name` is the file's, for messages.

    Raise MusicaeError if there is no tune, or none that can be read.
    """
    tune, remarks = first_tune(data, name)
    try:
        return from_abc(tune), remarks
    except MusicaeError as error:
        raise MusicaeError(line_of(f"{name}: ", error)) from None


def first_tune(data: bytes, name: str) -> tuple[str, list[str]]:
    """Return the first tune in the bytes of an ABC file, and remarks. Raise MusicaeError where there is none."""
    check_memory(_COPIES * len(data), name)
    data = b"\n" + data.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    count = data.count(b"\nX:")
    if not count:
        raise MusicaeError(f"{name} has no ABC tune; a tune starts with a line X:1")
    remarks = [f"the file has {count:,} tunes; the first was taken"] if count > 1 else []
    start = data.find(b"\nX:") + 1
    stop = data.find(b"\nX:", start) if count > 1 else len(data)
    # A letter takes four bytes at most, and a tune that is too long is refused.
    (tune,), _ = decode_texts([data[start : min(stop, start + 4 * _MAX_LENGTH + 4)]])
    return tune.rstrip() + "\n", remarks


@contextmanager
def converted(tunes: Sequence[bytes]) -> Iterator[None]:
    """Convert many ABC tunes at once, for `load` to find them in this block: it starts a program for each otherwise."""
    texts = []
    for data in tunes:
        with suppress(MusicaeError):
            texts.append(_prepared(first_tune(data, "")[0]))
    made: dict[str, bytes] = {}
    if os.name != "nt":
        for i in range(0, len(texts), _AT_ONCE):
            made |= _all_of(texts[i : i + _AT_ONCE])
    token = _made.set(made)
    try:
        yield
    finally:
        _made.reset(token)


def _all_of(texts: Sequence[str]) -> dict[str, bytes]:
    """Return what abc2midi makes of several tunes, except where it fails.

    After a tune with an error, such as a chord that is left open, it is not the same as for a tune alone: from there on
    each gets a process of its own.
    """
    with temporary_folder() as folder, suppress(subprocess.TimeoutExpired):
        numbered = (re.sub("X:.*", f"X:{i}", text, count=1) for i, text in enumerate(texts, start=1))
        (folder / "tune.abc").write_bytes("\n".join(numbered).encode(errors="replace"))
        with (folder / "said").open("wb") as said:
            done = _run(["tune.abc"], cwd=folder, stdin=subprocess.DEVNULL, stdout=said)
        faultless, _, _ = (folder / "said").read_bytes().partition(b"Error")
        count = 0 if done.returncode else faultless.count(b"writing MIDI file")
        made = {text: folder / f"tune{i}.mid" for i, text in enumerate(texts[:count], start=1)}
        for i, text in enumerate(texts[count:], start=count):
            (folder / f"{i}.abc").write_bytes(text.encode(errors="replace"))
        if count < len(texts):
            _run([str(count), str(len(texts))], loop=True, cwd=folder, stdin=subprocess.DEVNULL)
        made |= {texts[i]: folder / f"{i}.mid" for i in range(count, len(texts)) if (folder / f"{i}.done").is_file()}
        return {text: path.read_bytes() for text, path in made.items() if path.is_file()}
    return {}


def from_abc(tune: str, chords: bool = False) -> ScoreTick:
    """Return the score of one ABC tune, its pick-up bar marked by a time signature; with `chords`, they are played.

    abc2midi starts a pick-up at tick 0 and keeps no bar lines, but stresses the first note of each bar: the bars begin
    where most of these stresses are (at the first one if they do not agree).

    Raises
    ------
    MusicaeError : text without a tune, or one that is too long, written out.
    """
    from symusic.core import ScoreTick

    if len(tune) > _MAX_LENGTH:
        raise MusicaeError(f"the ABC tune has {len(tune):,} characters, more than {_MAX_LENGTH:,}; split it up")
    text = _prepared(tune, chords)
    try:
        score = ScoreTick.from_midi(_made.get({}).get(text) or _abc2midi(text))
    except (RuntimeError, ValueError):
        raise MusicaeError(
            "the ABC text has no tune that can be read: it lacks a line X: or K:, or its rests and repeats are endless"
        ) from None
    _mark_pickup(score)
    return score


def _prepared(tune: str, chords: bool = False) -> str:
    """Return a tune as abc2midi gets it."""
    # It would swing a tune whose rhythm (R:) says hornpipe, read other files, and play chord names unasked.
    text = re.sub(r"(?m)^(?:R:|.*abc-include).*\n", "", tune)
    head, _, rest = text.replace("\0", "").partition("\n")
    return f"{head}\n{'' if chords else _NO_CHORDS}{rest}"


def _run(arguments: list[str], loop: bool = False, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run abc2midi within its limits, silently; in a `loop` over ``3.abc`` to ``7.abc`` for 3 and 8."""
    import symusic

    program = Path(symusic.__file__).parent / "bin" / "abc2midi"
    limited = f"{{ {_LIMITS}; }} 2>/dev/null; {_LOOP if loop else _ONCE}"
    first: list[str | Path] = [program.with_suffix(".exe")] if os.name == "nt" else ["/bin/sh", "-c", limited, program]
    chosen: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
    return subprocess.run([*first, *arguments], timeout=_TIMEOUT, check=False, **chosen)


def _abc2midi(text: str) -> bytes:
    """Return what abc2midi makes of a tune: a MIDI file, empty or damaged where it fails.

    ``Z99999999`` (rests) alone would keep it busy for hours: it is stopped soon, may take little memory, and leaves no
    file behind. Raise MusicaeError where it does not end in time.
    """
    given = text.encode(errors="replace")
    try:
        if os.name == "nt":
            with temporary_folder() as folder:
                files = [Path(folder, name) for name in ("tune.abc", "tune.mid")]
                files[0].write_bytes(given)
                _run([str(files[0]), "-o", str(files[1])], stdin=subprocess.DEVNULL)
                return files[1].read_bytes() if files[1].is_file() else b""
        # Neither file has a name: whatever ends the processes, nothing is left.
        with tempfile.TemporaryFile() as output:
            arguments = ["/dev/stdin", "-o", f"/dev/fd/{output.fileno()}"]
            done = _run(arguments, input=given, pass_fds=[output.fileno()])
            output.seek(0)
            return b"" if done.returncode else output.read()
    except subprocess.TimeoutExpired:
        raise MusicaeError(f"the ABC tune takes more than {_TIMEOUT:.0f} seconds to read; correct it") from None


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
