"""The metadata blocks of FLAC (RFC 9639, section 8)."""

from __future__ import annotations

from musicae.formats.sound.tags import comments
from musicae.formats.sound.tags.values import MAX_BYTES, Block, Common, Picture, RawFile, Tags, read_exactly, splice

__all__ = ["common", "own", "read", "write"]

_STREAMINFO, _PADDING, _APPLICATION, _SEEKTABLE, _COMMENTS, _CUESHEET, _PICTURE = range(7)
_INVALID = 127
_MAX_BLOCK = (1 << 24) - 1
_ROOM = bytes(4096)  # Padding, so that programs that edit tags need not write the whole file.
_MAX_BLOCKS = 10_000


def read(file: RawFile, at: int = 0) -> tuple[list[Block], list[str]]:
    """Return the blocks of a file whose FLAC begins at `at`, each named by its type, and what is left out."""
    found, lost, held = [], [], 0
    for kind, start, size in _blocks(file, at):
        held += size
        if held > MAX_BYTES:
            lost.append("blocks over 64 MB")
            break
        if kind not in (_STREAMINFO, _PADDING, _SEEKTABLE):
            file.seek(start)
            found.append(Block(bytes([kind]), read_exactly(file, size)))
    return found, lost


def _blocks(file: RawFile, at: int) -> list[tuple[int, int, int]]:
    """Return the type, the place and the size of each block."""
    end = file.seek(0, 2)
    file.seek(at)
    if read_exactly(file, 4) != b"fLaC":
        return []
    blocks: list[tuple[int, int, int]] = []
    at += 4
    while at < end and len(blocks) < _MAX_BLOCKS:
        file.seek(at)
        header = read_exactly(file, 4)
        size = int.from_bytes(header[1:], "big")
        if len(header) < 4 or at + 4 + size > end or header[0] & _INVALID == _INVALID:
            break
        blocks.append((header[0] & _INVALID, at + 4, size))
        at += 4 + size
        if header[0] >> 7:
            break
    return blocks


def common(blocks: tuple[Block, ...]) -> Common:
    """Return what other formats can hold of blocks."""
    fields: list[tuple[str, str]] = []
    pictures: list[Picture] = []
    for block in blocks:
        try:
            if block.name[0] == _COMMENTS:
                inside = comments.common_of(comments.unpack(block.data)[1])
                fields += inside.fields
                pictures += inside.pictures
            elif block.name[0] == _PICTURE:
                pictures.append(comments.unpack_picture(block.data))
        except ValueError:
            continue
    return Common(tuple(fields), tuple(pictures))


def own(blocks: tuple[Block, ...]) -> list[str]:
    """Return the names of what no other format holds."""
    names = {_APPLICATION: "APPLICATION blocks", _CUESHEET: "the cue sheet"}
    return sorted({names[block.name[0]] for block in blocks if block.name[0] in names})


def write(file: RawFile, tags: Tags, given: Common, rate: int) -> list[str]:
    """Put the blocks of `tags`, of a FLAC file too, or the `given` fields into a file; return what is left out.

    `rate` is that of the file in Hz.
    """
    lost: list[str] = []
    vendor, lines = b"", comments.lines_of(given, pictures=False)
    made = [(_PICTURE, comments.pack_picture(picture)) for picture in given.pictures]
    if tags.form == "flac":
        lines, made = [], []
        for block in tags.blocks:
            kind = block.name[0]
            if kind == _COMMENTS:
                try:
                    lines += comments.kept(comments.unpack(block.data)[1])
                except ValueError:
                    lost.append("comments that are damaged")
            elif kind == _PICTURE and not _is_picture(block.data):
                lost.append("a picture that is damaged")
            elif tags.rate != rate and kind in (_CUESHEET, _APPLICATION) and _counts_samples(kind, block.data):
                lost.append("the cue sheet" if kind == _CUESHEET else "the header of the file it was made of")
            else:
                made.append((kind, block.data))
    first = _blocks(file, 0)
    if not first:
        return ["tags"]
    result = []
    for kind, start, size in first:
        file.seek(start)
        data = read_exactly(file, size)
        if kind == _COMMENTS:
            vendor = comments.unpack(data)[0]
        elif kind != _PADDING:
            result.append((kind, data))
    result += [(_COMMENTS, comments.pack(vendor, lines)), *made, (_PADDING, _ROOM)]
    fitting = [(kind, data) for kind, data in result if len(data) <= _MAX_BLOCK]
    if len(fitting) < len(result):
        lost.append("what is over 16 MB")
    parts = [b"fLaC"]
    for i, (kind, data) in enumerate(fitting):
        last = 128 if i == len(fitting) - 1 else 0
        parts += [bytes([kind | last]), len(data).to_bytes(3, "big"), data]
    splice(file, 0, first[-1][1] + first[-1][2], parts)
    return lost


def _is_picture(data: bytes) -> bool:
    """Tell whether a block holds a picture; libFLAC opens no file with another."""
    try:
        comments.unpack_picture(data)
    except ValueError:
        return False
    return True


def _counts_samples(kind: int, data: bytes) -> bool:
    """Tell whether a block counts in samples or describes their format, and is wrong at another rate."""
    return kind == _CUESHEET or data[:4] in (b"riff", b"aiff", b"w64 ")
