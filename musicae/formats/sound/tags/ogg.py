"""The comments of Ogg Vorbis and Opus, in the second packet of the stream (RFC 3533, RFC 7845; Vorbis I, section 5)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from musicae.formats.sound.tags import comments
from musicae.formats.sound.tags.values import MAX_BYTES, Block, Common, RawFile, Tags, read_exactly, splice

__all__ = ["common", "heads", "read", "write"]

_HEADER = 27  # Bytes of a page's header before its table of segments.
_STARTS = {b"\x03vorbis": 3, b"OpusTags": 2}  # How the comments begin, and how many packets come before the sound.
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_OF_OPUS = b"R128_"  # Gains relative to that in the header of Opus (RFC 7845, section 5.2.1).
_MAX_SEGMENTS = 255


@dataclass
class _Heads:
    """The packets before the sound, of one stream; the first is the page that ends at `first`, all end at `end`."""

    serial: int = 0
    first: int = 0
    end: int = 0
    packets: list[bytes] = field(default_factory=list)
    pages: int = 0


def read(file: RawFile) -> tuple[list[Block], list[str]]:
    """Return the comments of the first stream as a block, named by how it begins, and what is left out."""
    found = _heads(file, 2)
    start = _start(found)
    if found is None or not start:
        return [], (["comments over 64 MB or damaged"] if found is None else [])
    return [Block(start, found.packets[1][len(start) :])], []


def _start(found: _Heads | None) -> bytes:
    if found is None or len(found.packets) < 2:
        return b""
    return next((start for start in _STARTS if found.packets[1].startswith(start)), b"")


def heads(file: RawFile) -> tuple[bytes, int]:
    """Return the first packet, which tells the codec, and where the sound begins; empty and 0 for damaged files."""
    found = _heads(file, 2)
    return (found.packets[0], found.end) if found and len(found.packets) >= 2 else (b"", 0)


def _heads(file: RawFile, count: int) -> _Heads | None:
    """Return the first `count` packets of the first stream; None if they are damaged or too large."""
    found, at, parts, held = _Heads(), 0, list[bytes](), 0
    while len(found.packets) < count:
        file.seek(at)
        header = read_exactly(file, _HEADER)
        if len(header) < _HEADER or header[:4] != b"OggS":
            return None
        table = read_exactly(file, header[26])
        body = read_exactly(file, sum(table))
        (serial,) = struct.unpack_from("<I", header, 14)
        at += _HEADER + len(table) + len(body)
        if not found.pages:
            found.serial = serial
        if serial != found.serial:  # Another stream beside it.
            continue
        found.pages += 1
        held += len(body)
        if held > MAX_BYTES or len(body) < sum(table):
            return None
        place = 0
        for size in table:
            parts.append(body[place : place + size])
            place += size
            if size < _MAX_SEGMENTS:
                found.packets.append(b"".join(parts))
                parts = []
        if found.pages == 1:
            found.first = at
        found.end = at
    return found


def common(blocks: tuple[Block, ...]) -> Common:
    """Return what other formats can hold of blocks."""
    try:
        lines = comments.unpack(blocks[0].data)[1]
        return comments.common_of([line for line in lines if not line.upper().startswith(_OF_OPUS)])
    except (ValueError, IndexError):
        return Common()


def write(file: RawFile, tags: Tags, given: Common) -> list[str]:
    """Put the comments of `tags`, of an Ogg file too, or the `given` fields into a file; return what is left out."""
    lost: list[str] = []
    start = _start(_heads(file, 2))
    found = _heads(file, _STARTS[start]) if start else None
    if found is None or len(found.packets) != _STARTS[start]:
        return ["tags"]
    lines = comments.lines_of(given, pictures=True)
    if tags.form == "ogg":
        try:
            lines = comments.kept(comments.unpack(tags.blocks[0].data)[1])
            if tags.blocks[0].name != start:
                lines = [line for line in lines if not line.upper().startswith(_OF_OPUS)]
        except ValueError:
            return ["comments that are damaged"]
    vendor = comments.unpack(found.packets[1][len(start) :])[0]
    body = start + comments.pack(vendor, lines) + (b"\x01" if start != b"OpusTags" else b"")
    pages = _pages([body, *found.packets[2:]], found.serial)
    moved = splice(file, found.first, found.end, pages)
    _renumber(file, found.end + moved, found.serial, len(pages) + 1)
    return lost


def _pages(packets: list[bytes], serial: int) -> list[bytes]:
    """Return pages that hold packets and nothing else, numbered from 1."""
    table, body = bytearray(), b"".join(packets)
    for packet in packets:
        table += bytes([_MAX_SEGMENTS]) * (len(packet) // _MAX_SEGMENTS) + bytes([len(packet) % _MAX_SEGMENTS])
    pages: list[bytes] = []
    place = continued = 0
    for at in range(0, len(table), _MAX_SEGMENTS):
        segments = bytes(table[at : at + _MAX_SEGMENTS])
        size = sum(segments)
        ends = any(segment < _MAX_SEGMENTS for segment in segments)
        header = struct.pack(
            "<4sBBqIIIB", b"OggS", 0, continued, 0 if ends else -1, serial, len(pages) + 1, 0, len(segments)
        )
        pages.append(_checked(header + segments + body[place : place + size]))
        continued = int(segments[-1] == _MAX_SEGMENTS)
        place += size
    return pages


def _checked(page: bytes) -> bytes:
    """Return a page with its checksum: CRC-32 of 0x04C11DB7, most significant bit first, from 0."""
    bare = page[:22] + bytes(4) + page[26:]
    # zlib's takes bits the other way round, and inverts before and after.
    value = zlib.crc32(bare.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return bare[:22] + struct.pack("<I", int(f"{value:032b}"[::-1], 2)) + bare[26:]


def _renumber(file: RawFile, at: int, serial: int, number: int) -> None:
    """Give the pages of a stream that lie from `at` on the numbers from `number` up."""
    while True:
        file.seek(at)
        header = read_exactly(file, _HEADER)
        if len(header) < _HEADER or header[:4] != b"OggS":
            return
        table = read_exactly(file, header[26])
        body = read_exactly(file, sum(table))
        if struct.unpack_from("<I", header, 14) == (serial,):
            page = _checked(header[:18] + struct.pack("<I", number) + header[22:] + table + body)
            file.seek(at)
            file.write(page)
            number += 1
        at += _HEADER + len(table) + len(body)
