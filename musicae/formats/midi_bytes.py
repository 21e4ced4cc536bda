"""MIDI files as they are found: what players play although it is not quite a standard file becomes one.

See the Standard MIDI Files 1.0 (MIDI Association, RP-001) for the format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from musicae.errors import MusicaeError

__all__ = ["CHUNK_CONTROL", "MidiBytes", "encode_names", "is_midi", "names_of", "parse", "with_names"]

CHUNK_CONTROL = 119
"""The controller (like the one below it, it has no meaning in MIDI) by which `MidiBytes.dump` marks chunks."""

_END = b"\xff\x2f\x00"  # The event at the end of a track, without its time.
_MAC_HEADER = 128
_MAX_SEARCH = 4096  # Bytes in which a file in a container begins.
_MAX_BYTES = 64_000_000
_MAX_REPAIRED = 4_000_000  # Bytes of a track that is read event by event, which is slow.
_FRAME_RATES = {24: 24.0, 25: 25.0, 29: 30_000 / 1001, 30: 30.0}
_LENGTHS = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}  # Data bytes of a channel's events.
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


def is_midi(head: bytes) -> bool:
    """Tell whether a file that begins with `head` is a MIDI file: plain, in RIFF (``.rmi``), or after MacBinary."""
    riff = head[:4] == b"RIFF" and head[8:12] == b"RMID"
    mac = head[:1] == b"\0" and head[_MAC_HEADER : _MAC_HEADER + 4] == b"MThd"
    return head[:4] == b"MThd" or riff or mac


def parse(data: bytes, name: str) -> MidiBytes:
    """Return the parts of a file; `remarks` says what was mended. `name` is the file's in messages.

    Raise MusicaeError for a file that is no MIDI file, is cut short, or is damaged beyond that.
    """
    at = data.find(b"MThd", 0, _MAX_SEARCH) if is_midi(data) else -1
    if at < 0:
        raise MusicaeError(f"{name} is not a MIDI file (it does not start with MThd); export it as .mid first")
    if len(data) < at + 14:
        raise MusicaeError(f"{name} is cut short inside its header; get the file again")
    if len(data) > _MAX_BYTES:
        raise MusicaeError(f"{name} has {len(data):,} bytes; a MIDI file of more than {_MAX_BYTES:,} is not read")
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
    if len(file.tracks) != count:
        remarks.append(f"its header counts {count} tracks, there are {len(file.tracks)}")
    file.remarks = [f"the file was mended: {'; '.join(remarks)}"] if remarks else []
    return file


def _tracks(data: bytes, at: int, name: str, remarks: list[str]) -> list[bytes]:
    """Return the events of each track from `at` on, whatever the lengths in the file say."""
    tracks: list[bytes] = []
    while at + 8 <= len(data):
        kind, end = data[at : at + 4], at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        if kind != b"MTrk":
            if _is_chunk(data, at):
                at = end
                continue
            at = data.find(b"MTrk", at + 1)
            if at < 0:
                break
            remarks.append("bytes between its tracks were left out")
            continue
        if end <= len(data) and data[end - 3 : end] == _END and _is_chunk(data, end):
            tracks.append(data[at + 8 : end])
            at = end
            continue
        events, at = _until_end(data, at + 8, end, name)
        tracks.append(events)
        if at != end:
            remarks.append(f"the length of track {len(tracks)} is wrong")
    if not tracks:
        raise MusicaeError(f"{name} is damaged and cannot be read as MIDI: it has no track; get the file again")
    return tracks


def _is_chunk(data: bytes, at: int) -> bool:
    """Tell whether a chunk of any kind, or the end of the file, may be at `at`."""
    if at + 8 > len(data):
        return True
    return data[at : at + 4].isalnum() and at + 8 + int.from_bytes(data[at + 4 : at + 8], "big") <= len(data)


def _until_end(data: bytes, start: int, declared: int, name: str) -> tuple[bytes, int]:
    """Return a track's events from `start` to its end, and where that is: by the events, not the `declared` length."""
    if min(declared, len(data)) - start > _MAX_REPAIRED:
        raise MusicaeError(f"{name} is damaged and cannot be read as MIDI; get the file again")
    at = start
    for kind, _, after in _events(data, start):
        at = after
        if kind == 0x2F:
            return data[start:at], at
        if at == declared and (at == len(data) or data[at : at + 4] == b"MTrk"):
            return data[start:at] + b"\0" + _END, at
    what = "cut short" if declared >= len(data) - 4 else "damaged"
    raise MusicaeError(f"{name} is {what} and cannot be read as MIDI; get the file again")


def _events(data: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Go through the events from `at`: the type of a meta event (else -1), where its text begins, where it ends.

    It stops at what is not an event.
    """
    running, size = 0, len(data)
    while at < size:
        _, at = _number(data, at)
        if at >= size:
            return
        status = data[at]
        if status >= 0xF0:
            meta = status == 0xFF
            if status not in (0xF0, 0xF7, 0xFF) or at + 1 + meta >= size:
                return
            kind = data[at + 1] if meta else -1
            length, text = _number(data, at + 1 + meta)
            at = text + length
            if at > size:
                return
            yield kind, text, at
            continue
        if status >= 0x80:
            running, at = status, at + 1
        if not running:
            return
        at += _LENGTHS[running & 0xF0]
        if at > size:
            return
        yield -1, at, at


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


def _closed(events: bytes, number: int, ends: int) -> bytes:
    """Return the chunk of a track as `MidiBytes.dump` writes it."""
    channels = [channel for channel in range(16) if bytes([0x90 | channel]) in events]
    if channels:
        # The first of the controllers takes the time of the event at the end.
        high, low = number >> 7 & 127, number & 127
        marks = (bytes([0xB0 | c, CHUNK_CONTROL - 1, high, 0, CHUNK_CONTROL, low]) for c in channels)
        offs = (bytes([0x80 | c]) + b"\0".join([_NOTES_OFF] * ends) for c in channels)
        events = b"".join([events[:-3], b"\0".join(marks), b"\1", b"\0".join(offs), b"\0", _END])
    return b"MTrk" + len(events).to_bytes(4, "big") + events


# --- names of tracks -----------------------------------------------------------------------------------------------


def names_of(file: MidiBytes) -> list[bytes]:
    """Return the names of the tracks as they stand in the file."""
    return [events[text:end] for events in file.tracks for kind, text, end in _events(events, 0) if kind == 3]


def with_names(file: MidiBytes, names: Sequence[str]) -> MidiBytes:
    """Return a file with other names, in UTF-8, in the order of `names_of`."""
    left, tracks = iter(names), []
    for events in file.tracks:
        parts, done = [], 0
        for kind, text, end in _events(events, 0):
            if kind == 3:
                new = next(left).encode()
                head = events.rindex(b"\xff\x03", done, text)
                parts += [events[done:head], b"\xff\x03", _variable(len(new)), new]
                done = end
        tracks.append(b"".join([*parts, events[done:]]))
    return MidiBytes(file.style, file.ticks_per_quarter, tracks, file.ticks_per_second, file.remarks)


def encode_names(data: bytes, names: Sequence[str], encoding: str) -> bytes:
    """Return a standard file whose track names, now in UTF-8, are in another encoding, where it has all their letters.

    `names` are those to change.
    """
    changes = {}
    for name in set(names):
        try:
            new = name.encode(encoding)
        except UnicodeEncodeError:
            continue
        old = name.encode()
        changes[b"\xff\x03" + _variable(len(old)) + old] = b"\xff\x03" + _variable(len(new)) + new
    parts, at = [data[:14]], 14
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        events = data[at + 8 : end]
        for before, after in changes.items():
            events = events.replace(before, after, 1)
        parts += [data[at : at + 4], len(events).to_bytes(4, "big"), events]
        at = end
    return b"".join(parts)
