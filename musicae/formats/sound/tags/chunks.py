"""The chunks of WAV and AIFF that hold tags and markers (Microsoft 1994; EBU Tech 3285; Apple 1989)."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass, replace

from musicae.formats.sound.tags import id3
from musicae.formats.sound.tags.values import MAX_BYTES, Block, Common, RawFile, Tags, read_exactly, splice

__all__ = ["common", "own", "read", "write"]

_SOUND = {b"data", b"SSND"}
_MADE_ANEW = {
    *(b"fmt ", b"data", b"fact", b"ds64", b"PEAK", b"JUNK", b"junk", b"FLLR", b"PAD ", b"levl", b"MD5 ", b"slnt"),
    *(b"wavl", b"COMM", b"SSND", b"FVER"),
}
"""Chunks on the samples themselves: the new file has its own."""

_BY_RATE = {b"plst": "the play list", b"iXML": "iXML", b"cart": "the cart chunk", b"regn": "regions"}
_OWN = {b"bext": "the broadcast chunk (bext)", b"cue ": "cue points", b"smpl": "loop points", b"MARK": "markers"}
_NO_LOUDNESS = struct.pack("<5h", *[0x7FFF] * 5)  # EBU Tech 3285, version 2: not measured.
_INFO = {
    **{b"INAM": "TITLE", b"IART": "ARTIST", b"IPRD": "ALBUM", b"ICRD": "DATE", b"IGNR": "GENRE", b"ICMT": "COMMENT"},
    **{b"ITRK": "TRACKNUMBER", b"IPRT": "TRACKNUMBER", b"ICOP": "COPYRIGHT", b"IMUS": "COMPOSER"},
}
_AIFF = {b"NAME": "TITLE", b"AUTH": "ARTIST", b"(c) ": "COPYRIGHT", b"ANNO": "COMMENT"}
_LIMIT, _MAX_CHUNKS = 0xFFFFFFFF, 10_000


@dataclass(frozen=True)
class _Place:
    name: bytes
    start: int  # Of the content, after 8 bytes of name and size.
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size + self.size % 2


def _places(file: RawFile) -> tuple[list[_Place], str]:
    """Return the chunks, and the order of their bytes for `struct`."""
    end = file.seek(0, 2)
    file.seek(0)
    order = ">" if read_exactly(file, 4) in (b"FORM", b"RIFX") else "<"
    places: list[_Place] = []
    at, data_size = 12, None
    while at + 8 <= end and len(places) < _MAX_CHUNKS:
        file.seek(at)
        name, size = struct.unpack(f"{order}4sI", read_exactly(file, 8))
        if name == b"ds64":
            (data_size,) = struct.unpack_from("<Q", read_exactly(file, 16).ljust(16, b"\0"), 8)
        if name == b"data" and size == _LIMIT:
            size = end - at - 8 if data_size is None else data_size
        if at + 8 + size > end:
            if name in _SOUND:
                places.append(_Place(name, at + 8, end - at - 8))
            break
        places.append(_Place(name, at + 8, size))
        at = places[-1].end
    return places, order


def read(file: RawFile) -> tuple[list[Block], list[str]]:
    """Return the chunks but those of the samples, and what is left out."""
    blocks: list[Block] = []
    lost: list[str] = []
    held, early = 0, True
    for place in _places(file)[0]:
        early = early and place.name not in _SOUND
        if place.name in _MADE_ANEW:
            continue
        if not (place.name.isascii() and place.name.decode("ascii").isprintable()):
            lost.append("a chunk with a damaged name")
            continue
        held += place.size
        if held > MAX_BYTES:
            lost.append("chunks over 64 MB")
            break
        file.seek(place.start)
        blocks.append(Block(place.name, read_exactly(file, place.size), early))
    return blocks, lost


def common(blocks: tuple[Block, ...]) -> Common:
    """Return what other formats can hold of chunks."""
    found = Common()
    with suppress(ValueError, struct.error, LookupError):
        found = id3.common(blocks)
    fields = []
    for block in blocks:
        if block.name == b"LIST" and block.data[:4] == b"INFO":
            fields += [(_INFO[name], _text(value)) for name, value in _inside(block.data) if name in _INFO]
        elif block.name in _AIFF:
            fields.append((_AIFF[block.name], _text(block.data)))
        elif block.name == b"bext" and (text := _text(block.data[:256])):
            fields.append(("DESCRIPTION", text))
    return id3.merged(found, Common(tuple(fields)))


def own(blocks: tuple[Block, ...]) -> list[str]:
    """Return the names of what only WAV or AIFF holds."""
    return sorted({_OWN[block.name] for block in blocks if block.name in _OWN})


def _text(data: bytes) -> str:
    data = data.partition(b"\0")[0].strip()
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _inside(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks in a LIST chunk."""
    found: list[tuple[bytes, bytes]] = []
    at = 4
    while at + 8 <= len(data) and len(found) < _MAX_CHUNKS:
        name, size = struct.unpack_from("<4sI", data, at)
        found.append((name, data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def write(file: RawFile, tags: Tags, given: Common, rate: int, form: str) -> list[str]:
    """Put the chunks of `tags`, of a file of that `form` too, or the `given` fields into WAV or AIFF.

    `rate` is that of the file in Hz; places in the sound are moved to it. Return what is left out.
    """
    places, order = _places(file)
    sound = next((place for place in places if place.name in _SOUND), None)
    if sound is None:
        return ["tags"]
    lost: list[str] = []
    if tags.form == form:
        blocks = [made for block in tags.blocks if (made := _at_rate(block, tags.rate, rate, lost))]
    else:
        blocks = _chunks_of(given, form)
        if whole := id3.scan(tags.blocks) or id3.build(given):
            blocks.append(Block(b"id3 " if form == "wav" else b"ID3 ", whole))
    early = [_packed(block, order) for block in blocks if block.early]
    late = [_packed(block, order) for block in blocks if not block.early]
    size = file.seek(0, 2)
    file.seek(0)
    wide = read_exactly(file, 4) == b"RF64"
    new_size = size + size % 2 + sum(map(len, early + late)) - 8
    if new_size > _LIMIT and not wide:
        return ["tags, as the file would be over 4 GB"]
    splice(file, size, size, [bytes(size % 2), *late])
    splice(file, sound.start - 8, sound.start - 8, early)
    # In RF64 the size is in the ds64 chunk, which comes first.
    file.seek(20 if wide else 4)
    file.write(struct.pack("<Q" if wide else f"{order}I", new_size))
    return lost


def _packed(block: Block, order: str) -> bytes:
    return struct.pack(f"{order}4sI", block.name, len(block.data)) + block.data + bytes(len(block.data) % 2)


def _chunks_of(given: Common, form: str) -> list[Block]:
    """Return the plain chunks that old programs read."""
    names: dict[str, bytes] = {}
    for name, field in (_INFO if form == "wav" else _AIFF).items():
        names.setdefault(field, name)
    made: dict[bytes, bytes] = {}
    for field, value in given.fields:
        if field in names and value:
            made.setdefault(names[field], value.encode())
    if form != "wav":
        return [Block(name, value) for name, value in made.items()]
    parts = [_packed(Block(name, value + b"\0"), "<") for name, value in made.items()]
    return [Block(b"LIST", b"INFO" + b"".join(parts))] if parts else []


# --- places in the sound -------------------------------------------------------------------------------------------


def _at_rate(block: Block, old: int, new: int, lost: list[str]) -> Block | None:
    """Return a chunk as it is right for a sound of another rate in Hz; None, and its name to `lost`, if it cannot."""
    data = bytearray(block.data)
    ratio = new / old if old else 1.0
    try:
        if block.data[:3] == b"ID3" and block.name.upper() == b"ID3 ":
            return replace(block, data=id3.clean(block.data))
        if block.name == b"bext":
            if len(data) >= 422 and data[346]:
                data[412:422] = _NO_LOUDNESS
            if ratio != 1:
                _scale(data, "<Q", [338], ratio)
        if ratio == 1:
            return replace(block, data=bytes(data))
        if block.name in _BY_RATE:
            lost.append(f"{_BY_RATE[block.name]}, which counts samples at {old} Hz")
            return None
        if block.name == b"cue ":
            (count,) = struct.unpack_from("<I", data)
            _scale(data, "<I", [at + add for at in _rows(data, 4, 24, count) for add in (4, 20)], ratio)
        elif block.name == b"smpl":
            (count,) = struct.unpack_from("<I", data, 28)
            _scale(data, "<I", [8], 1 / ratio)
            _scale(data, "<I", [at + add for at in _rows(data, 36, 24, count) for add in (8, 12)], ratio)
        elif block.name == b"LIST" and data[:4] == b"adtl":
            at = 4
            while at + 16 <= len(data):
                name, size = struct.unpack_from("<4sI", data, at)
                if name == b"ltxt":
                    _scale(data, "<I", [at + 12], ratio)
                at += 8 + size + size % 2
        elif block.name == b"MARK":
            at = 2
            for _ in range(struct.unpack_from(">H", data)[0]):
                _scale(data, ">I", [at + 2], ratio)
                at += 6 + data[at + 6] + 1 + (data[at + 6] + 1) % 2
    except (struct.error, IndexError, ValueError, OverflowError):
        lost.append(f"a damaged chunk '{block.name.decode('ascii', 'replace').strip()}'")
        return None
    return replace(block, data=bytes(data))


def _rows(data: bytearray, start: int, width: int, count: int) -> range:
    """Return where the rows of a table are, as many as there are."""
    return range(start, min(start + width * count, len(data) - width + 1), width)


def _scale(data: bytearray, form: str, places: list[int], ratio: float) -> None:
    for at in places:
        (value,) = struct.unpack_from(form, data, at)
        struct.pack_into(form, data, at, round(value * ratio))
