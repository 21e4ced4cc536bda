"""MIDI files as they are found: what players play although it is not quite a standard file becomes one.

See the Standard MIDI Files 1.0 (MIDI Association, RP-001) for the format.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from musicae.errors import MusicaeError
from musicae.memory import check_memory

__all__ = [
    "CHUNK_CONTROL",
    "MidiBytes",
    "encode_names",
    "events_of",
    "is_midi",
    "names_of",
    "parse",
    "track_of",
    "with_names",
]

CHUNK_CONTROL = 119
"""The controller (like the one below it, it has no meaning in MIDI) by which `MidiBytes.dump` marks chunks."""

_NAME, _NOTE = 3, -2  # Kinds of events: the meta event of a track's name, and a note on or off.
_END = b"\xff\x2f\x00"  # The event at the end of a track, without its time.
_MAC_HEADER = 128
_MAX_SEARCH = 4096  # Bytes in which a file in a container begins.
_MAX_TRACKS = 1 << 14  # Scores for orchestras have about a hundred.
_MAX_SPLIT = 12_000  # Channels and programs of all tracks: symusic makes a track of each, of 8 KB.
_MAX_REPAIRED = 2_000_000  # Bytes of all tracks that are read event by event, which is slow.
_COPIES = 16  # How often a name is copied at most, itself and by each channel and program.
_MAX_EVENTS = 1000  # Events of a track among which its name is looked for; a few are usual.
_MEMORY = 120  # Bytes that a byte of a file may take when it is read; about the half is usual. Time grows with it.
_FRAME_RATES = {24: 24.0, 25: 25.0, 29: 30_000 / 1001, 30: 30.0}
_LENGTHS = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}  # Data bytes of a channel's events.
_LONG_NAME = re.compile(rb"\xff\x03([\x81-\xff][\x80-\xff])")  # The event of a track's name of over 16,000 bytes.
_NOTES_ON = [(channel, bytes([0x90 | channel])) for channel in range(16)]
_NOTES_OFF = b"\0".join(bytes([pitch, 0]) for pitch in range(128))


@dataclass
class MidiBytes:
    """A MIDI file in parts: its type, the ticks of a quarter note, and the events of its tracks, each up to the end.

    `ticks_per_second` is over 0 where time is counted in frames (SMPTE): tempos then mean nothing.
    """

    style: int
    ticks_per_quarter: int
    tracks: list[bytes] = field(default_factory=list)
    ticks_per_second: float = 0.0
    remarks: list[str] = field(default_factory=list)

    def dump(self, tracks: Sequence[bytes] | None = None, style: int | None = None, ends: int = 1) -> bytes:
        """Return a standard file of `tracks` (by default all) in which notes have an end.

        A note without one ends a tick after its track does, and as many as `ends` of each pitch. At the end of a track
        each of its channels has a `CHUNK_CONTROL`; its value and that of the controller below it tell the track.
        """
        chosen = self.tracks if tracks is None else tracks
        header = struct.pack(">IHHH", 6, self.style if style is None else style, len(chosen), self.ticks_per_quarter)
        return b"".join([b"MThd", header, *(_closed(events, i, ends) for i, events in enumerate(chosen))])

    def plain(self) -> bytes:
        """Return a standard file with the same events."""
        header = struct.pack(">IHHH", 6, self.style, len(self.tracks), self.ticks_per_quarter)
        chunks = (b"MTrk" + len(events).to_bytes(4, "big") + events for events in self.tracks)
        return b"".join([b"MThd", header, *chunks])


def is_midi(head: bytes) -> bool:
    """Tell whether a file that begins with `head` is a MIDI file: plain, in RIFF (``.rmi``), or after MacBinary."""
    riff = head[:4] == b"RIFF" and head[8:12] == b"RMID"
    mac = head[:1] == b"\0" and head[_MAC_HEADER : _MAC_HEADER + 4] == b"MThd"
    return head[:4] == b"MThd" or riff or mac


def parse(data: bytes, name: str) -> MidiBytes:
    """Return the parts of a file; `remarks` says what was mended. `name` is the file's in messages.

    Raise MusicaeError for a file that is no MIDI file, is cut short, is damaged beyond that, or is too large.
    """
    at = data.find(b"MThd", 0, _MAX_SEARCH) if is_midi(data) else -1
    if at < 0:
        raise MusicaeError(f"{name} is not a MIDI file (it does not start with MThd); export it as .mid first")
    if len(data) < at + 14:
        raise MusicaeError(f"{name} is cut short inside its header; get the file again")
    check_memory(_MEMORY * len(data), name)
    remarks = ["it was read from a container around the MIDI file"] if at else []
    size, style, count, division = struct.unpack(">IHHH", data[at + 4 : at + 14])
    if size != 6:
        remarks.append("its header has an odd length")
    file = MidiBytes(style, division, remarks=remarks)
    if division & 0x8000:
        rate = _FRAME_RATES.get(256 - (division >> 8), 0.0) * (division & 0xFF)
        file.ticks_per_second, file.ticks_per_quarter = rate, round(rate / 2)
        remarks.append("time is counted in frames; bars are those of 120 quarter notes a minute")
    if not 0 < file.ticks_per_quarter < 0x8000:
        raise MusicaeError(f"{name} does not say how long its ticks are; export it again")
    file.tracks = _tracks(data, at + 8 + (size if 6 <= size < 256 else 6), name, remarks)
    _check_count(file.tracks, name)
    if len(file.tracks) != count:
        remarks.append(f"its header counts {count} tracks, there are {len(file.tracks)}")
    file.remarks = [f"the file was mended: {'; '.join(remarks)}"] if remarks else []
    return file


def _tracks(data: bytes, at: int, name: str, remarks: list[str]) -> list[bytes]:
    """Return the events of each track from `at` on, whatever the lengths in the file say."""
    tracks: list[bytes] = []
    foreign = gaps = wrong = 0
    left = _MAX_REPAIRED
    while at + 8 <= len(data) and foreign + gaps + len(tracks) <= 2 * _MAX_TRACKS:
        kind, end = data[at : at + 4], at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        if kind != b"MTrk":
            if _is_chunk(data, at):
                at, foreign = end, foreign + 1
                continue
            at = data.find(b"MTrk", at + 1)
            if at < 0:
                break
            gaps += 1
        elif end <= len(data) and data[end - 3 : end] == _END and _is_chunk(data, end):
            tracks.append(data[at + 8 : end])
            at = end
        else:
            events, at = _until_end(data, at + 8, end, left, name)
            left -= len(events)
            tracks.append(events)
            wrong += at != end
    if not tracks:
        raise MusicaeError(f"{name} is damaged and cannot be read as MIDI: it has no track; get the file again")
    if gaps:
        remarks.append("bytes between its tracks were left out")
    if wrong:
        remarks.append("the length of a track is wrong" if wrong == 1 else f"the lengths of {wrong} tracks are wrong")
    return tracks


def _check_count(tracks: Sequence[bytes], name: str) -> None:
    """Raise MusicaeError for more tracks, or channels and programs in them, than anyone has."""
    if len(tracks) > _MAX_TRACKS:
        raise MusicaeError(f"{name} has more than {_MAX_TRACKS:,} tracks; save those you need in a file of their own")
    if sum(map(len, tracks)) < 4 * _MAX_SPLIT:  # A note takes four bytes at least.
        return
    most = sum(np.count_nonzero(np.frombuffer(events, np.uint8) & 0xF0 == 0xC0) for events in tracks)
    if most + len(_NOTES_ON) * len(tracks) < _MAX_SPLIT // 2 and not any(map(_LONG_NAME.search, tracks)):
        return
    programs = sum(events.count(bytes([status])) for events in tracks for status in range(0xC0, 0xD0))
    if programs > _MAX_SPLIT // 2:  # They may be other numbers, or the same program again.
        programs = sum(len(set(re.findall(rb"[\xc0-\xcf][\0-\x7f]", events))) for events in tracks)
    split = programs + sum(len(_channels(events)) for events in tracks)
    if split > _MAX_SPLIT:
        raise MusicaeError(
            f"{name} has {split:,} tracks with channels and programs of their own, more than {_MAX_SPLIT:,}; "
            "save those you need in a file of their own"
        )
    # symusic copies the name of a track for each channel and program.
    for events in tracks:
        for match in _LONG_NAME.finditer(events):
            length, text = _number(events, match.start(1))
            if text + length <= len(events):
                check_memory(_COPIES * (split + _COPIES) * length, name)


def _is_chunk(data: bytes, at: int) -> bool:
    """Tell whether a chunk of any kind, or the end of the file, may be at `at`."""
    if at + 8 > len(data):
        return True
    return data[at : at + 4].isalnum() and at + 8 + int.from_bytes(data[at + 4 : at + 8], "big") <= len(data)


def _until_end(data: bytes, start: int, declared: int, most: int, name: str) -> tuple[bytes, int]:
    """Return a track's events from `start` to its end, and where that is: by the events, not the `declared` length.

    They are `most` bytes at most.
    """
    at = start
    for kind, _, _, after in _events(data, start, start + most):
        at = after
        if kind == 0x2F:
            return data[start:at], at
        if at == declared and (at == len(data) or data[at : at + 4] == b"MTrk"):
            return data[start:at] + b"\0" + _END, at
    what = "cut short" if declared >= len(data) - 4 else "damaged"
    raise MusicaeError(f"{name} is {what} and cannot be read as MIDI; get the file again")


def _events(data: bytes, at: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Go through the events that begin before `stop`: the type of a meta event (``_NOTE`` for a note, else -1).

    With it come three places: of the event after its time, of its text, and of its end. It stops at what is not an
    event.
    """
    running, size = 0, len(data)
    stop = min(stop, size)
    while at < stop:
        _, at = _number(data, at)
        if at >= size:
            return
        status, head = data[at], at
        if status >= 0xF0:
            meta = status == 0xFF
            if status not in (0xF0, 0xF7, 0xFF) or at + 1 + meta >= size:
                return
            kind = data[at + 1] if meta else -1
            length, text = _number(data, at + 1 + meta)
            at = text + length
            if at > size:
                return
            yield kind, head, text, at
            continue
        if status >= 0x80:
            running, at = status, at + 1
        if not running:
            return
        at += _LENGTHS[running & 0xF0]
        if at > size:
            return
        yield _NOTE if running < 0xA0 else -1, head, at, at


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return the number of variable length at `at`, and where it ends."""
    value = 0
    for byte in data[at : at + 4]:
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value, at


def _variable(value: int) -> bytes:
    """Return a number in variable length."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))


def _channels(events: bytes) -> list[int]:
    """Return the channels of the notes of a track, and perhaps more."""
    return [channel for channel, status in _NOTES_ON if status in events]


def _closed(events: bytes, number: int, ends: int) -> bytes:
    """Return the chunk of a track as `MidiBytes.dump` writes it."""
    channels = _channels(events)
    if channels:
        # The first of the controllers takes the time of the event at the end.
        high, low = number >> 7, number & 127  # `_MAX_TRACKS` fit.
        marks = (bytes([0xB0 | c, CHUNK_CONTROL - 1, high, 0, CHUNK_CONTROL, low]) for c in channels)
        offs = (bytes([0x80 | c]) + b"\0".join([_NOTES_OFF] * ends) for c in channels)
        events = b"".join([events[:-3], b"\0".join(marks), b"\1", b"\0".join(offs), b"\0", _END])
    return b"MTrk" + len(events).to_bytes(4, "big") + events


# --- events ------------------------------------------------------------------------------------------------------


def events_of(track: bytes) -> Iterator[tuple[int, bytes]]:
    """Go through the events of a track, each with its tick and its status byte, to the one at its end."""
    tick = before = 0
    running = b""
    for _, head, _, end in _events(track, 0, len(track)):
        tick += _number(track, before)[0]
        event, before = track[head:end], end
        if event[0] < 0x80:
            event = running + event
        elif event[0] < 0xF0:
            running = event[:1]
        yield tick, event


def track_of(events: Iterable[tuple[int, bytes]]) -> bytes:
    """Return a track of events as `events_of` gives them; their ticks must rise."""
    parts, now = [], 0
    for tick, event in events:
        parts += [_variable(tick - now), event]
        now = tick
    return b"".join(parts)


# --- names of tracks -----------------------------------------------------------------------------------------------


def names_of(file: MidiBytes) -> list[bytes]:
    """Return the names of the tracks as they stand in the file, before the first note of each."""
    return [events[text:end] for events in file.tracks for _, text, end in _names(events)]


def with_names(file: MidiBytes, names: Sequence[str]) -> MidiBytes:
    """Return a file with other names, in UTF-8, in the order of `names_of`."""
    left = iter(names)
    tracks = [_renamed(events, lambda _: next(left).encode()) for events in file.tracks]
    return replace(file, tracks=tracks)


def encode_names(data: bytes, names: Sequence[str], encoding: str) -> bytes:
    """Return a standard file whose track names, now in UTF-8, are in another encoding, where it has all their letters.

    `names` are those to change.
    """
    changes = {}
    for name in set(names):
        with contextlib.suppress(UnicodeEncodeError):
            changes[name.encode()] = name.encode(encoding)
    parts, at = [data[:14]], 14
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        events = _renamed(data[at + 8 : end], lambda old: changes.get(old, old))
        parts += [data[at : at + 4], len(events).to_bytes(4, "big"), events]
        at = end
    return b"".join(parts)


def _names(events: bytes) -> Iterator[tuple[int, int, int]]:
    """Go through the names in a track, before its first note: where the event, its text and its end are."""
    for kind, head, text, end in itertools.islice(_events(events, 0, len(events)), _MAX_EVENTS):
        if kind == _NOTE:
            return
        if kind == _NAME:
            yield head, text, end


def _renamed(events: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return the events of a track with its names changed."""
    parts, done = [], 0
    for head, text, end in _names(events):
        new = change(events[text:end])
        parts += [events[done:head], bytes([0xFF, _NAME]), _variable(len(new)), new]
        done = end
    return b"".join([*parts, events[done:]])
