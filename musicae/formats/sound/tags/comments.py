"""Vorbis comments, the tags of FLAC, Ogg Vorbis and Opus, and the pictures beside them (RFC 9639, section 8)."""

from __future__ import annotations

import base64
import binascii
import struct

from musicae.formats.sound.tags.values import Common, Picture

__all__ = ["common_of", "kept", "lines_of", "pack", "pack_picture", "unpack", "unpack_picture"]

_PICTURE = "METADATA_BLOCK_PICTURE"
_STALE = ("ENCODER", "ENCODERSETTINGS", "ENCODER_OPTIONS", "ENCODING", "LENGTH", "WAVEFORMATEXTENSIBLE_CHANNEL_MASK")
_STALE_STARTS = ("MP3GAIN_", "AACGAIN_", "ITUNSMPB", "ACCURATERIP")
_MAX_LINES = 20_000


def unpack(data: bytes) -> tuple[bytes, list[bytes]]:
    """Return the vendor and the lines ``NAME=value``; of damaged comments those that can be read.

    Raise ValueError if there are none.
    """
    (size,) = struct.unpack_from("<I", data) if len(data) >= 8 else (len(data),)
    if size + 8 > len(data):
        raise ValueError("the comments end too early")
    vendor, at = data[4 : 4 + size], 8 + size
    (count,) = struct.unpack_from("<I", data, at - 4)
    lines: list[bytes] = []
    while len(lines) < min(count, _MAX_LINES) and at + 4 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        if at + 4 + size > len(data):
            break
        lines.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    if count and not lines:
        raise ValueError("the comments end too early")
    return vendor, lines


def pack(vendor: bytes, lines: list[bytes]) -> bytes:
    """Return comments as they lie in a file."""
    parts = [struct.pack("<I", len(vendor)), vendor, struct.pack("<I", len(lines))]
    for line in lines:
        parts += [struct.pack("<I", len(line)), line]
    return b"".join(parts)


def kept(lines: list[bytes]) -> list[bytes]:
    """Return the lines that are still true of a file encoded anew: not those on its encoder."""
    return [line for line in lines if not stale(line.partition(b"=")[0].decode("ascii", "replace"))]


def stale(name: str) -> bool:
    """Tell whether a field says how the file was encoded, which is no longer true of another."""
    name = name.upper().replace(" ", "")
    return name in _STALE or name.startswith(_STALE_STARTS)


def common_of(lines: list[bytes]) -> Common:
    """Return the fields and pictures of comment lines; a picture that is damaged is left out."""
    fields, pictures = [], []
    for line in lines:
        name, _, value = line.partition(b"=")
        key = name.decode("ascii", "replace").upper()
        if key == _PICTURE:
            try:
                pictures.append(unpack_picture(base64.b64decode(value)))
            except (ValueError, binascii.Error):
                continue
        else:
            fields.append((key, value.decode("utf-8", "replace")))
    return Common(tuple(fields), tuple(pictures))


def lines_of(common: Common, pictures: bool) -> list[bytes]:
    """Return comment lines for the fields, and where `pictures` go into them (Ogg) for those."""
    lines = [f"{_name(name)}={value}".encode() for name, value in common.fields if not stale(name)]
    if pictures:
        lines += [f"{_PICTURE}=".encode() + base64.b64encode(pack_picture(one)) for one in common.pictures]
    return lines


def _name(name: str) -> str:
    """Return a name of printable ASCII without ``=``, as comments have."""
    return "".join(char if " " <= char <= "}" and char != "=" else "_" for char in name) or "_"


def pack_picture(picture: Picture) -> bytes:
    """Return a picture as FLAC's block of type 6."""
    mime, text = picture.mime.encode("ascii", "replace"), picture.text.encode()
    head = struct.pack(">II", picture.kind, len(mime)) + mime + struct.pack(">I", len(text)) + text
    # Width, height, depth and colours may be left unknown.
    return head + struct.pack(">IIIII", 0, 0, 0, 0, len(picture.data)) + picture.data


def unpack_picture(data: bytes) -> Picture:
    """Return the picture in a block of type 6. Raise ValueError if it is damaged."""
    try:
        kind, size = struct.unpack_from(">II", data)
        mime, at = data[8 : 8 + size], 8 + size
        (size,) = struct.unpack_from(">I", data, at)
        text, at = data[at + 4 : at + 4 + size], at + 4 + size
        (size,) = struct.unpack_from(">I", data, at + 16)
    except struct.error:
        raise ValueError("the picture ends too early") from None
    if at + 20 + size != len(data):
        raise ValueError("the picture ends too early, or too late")
    picture = data[at + 20 : at + 20 + size]
    return Picture(picture, mime.decode("ascii", "replace"), min(kind, 20), text.decode("utf-8", "replace"))
