"""The bit rate of lossy files: found in a file, and asked of the encoder for another."""

from __future__ import annotations

import io
from contextlib import nullcontext
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from musicae.core import File
from musicae.formats.sound.kind import Kind
from musicae.formats.sound.mp3 import Frames
from musicae.formats.sound.tags import ogg

__all__ = ["encoder_options", "mp3_kind", "ogg_kind"]

_VBR = (245, 225, 190, 175, 165, 130, 115, 100, 85, 65)  # kbit/s of LAME's -V 0 to 9, of stereo at 44.1 kHz,
_MONO = 0.6  # and how much of that one channel takes.
_MP3_RANGE = ((32_000, 32_000, 320_000), (16_000, 8_000, 160_000), (0, 8_000, 64_000))  # From this rate: bits a second.
_OPUS_RANGE = (6_000, 256_000)  # Bits a second of each channel.
_MOST = 0.999  # libsndfile's MP3 does not take a level of 1.
_TRIES = 10


def mp3_kind(kind: Kind, frames: Frames) -> Kind:
    """Return the kind of an MP3 file with the bit rate and the mode of its frames."""
    if not frames.samples:
        return kind
    if frames.constant:
        return replace(kind, bitrate=frames.kbits[0] * 1000, bitrate_mode="CONSTANT")
    measured = round(8 * frames.size * kind.rate / frames.samples)
    if frames.average:
        return replace(kind, bitrate=measured, bitrate_mode="AVERAGE")
    if 0 <= frames.quality < len(_VBR):
        measured = round(1000 * _VBR[frames.quality] * (_MONO if kind.channels == 1 else 1))
    return replace(kind, bitrate=measured, bitrate_mode="VARIABLE")


def ogg_kind(kind: Kind, file: File, length: int | None) -> Kind:
    """Return the kind of an Ogg file with the bit rate that its header names; of Opus that of its `length` frames.

    A stream keeps its position.
    """
    with file.open("rb") if isinstance(file, Path) else nullcontext(file) as opened:
        position = opened.tell()
        head, start = ogg.heads(opened)
        size = opened.seek(0, 2) - start
        opened.seek(position)
    if head[1:7] == b"vorbis" and len(head) >= 28:
        nominal = int.from_bytes(head[20:24], "little", signed=True)
        return replace(kind, bitrate=nominal) if 0 < nominal < 10**7 else kind
    if head.startswith(b"OpusHead") and length:
        return replace(kind, bitrate=min(10**7, round(8 * size * kind.rate / length)))
    return kind


def encoder_options(kind: Kind) -> dict[str, Any]:
    """Return what soundfile takes to write a file at the bit rate of `kind`; nothing if that is not known."""
    if not kind.bitrate:
        return {}
    if kind.format == "MP3":
        if kind.bitrate_mode == "VARIABLE":
            level = _vbr_level(kind)
        else:
            low, high = next((low, high) for rate, low, high in _MP3_RANGE if kind.rate >= rate)
            level = (high - kind.bitrate) / (high - low)
        return {"bitrate_mode": kind.bitrate_mode or "VARIABLE", "compression_level": min(max(level, 0.0), _MOST)}
    if kind.subtype == "OPUS":
        low, high = _OPUS_RANGE
        level = (high - kind.bitrate / kind.channels) / (high - low)
        return {"compression_level": min(max(level, 0.0), 1.0)}
    if kind.subtype == "VORBIS":
        return {"compression_level": _vorbis_level(kind.rate, kind.channels, kind.bitrate)}
    return {}


def _vbr_level(kind: Kind) -> float:
    """Return the level of LAME's setting whose bit rate is nearest."""
    kbits = kind.bitrate / 1000 / (_MONO if kind.channels == 1 else 1)
    return min(range(len(_VBR)), key=lambda quality: abs(_VBR[quality] - kbits)) / 10


@lru_cache(maxsize=64)
def _vorbis_level(rate: int, channels: int, bitrate: int) -> float:
    """Return the level at which the encoder's header names a bit rate, found by trying."""
    low, high = 0.0, 1.0  # A higher level is a lower bit rate.
    for _ in range(_TRIES):
        level = (low + high) / 2
        found = _nominal(rate, channels, level)
        if abs(found - bitrate) <= bitrate / 1000:
            break
        low, high = (level, high) if found > bitrate else (low, level)
    return level


def _nominal(rate: int, channels: int, level: float) -> int:
    import soundfile

    stream = io.BytesIO()
    options = {"format": "OGG", "subtype": "VORBIS", "compression_level": level}
    with soundfile.SoundFile(stream, "w", rate, channels, **options):
        pass
    head, _ = ogg.heads(stream)
    return int.from_bytes(head[20:24], "little", signed=True)
