"""What a file of sound is by how it begins: its suffix may say something else."""

from __future__ import annotations

from pathlib import Path

from musicae.core import File
from musicae.formats.files import suffix_of
from musicae.formats.sound.mp3 import is_frame

__all__ = ["AV_ONLY", "format_of", "is_sound", "raw_format", "sound_head"]

AV_ONLY = frozenset(
    [
        *("mov", "asf", "matroska", "avi", "flv", "mpegts", "mpeg"),
        *("aac", "ac3", "eac3", "dts", "amr", "g722", "mpc", "mpc8"),
        *("ape", "wv", "tta", "tak", "dsf"),
    ]
)
"""The formats of `format_of` that libsndfile does not know."""

_STARTS = {
    b"fLaC": "flac",
    b"OggS": "ogg",
    b".snd": "au",
    b"caff": "caf",
    b"riff": "w64",
    bytes.fromhex("3026b2758e66cf11"): "asf",  # Windows Media.
    b"\x1a\x45\xdf\xa3": "matroska",  # WebM, too.
    b"MAC ": "ape",
    b"wvpk": "wv",
    b"TTA1": "tta",
    b"#!AMR": "amr",
    b"MP+": "mpc",
    b"MPCK": "mpc8",
    b"tBaK": "tak",
    b"DSD ": "dsf",
    b"FLV\x01": "flv",
    b"\0\0\x01\xba": "mpeg",
    b"\x7f\xfe\x80\x01": "dts",
    b"\xfe\x7f\x01\x80": "dts",
    b"\x1f\xff\xe8\0": "dts",
    b"\xff\x1f\0\xe8": "dts",
}
_FORMS = {b"WAVE": "wav", b"AVI ": "avi", b"AIFF": "aiff", b"AIFC": "aiff"}  # Of RIFF and IFF.
_RAW = {  # Bare streams, which may begin with anything.
    ".aac": "aac",
    ".ac3": "ac3",
    ".dts": "dts",
    ".eac3": "eac3",
    ".g722": "g722",
    ".mp2": "mp3",
    ".mp3": "mp3",
    ".mpga": "mp3",
}
_PICTURES = (b"hei", b"hev", b"mif", b"msf", b"avi")  # The brands of HEIF and AVIF, which are MP4 as well.
_TS_PACKET = 188  # Bytes of a packet of an MPEG transport stream; each begins with a G.
_HEAD = 4096
_TAG_HEADER, _MAX_TAGS = 10, 8  # Bytes before an ID3v2 tag, and how many tags may come before the sound.


def format_of(head: bytes) -> str:
    """Return the format of a file that begins with `head`, as FFmpeg calls it; an empty string for no known sound.

    12 bytes are enough for most, 400 for all.
    """
    for start, name in _STARTS.items():
        if head.startswith(start):
            return name
    if head[:4] in (b"RIFF", b"RF64", b"FORM"):
        return _FORMS.get(head[8:12], "")
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return "" if head[4:8] == b"ftyp" and head[8:11] in _PICTURES else "mov"
    if head[:2] == b"\x0b\x77" and len(head) > 5:  # Bitstream 11 and above is E-AC-3 (ETSI TS 102 366, annex E).
        return "eac3" if head[5] >> 3 > 10 else "ac3"
    if head[:3] == b"ID3" or is_frame(head) or _is_layer_2(head):
        return "mp3"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return "aac"
    packets = head[: 2 * _TS_PACKET + 1 : _TS_PACKET]
    return "mpegts" if packets == b"GGG" else ""


def _is_layer_2(head: bytes) -> bool:
    """Tell whether an MPEG layer II frame can start with `head` (ISO/IEC 11172-3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE4 or head[1] & 0x18 == 0x08:
        return False
    return head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3


def is_sound(head: bytes) -> bool:
    """Tell whether a file that begins with `head` (12 bytes or more) is sound, or a video, of a known format."""
    return format_of(head) != ""


def sound_head(file: File) -> bytes:
    """Return how the sound in a file begins, 4 KB after ID3 tags, which hold titles and covers; rewind a stream."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return sound_head(opened)
    at = 0
    for _ in range(_MAX_TAGS):
        file.seek(at)
        header = file.read(_TAG_HEADER)
        if len(header) < _TAG_HEADER or header[:3] != b"ID3":
            break
        at += _TAG_HEADER + sum(byte << shift for byte, shift in zip(header[6:], (21, 14, 7, 0), strict=True))
    file.seek(at)
    head = file.read(_HEAD)
    file.seek(0)
    return head


def raw_format(file: File) -> str:
    """Return the format that a bare stream of sound has by its suffix; an empty string for none."""
    return _RAW.get(suffix_of(file), "")
