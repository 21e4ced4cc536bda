"""The information chunk of CAF files (Apple 2011, Core Audio Format Specification)."""

from __future__ import annotations

import struct

from musicae.formats.sound.tags.comments import stale
from musicae.formats.sound.tags.values import MAX_BYTES, Block, Common, RawFile, Tags, read_exactly

__all__ = ["common", "read", "write"]

_NAMES = {"YEAR": "DATE", "RECORDED DATE": "DATE", "TRACK NUMBER": "TRACKNUMBER", "COMMENTS": "COMMENT"}
_KEYS = {"DATE": "year", "TRACKNUMBER": "track number", "COMMENT": "comments"}
_MAX_CHUNKS = 10_000


def read(file: RawFile) -> tuple[list[Block], list[str]]:
    """Return the information chunk, and what is left out."""
    end, at = file.seek(0, 2), 8
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        header = read_exactly(file, 12)
        if len(header) < 12:
            break
        name, size = struct.unpack(">4sq", header)
        if size < 0 or at + 12 + size > end:  # The sound may last to the end.
            break
        if name == b"info":
            return ([Block(name, read_exactly(file, size))], []) if size <= MAX_BYTES else ([], ["over 64 MB"])
        at += 12 + size
    return [], []


def common(blocks: tuple[Block, ...]) -> Common:
    """Return the fields of the information chunk."""
    texts = [text.decode("utf-8", "replace") for block in blocks for text in block.data[4:].split(b"\0")[:20_000]]
    pairs = zip(texts[::2], texts[1::2], strict=False)
    return Common(tuple((_NAMES.get(key.upper(), key.upper()), value) for key, value in pairs if key))


def write(file: RawFile, tags: Tags, given: Common) -> list[str]:
    """Put the fields of `tags`, of a CAF file too, or the `given` ones into a file; return what is left out."""
    fields = common(tags.blocks).fields if tags.form == "caf" else given.fields
    texts = [(_KEYS.get(name, name.lower()), value.replace("\0", " ")) for name, value in fields if not stale(name)]
    body = b"".join(key.encode() + b"\0" + value.encode() + b"\0" for key, value in texts)
    if texts:
        file.seek(0, 2)
        file.write(struct.pack(">4sqI", b"info", 4 + len(body), len(texts)) + body)
    return ["covers"] if given.pictures else []
