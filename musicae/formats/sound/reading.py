"""Reading sound files block by block: by soundfile, or by PyAV what that does not know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from musicae.core import File
from musicae.errors import MusicaeError, line_of
from musicae.formats.files import check_input
from musicae.formats.sound.av import has_av, reading_av
from musicae.formats.sound.bit_rates import mp3_kind, ogg_kind
from musicae.formats.sound.heads import AV_ONLY, format_of, raw_format, sound_head
from musicae.formats.sound.kind import Reader
from musicae.formats.sound.mp3 import frames_in
from musicae.formats.sound.ogg import reading_ogg
from musicae.formats.sound.sndfile import NotKnownError, reading_sndfile

__all__ = ["reading"]

_LENGTH_TOLERANCE = 1.02  # How much longer than its header says an MP3 may be before PyAV reads it.


@contextmanager
def reading(file: File) -> Iterator[Reader]:
    """Open a sound file, or the sound of a video, a path or a stream, to read it.

    Its content decides by what it is read, whatever its suffix says. Raise MusicaeError, one line, for what is no
    sound, or has a rate or a number of channels that no sound has.
    """
    check_input(file, "a sound file")
    form = format_of(sound_head(file)) or raw_format(file)
    with ExitStack() as stack:
        yield _opened(file, form, stack)


def _opened(file: File, form: str, stack: ExitStack) -> Reader:
    if form in AV_ONLY:
        return stack.enter_context(reading_av(file, form))
    try:
        if form == "ogg":
            reader = stack.enter_context(reading_ogg(file))
            reader.kind = ogg_kind(reader.kind, file, reader.length)
            return reader
        reader = stack.enter_context(reading_sndfile(file))
    except NotKnownError as error:
        return _second_try(file, form, error, stack)
    if reader.kind.format != "MP3":
        return reader
    frames = frames_in(file)
    if frames.samples > _LENGTH_TOLERANCE * (reader.length or 0) + reader.kind.rate:
        # Its header has no length, or a wrong one, and libsndfile stops there.
        longer = stack.enter_context(reading_av(file, "mp3", "is longer than its header says, and"))
        longer.kind = replace(longer.kind, format="MP3", subtype=reader.kind.subtype)
        reader = longer
    reader.kind = mp3_kind(reader.kind, frames)
    return reader


def _second_try(file: File, form: str, error: MusicaeError, stack: ExitStack) -> Reader:
    """Open what libsndfile refuses with `error` by PyAV: of the formats that both know it decodes more kinds."""
    if not form:
        raise error
    if not has_av():
        raise MusicaeError(line_of(error, "; PyAV may know it (pip install 'musicae[av]')"))
    try:
        return stack.enter_context(reading_av(file, form))
    except MusicaeError:
        raise error from None
