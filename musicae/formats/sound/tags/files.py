"""The tags of a sound file of any format: read from one file, written into another."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO

from musicae.core import File
from musicae.formats.sound.heads import format_of, sound_head
from musicae.formats.sound.tags import caf, chunks, flac, id3, ogg
from musicae.formats.sound.tags.values import MAX_BYTES, Block, Common, RawFile, Tags

__all__ = ["read_tags", "write_tags"]

_FORMS = {
    "WAV": "wav",
    "WAVEX": "wav",
    "RF64": "wav",
    "FLAC": "flac",
    "OGG": "ogg",
    "MP3": "mp3",
    "AIFF": "aiff",
    "CAF": "caf",
}
_BY_TINYTAG = {"mov": "x.m4a", "asf": "x.wma"}
_OF_THE_FILE = ("DURATION", "BPS", "NUMBER_OF_", "_STATISTICS", "MAJOR_BRAND", "MINOR_VERSION", "COMPATIBLE_BRANDS")
_UNREADABLE = (ValueError, struct.error, LookupError, OverflowError, MemoryError)


def read_tags(file: File) -> Tags:
    """Return the tags of a sound file, a path or a stream that can seek, which is rewound.

    What cannot be read is left out and said in the remarks; no error is raised.
    """
    try:
        form = format_of(sound_head(file))
        if isinstance(file, Path):
            with file.open("rb") as opened:
                return _read(opened, form, file)
        made = _read(file, form, file)
        file.seek(0)
        return made
    except (*_UNREADABLE, OSError):
        return Tags(remarks=("its tags are damaged and were left out",))


def _read(opened: BinaryIO, form: str, file: File) -> Tags:
    blocks: list[Block] = []
    lost: list[str] = []
    if form in ("wav", "aiff"):
        blocks, lost = chunks.read(opened)
    elif form == "flac":
        start = id3.head_end(opened)
        blocks, lost = flac.read(opened, start)
        lost += ["an ID3 tag before FLAC"] if start else []
    elif form == "ogg":
        blocks, lost = ogg.read(opened)
    elif form == "mp3":
        blocks, lost = id3.read(opened)
    elif form == "caf":
        blocks, lost = caf.read(opened)
    elif form in _BY_TINYTAG:
        return Tags(common=id3.tiny(opened, _BY_TINYTAG[form]))
    else:
        return Tags(common=_by_av(file, form))
    remarks = tuple(f"left out of its tags: {name}" for name in lost)
    return Tags(form, tuple(blocks), remarks=remarks) if blocks or remarks else Tags()


def _by_av(file: File, form: str) -> Common | None:
    """Return the fields that PyAV finds; None if there are none, or it is not installed."""
    from musicae.formats.sound.av import has_av

    if not form or not has_av():
        return None
    import av

    place: Any = f"file:{file}" if isinstance(file, Path) else file
    try:
        with av.open(place, format=form, options={"protocol_whitelist": "file"}, metadata_errors="replace") as opened:
            pairs = [pair for one in (*opened.streams.audio, opened) for pair in one.metadata.items()]
            fields = {name: value for name, value in pairs if not name.upper().startswith(_OF_THE_FILE)}
    except (av.error.FFmpegError, ValueError):
        return None
    return id3.renamed(fields) if fields else None


def write_tags(file: RawFile, tags: Tags, form: str, rate: int) -> list[str]:
    """Put tags into a sound file that has just been written, open to be read and changed; return remarks.

    `form` is its format as soundfile names it, `rate` that of its sound in Hz. What the format cannot hold is left out.
    """
    remarks = list(tags.remarks)
    own = _FORMS.get(form, "")
    lost: list[str] = []
    given = Common()
    try:
        given = given if own and own == tags.form else _common(tags)
    except _UNREADABLE:
        lost.append("tags that are damaged")
    if tags.blocks or given.fields or given.pictures:
        try:
            lost += _write(file, tags, given, form, rate)
        except _UNREADABLE:
            lost.append("tags that are damaged")
    if own != tags.form:
        lost += [*chunks.own(tags.blocks)] if tags.form in ("wav", "aiff") else []
        lost += [*flac.own(tags.blocks)] if tags.form == "flac" else []
    if lost:
        remarks.append(f"left out of the tags: {', '.join(dict.fromkeys(lost))}")
    return remarks


def _common(tags: Tags) -> Common:
    """Return what a file of another format can hold; the pictures together below the limit."""
    if tags.common is not None:
        return tags.common
    made = {
        "wav": chunks.common,
        "aiff": chunks.common,
        "flac": flac.common,
        "ogg": ogg.common,
        "mp3": id3.common,
        "caf": caf.common,
    }
    found = made[tags.form](tags.blocks) if tags.form in made else Common()
    if sum(len(picture.data) for picture in found.pictures) > MAX_BYTES:
        return Common(found.fields)
    return found


def _write(file: RawFile, tags: Tags, given: Common, name: str, rate: int) -> list[str]:
    form = _FORMS.get(name, "")
    if form in ("wav", "aiff"):
        return chunks.write(file, tags, given, rate, form)
    if form == "flac":
        return flac.write(file, tags, given, rate)
    if form == "ogg":
        return ogg.write(file, tags, given)
    if form == "mp3":
        return id3.write(file, tags, given)
    if form == "caf":
        return caf.write(file, tags, given)
    return [f"tags and covers, which {name} does not hold"]
