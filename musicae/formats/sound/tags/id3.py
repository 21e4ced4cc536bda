"""ID3v2 tags, and what follows the sound of an MP3 file: APEv2, Lyrics3 and ID3v1 (id3.org; wiki.hydrogenaud.io)."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from musicae.formats.sound.tags.comments import stale
from musicae.formats.sound.tags.values import MAX_BYTES, Block, Common, Picture, RawFile, Tags, read_exactly, splice

__all__ = ["build", "clean", "common", "head_end", "merged", "read", "renamed", "scan", "tiny", "write"]

_HEADER, _V1, _APE = 10, 128, 32
_UNSYNC, _EXTENDED = 0x80, 0x40
_STALE = {b"TSSE", b"TLEN", b"TSIZ", b"MLLT", b"ASPI", b"SEEK", b"TSS", b"TLE", b"TSI", b"MLL"}
_MAX_FRAMES, _MAX_TAGS = 20_000, 8
_FRAMES = {
    **{"TITLE": "TIT2", "ARTIST": "TPE1", "ALBUM": "TALB", "ALBUMARTIST": "TPE2", "DATE": "TDRC", "GENRE": "TCON"},
    **{"COMPOSER": "TCOM", "COPYRIGHT": "TCOP", "ISRC": "TSRC", "ORGANIZATION": "TPUB", "BPM": "TBPM"},
    **{"CONDUCTOR": "TPE3", "LYRICIST": "TEXT", "LANGUAGE": "TLAN"},
    **{"ENCODEDBY": "TENC", "ENCODED-BY": "TENC"},
}
_NUMBERS = {"TRACKNUMBER": ("TRCK", ("TRACKTOTAL", "TOTALTRACKS")), "DISCNUMBER": ("TPOS", ("DISCTOTAL", "TOTALDISCS"))}
_TEXTS = {"COMMENT": "COMM", "DESCRIPTION": "COMM", "LYRICS": "USLT", "UNSYNCEDLYRICS": "USLT"}
_NAMES = {  # Of tinytag and of APE items; others keep their name.
    **{"ALBUM ARTIST": "ALBUMARTIST", "ALBUM_ARTIST": "ALBUMARTIST", "TRACK": "TRACKNUMBER", "DISC": "DISCNUMBER"},
    **{"TRACK_TOTAL": "TRACKTOTAL", "DISC_TOTAL": "DISCTOTAL", "YEAR": "DATE", "PUBLISHER": "ORGANIZATION"},
}
_PICTURES = {"front_cover": 3, "back_cover": 4, "leaflet": 5, "media": 6, "icon": 1, "artist": 8, "band": 10}
_TINY_NUMBERS = {"track", "track_total", "disc", "disc_total"}
_TINY_FACTS = {"filename", "filesize", "mime_type", "duration", "channels", "bitrate", "bitdepth", "samplerate",
               "is_lossless"}  # fmt: skip


# --- in a file -----------------------------------------------------------------------------------------------------


def head_end(file: RawFile) -> int:
    """Return where the ID3v2 tags at the start of a file end."""
    at = 0
    for _ in range(_MAX_TAGS):
        file.seek(at)
        header = read_exactly(file, _HEADER)
        if len(header) < _HEADER or header[:3] != b"ID3":
            break
        at += _HEADER + _synchsafe(header[6:]) + (_HEADER if header[5] & 0x10 else 0)
    return at


def read(file: RawFile) -> tuple[list[Block], list[str]]:
    """Return the tags before and after the sound of an MP3 file, and what is left out."""
    end, at = file.seek(0, 2), 0
    blocks: list[Block] = []
    for _ in range(_MAX_TAGS):
        file.seek(at)
        header = read_exactly(file, _HEADER)
        if len(header) < _HEADER or header[:3] != b"ID3":
            break
        size = _HEADER + _synchsafe(header[6:])
        if at + size > end or at + size > MAX_BYTES:
            return [], ["tags over 64 MB or longer than the file"]
        blocks.append(Block(b"ID3", header + read_exactly(file, size - _HEADER), True))
        at += size + (_HEADER if header[5] & 0x10 else 0)
    tail: list[Block] = []
    while len(tail) < _MAX_TAGS and (block := _last(file, at, end, not tail)):
        end -= len(block.data)
        tail.insert(0, block)
    return blocks + tail, []


def _last(file: RawFile, start: int, end: int, very_last: bool) -> Block | None:
    """Return the tag that ends at `end`; None if there is none."""

    def piece(size: int) -> bytes:
        if end - size < start:
            return b""
        file.seek(end - size)
        return read_exactly(file, size)

    if very_last and piece(_V1)[:3] == b"TAG":
        return Block(b"ID3v1", piece(_V1))
    foot = piece(_APE)
    if foot[:8] == b"APETAGEX":
        size, _, flags = struct.unpack_from("<III", foot, 12)
        size += _APE if flags >> 31 else 0
        return Block(b"APE", piece(size)) if _APE <= size <= MAX_BYTES and piece(size) else None
    foot = piece(15)
    if foot[6:] == b"LYRICS200" and foot[:6].isdigit():
        size = int(foot[:6]) + 15
        return Block(b"Lyrics3", piece(size)) if piece(size)[:11] == b"LYRICSBEGIN" else None
    return None


def write(file: RawFile, tags: Tags, given: Common) -> list[str]:
    """Put `tags`, of an MP3 file too, or what `given` says into an MP3 file; return what is left out."""
    lost: list[str] = []
    head, tail = [], []
    if tags.form == "mp3":
        for block in tags.blocks:
            try:
                if block.name == b"ID3":
                    head.append(clean(block.data))
                else:
                    tail.append(_clean_ape(block.data) if block.name == b"APE" else block.data)
            except (ValueError, struct.error):
                lost.append("tags that are damaged")
    else:
        head.append(scan(tags.blocks) or build(given))
    file.seek(0, 2)
    file.write(b"".join(tail))
    splice(file, 0, 0, head)
    return lost


def scan(blocks: tuple[Block, ...]) -> bytes:
    """Return the ID3v2 tag among the blocks of any file, cleaned; nothing if there is none."""
    for block in blocks:
        if block.name.upper().startswith(b"ID3") and block.data[:3] == b"ID3":
            try:
                return clean(block.data)
            except ValueError:
                continue
    return b""


# --- ID3v2 as bytes ------------------------------------------------------------------------------------------------


def _synchsafe(data: bytes) -> int:
    return sum((byte & 127) << shift for byte, shift in zip(data, (21, 14, 7, 0), strict=True))


def _pack_synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 127 for shift in (21, 14, 7, 0))


def clean(data: bytes) -> bytes:
    """Return an ID3v2 tag with all frames but those on the encoder, the length and the places of the old sound.

    Raise ValueError if none of it can be read.
    """
    version, flags = data[3], data[5]
    body = data[_HEADER : _HEADER + _synchsafe(data[6:_HEADER])]
    if version not in (2, 3, 4) or (version == 2 and flags & _EXTENDED):
        raise ValueError("an unknown version of ID3")
    if flags & _UNSYNC and version < 4:
        body, flags = body.replace(b"\xff\x00", b"\xff"), flags & ~_UNSYNC
    if flags & _EXTENDED and len(body) >= 4:
        skipped = _synchsafe(body[:4]) if version == 4 else int.from_bytes(body[:4], "big") + 4
        body = body[skipped:]
    sizes: list[Callable[[bytes], int]] = [lambda size: int.from_bytes(size, "big")]
    if version == 4:
        sizes.insert(0, _synchsafe)  # Some programs write them plain.
    walks = [_walk(body, 3 if version == 2 else 4, size) for size in sizes]
    frames = max(walks, key=lambda frames: sum(map(len, frames)))
    if not frames and body.strip(b"\0"):
        raise ValueError("damaged ID3")
    out = b"".join(frame for frame in frames if not _is_stale(frame, version))
    return b"ID3" + bytes([version, 0, flags & _UNSYNC]) + _pack_synchsafe(len(out)) + out if out else b""


def _walk(body: bytes, width: int, size_of: Callable[[bytes], int]) -> list[bytes]:
    """Return the frames, headers included, up to the first that is damaged; `width` is the length of a name."""
    frames: list[bytes] = []
    at, head = 0, 6 if width == 3 else _HEADER
    while at + head <= len(body) and len(frames) < _MAX_FRAMES:
        name = body[at : at + width]
        size = size_of(body[at + width : at + 2 * width])
        if not (name.isalnum() and name == name.upper()) or at + head + size > len(body):
            break
        frames.append(body[at : at + head + size])
        at += head + size
    return frames


def _is_stale(frame: bytes, version: int) -> bool:
    width, head = (3, 6) if version == 2 else (4, _HEADER)
    name, content = frame[:width], frame[head:]
    if name in (b"TXXX", b"TXX", b"COMM", b"COM"):
        text = content[1:] if name.startswith(b"T") else content[4:]
        if content[:1] in (b"\1", b"\2"):
            return _wide_stale(text)
        return stale(text.partition(b"\0")[0][:80].decode("latin-1"))
    return name in _STALE


def _wide_stale(text: bytes) -> bool:
    """Tell whether a text in UTF-16 begins with a description that says how the file was encoded."""
    end = next((at for at in range(0, min(len(text), 160), 2) if text[at : at + 2] == b"\0\0"), 160)
    order = "utf-16-be" if text[:2] == b"\xfe\xff" else "utf-16-le"
    return stale(text[:end].decode(order, "replace").lstrip("\ufeff"))


def build(given: Common) -> bytes:
    """Return an ID3v2.4 tag in UTF-8; nothing for no fields."""
    frames: list[bytes] = []
    texts: dict[str, list[str]] = {}
    values: dict[str, list[str]] = {}
    for name, value in given.fields:
        if not stale(name):
            values.setdefault(name.upper(), []).append(value)
    for name, (frame, totals) in _NUMBERS.items():
        number = values.pop(name, [""])[0]
        total = next((values.pop(key)[0] for key in totals if key in values), "")
        if number or total:
            texts[frame] = [f"{number}/{total}" if total and "/" not in number else number]
    for name, several in values.items():
        if name in _FRAMES:
            texts.setdefault(_FRAMES[name], []).extend(several)
        elif name in _TEXTS:
            frames += [_frame(_TEXTS[name], b"\3XXX\0" + value.encode()) for value in several]
        else:
            frames.append(_frame("TXXX", b"\3" + name.encode() + b"\0" + "\0".join(several).encode()))
    frames = [_frame(frame, b"\3" + "\0".join(several).encode()) for frame, several in texts.items()] + frames
    for picture in given.pictures:
        head = picture.mime.encode("ascii", "replace") + b"\0" + bytes([picture.kind]) + picture.text.encode()
        frames.append(_frame("APIC", b"\3" + head + b"\0" + picture.data))
    body = b"".join(frames)
    return b"ID3\4\0\0" + _pack_synchsafe(len(body)) + body if body else b""


def _frame(name: str, content: bytes) -> bytes:
    return name.encode() + _pack_synchsafe(len(content)) + b"\0\0" + content


# --- APE -----------------------------------------------------------------------------------------------------------


def _ape_items(data: bytes) -> list[tuple[str, int, bytes]]:
    """Return the name, the flags and the value of each item."""
    at = _APE if data[:8] == b"APETAGEX" and len(data) > _APE else 0
    items: list[tuple[str, int, bytes]] = []
    while at + 9 < len(data) - _APE and len(items) < _MAX_FRAMES:
        size, flags = struct.unpack_from("<II", data, at)
        end = data.find(b"\0", at + 8, at + 264)
        if end < 0 or end + 1 + size > len(data) - _APE:
            raise ValueError("damaged APE")
        items.append((data[at + 8 : end].decode("latin-1"), flags, data[end + 1 : end + 1 + size]))
        at = end + 1 + size
    return items


def _clean_ape(data: bytes) -> bytes:
    """Return an APE tag without what it says of the old encoding. Raise ValueError if it is damaged."""
    items = [
        struct.pack("<II", len(value), flags) + name.encode("latin-1") + b"\0" + value
        for name, flags, value in _ape_items(data)
        if not stale(name)
    ]
    body = b"".join(items)

    def frame(flags: int) -> bytes:
        return struct.pack("<8sIIII8s", b"APETAGEX", 2000, len(body) + _APE, len(items), flags, bytes(8))

    return frame(0xA0000000) + body + frame(0x80000000) if items else b""


# --- what other formats can hold -----------------------------------------------------------------------------------


def common(blocks: tuple[Block, ...]) -> Common:
    """Return what other formats can hold of the tags of an MP3 file, or of an ID3 tag in another."""
    found = Common()
    for block in blocks:
        if block.data[:3] == b"ID3":
            found = merged(found, tiny(io.BytesIO(block.data), "x.mp3"))
        elif block.name == b"ID3v1":
            found = merged(found, tiny(io.BytesIO(bytes(_V1) + block.data), "x.mp3"))
        elif block.name == b"APE":
            found = merged(found, _ape_common(block.data))
    return found


def merged(first: Common, second: Common) -> Common:
    """Return all of the first, and what only the second has."""
    have = {name for name, _ in first.fields}
    more = tuple((name, value) for name, value in second.fields if name not in have)
    return Common(first.fields + more, first.pictures or second.pictures)


def _ape_common(data: bytes) -> Common:
    fields, pictures = [], []
    try:
        for name, flags, value in _ape_items(data):
            if flags >> 1 & 3 == 0:
                fields += [(_comment_name(name), text) for text in value.decode("utf-8", "replace").split("\0")]
            elif name.lower().startswith("cover art"):
                pictures.append(Picture(value.partition(b"\0")[2], "", 3 if "front" in name.lower() else 4))
    except (ValueError, struct.error):
        pass
    return Common(tuple(fields), tuple(pictures))


def renamed(fields: Mapping[str, str]) -> Common:
    """Return fields with the names that Vorbis comments have for them."""
    return Common(tuple((_comment_name(name), value) for name, value in fields.items()))


def _comment_name(name: str) -> str:
    """Return the name that a field has in Vorbis comments."""
    name = name.upper()
    if name.startswith("MUSICBRAINZ "):  # "MusicBrainz Album Id" is MUSICBRAINZ_ALBUMID there.
        return f"MUSICBRAINZ_{name[12:].replace(' ', '')}"
    return _NAMES.get(name, name)


def tiny(file: BinaryIO, name: str) -> Common:
    """Return what tinytag reads of a file; `name` has the suffix of its format. Raise ValueError if it cannot."""
    from tinytag import TinyTag
    from tinytag.tinytag import TinyTagException

    try:
        found = TinyTag.get(Path(name), file_obj=file, duration=False, image=True, check_magic_bytes=False)
    except (TinyTagException, ArithmeticError, LookupError, MemoryError, RecursionError, TypeError) as error:
        raise ValueError(str(error)) from None
    fields = []
    for key, values in found.as_dict().items():
        # In MP4 it is the encoder, elsewhere a person.
        if key in _TINY_FACTS or (key == "encoded_by" and not name.endswith(".mp3")):
            continue
        texts = [str(value) for value in (values if isinstance(values, list) else [values])]
        fields += [(_comment_name(key), text) for text in texts if not (key in _TINY_NUMBERS and text == "0")]
    pictures = [
        _picture(key, image) for key, images in found.images.as_dict().items() for image in images if image.data
    ]
    if sum(len(picture.data) for picture in pictures) > MAX_BYTES:
        pictures = []
    return Common(tuple(fields), tuple(pictures))


def _picture(key: str, image: Any) -> Picture:
    return Picture(bytes(image.data), image.mime_type or "", _PICTURES.get(key, 0), image.description or "")
