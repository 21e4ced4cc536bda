"""Sound through pipes, which have no length and cannot seek: WAV as it arrives, or samples without a header."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from musicae.errors import MusicaeError, OutputError
from musicae.formats.sound.files import clipping_remark
from musicae.formats.sound.kind import MAX_AMPLITUDE, MAX_CHANNELS, MAX_RATE, MIN_RATE, Block, Kind

__all__ = ["PipeReader", "PipeWriter"]

_SUBTYPES = {"s16": "PCM_16", "s24": "PCM_24", "s32": "PCM_32", "f32": "FLOAT"}
_BYTES = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4}
_READ_SIZE = 1 << 16  # Most bytes in a read.
_UNKNOWN_LENGTH = 0xFFFFFFFF  # In the header of a WAV file that is still being written.
_MIN_FAKE_LENGTH = 0x7FFF0000  # SoX and arecord write about this for a sound without a known end.
_FLOAT, _EXTENSIBLE = 3, 0xFFFE


def _raw_kind(raw: str) -> Kind:
    fields = raw.split(":")
    try:
        rate, channels, name = int(fields[0]), int(fields[1]), fields[2]
        if len(fields) == 3 and MIN_RATE <= rate <= MAX_RATE and 1 <= channels <= MAX_CHANNELS and name in _SUBTYPES:
            return Kind(rate, channels, "RAW", _SUBTYPES[name])
    except (IndexError, ValueError):
        pass
    raise MusicaeError(
        f"--raw takes RATE:CHANNELS:FORMAT with {', '.join(_SUBTYPES)}, such as 48000:2:s16, not '{raw}'"
    )


class PipeReader:
    """Sound from a stream: samples of the kind `raw` (``"48000:2:s16"``), little-endian, or without it WAV.

    Raise MusicaeError for anything else. `kind` is the kind of the sound.
    """

    def __init__(self, stream: BinaryIO, raw: str = "") -> None:
        self.stream = stream
        self.left: int | None = None  # Bytes of samples still to come, if the header says so,
        self.exact = True  # and whether that can be trusted.
        self.kind = _raw_kind(raw) if raw else self._header()

    def _read_exactly(self, count: int) -> bytes:
        """Return the next `count` bytes, or fewer at the end."""
        parts = []
        while count and (part := self.stream.read(count)):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _available(self) -> bytes:
        """Return what has arrived, waiting only for the first byte if the stream allows that."""
        if isinstance(self.stream, io.BufferedIOBase):
            return self.stream.read1(_READ_SIZE)
        return self.stream.read(_READ_SIZE)

    def _header(self) -> Kind:
        """Read up to the samples (Microsoft and IBM 1991, Multimedia Programming Interface; WAVE_FORMAT_EXTENSIBLE)."""
        start = self._read_exactly(12)
        if not start:
            raise MusicaeError("there was no sound on stdin; send WAV")
        if start[:4] not in (b"RIFF", b"RF64") or start[8:] != b"WAVE":
            raise MusicaeError("stdin is not WAV; send WAV, or give the format of raw samples with --raw")
        kind = None
        while True:
            name, size = struct.unpack("<4sI", self._chunk(8))
            if name == b"data":
                self.left, self.exact = size if size not in (0, _UNKNOWN_LENGTH) else self.left, size < _MIN_FAKE_LENGTH
                break
            if name == b"fmt ":
                if not 16 <= size < _READ_SIZE:
                    raise MusicaeError("the WAV on stdin has a damaged header; send it again")
                kind = self._kind(self._chunk(size + size % 2))
            elif name == b"ds64" and 16 <= size < _READ_SIZE:
                (self.left,) = struct.unpack_from("<Q", self._chunk(size + size % 2), 8)
            else:
                for at in range(0, size + size % 2, _READ_SIZE):
                    self._chunk(min(_READ_SIZE, size + size % 2 - at))
        if kind is None:
            raise MusicaeError("the WAV on stdin does not give the format of its samples; send another")
        return kind

    def _chunk(self, size: int) -> bytes:
        body = self._read_exactly(size)
        if len(body) < size:
            raise MusicaeError("the WAV on stdin ended within its header; send it again")
        return body

    @staticmethod
    def _kind(body: bytes) -> Kind:
        code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
        if code == _EXTENSIBLE and len(body) >= 26:
            (code,) = struct.unpack_from("<H", body, 24)
        known = {(1, 16): "PCM_16", (1, 24): "PCM_24", (1, 32): "PCM_32", (_FLOAT, 32): "FLOAT"}
        if not 1 <= channels <= MAX_CHANNELS or not MIN_RATE <= rate <= MAX_RATE:
            raise MusicaeError(
                f"the WAV on stdin has {channels} channels at {rate} Hz; "
                f"send 1 to {MAX_CHANNELS} channels at {MIN_RATE} to {MAX_RATE} Hz"
            )
        if (code, bits) not in known:
            raise MusicaeError(
                f"the WAV on stdin has {bits} bits of format {code}; send 16, 24, 32 bits or 32-bit float"
            )
        return Kind(rate, channels, "WAV", known[code, bits])

    def blocks(self) -> Iterator[Block]:
        """Go through the samples as they arrive, float32 ``(frames, channels)``.

        Raise MusicaeError, after the last block, if the stream ends too early.
        """
        width = _BYTES[self.kind.subtype] * self.kind.channels
        held = b""
        while self.left != 0 and (part := self._available()):
            if self.left is not None:
                part = part[: self.left]  # Other chunks may follow the samples.
                self.left -= len(part)
            held += part
            count = len(held) // width * width
            if count:
                block = _samples(held[:count], self.kind)
                if not (np.abs(block) <= MAX_AMPLITUDE).all():
                    raise MusicaeError("stdin has a sample that is not a number")
                yield block
                held = held[count:]
        if (self.left and self.exact) or held:
            raise MusicaeError("stdin ended before the sound did; what came in was processed")


class PipeWriter:
    """Sound to a stream: samples of `kind`, after a WAV header if `header`; each block is flushed at once."""

    def __init__(self, stream: BinaryIO, kind: Kind, header: bool) -> None:
        self.stream, self.kind, self.header = stream, kind, header
        self.length, self.clipped, self.peak = 0, 0, 0.0

    def write(self, block: Block) -> None:
        """Write ``(frames, channels)``; samples that an integer format cannot hold are clipped, and counted."""
        if not len(block):
            return
        if self.header:
            self._send(_wav_header(self.kind))
            self.header = False
        self.length += len(block)
        if not self.kind.exact:
            size = np.abs(block)
            self.peak, self.clipped = max(self.peak, float(size.max())), self.clipped + int((size > 1).any(1).sum())
        self._send(_bytes(block, self.kind))

    def _send(self, data: bytes) -> None:
        try:
            self.stream.write(data)
            self.stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"stdout cannot be written: {error.strerror or error}") from None

    def remark(self) -> str | None:
        """Return a line that says how many samples were clipped; None if none were."""
        return clipping_remark(self.clipped, self.peak, self.kind)


def _samples(data: bytes, kind: Kind) -> Block:
    if kind.subtype == "FLOAT":
        flat = np.frombuffer(data, "<f4")
    elif kind.subtype == "PCM_24":
        three = np.frombuffer(data, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(three), 4), np.uint8)
        wide[:, 1:] = three
        flat = wide.view("<i4")[:, 0] / np.float32(2**31)
    else:
        flat = np.frombuffer(data, f"<i{_BYTES[kind.subtype]}") / np.float32(2 ** (8 * _BYTES[kind.subtype] - 1))
    return flat.reshape(-1, kind.channels).astype(np.float32)


def _bytes(block: Block, kind: Kind) -> bytes:
    if kind.subtype == "FLOAT":
        return bytes(block.astype("<f4").tobytes())
    size = _BYTES[kind.subtype]
    top = 2 ** (8 * size - 1)
    integers = np.clip(np.rint(block.astype(np.float64) * top), -top, top - 1).astype("<i4")
    if size == 3:
        return bytes(integers.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
    return bytes(integers.astype(f"<i{size}").tobytes())


def _wav_header(kind: Kind) -> bytes:
    size, code = _BYTES[kind.subtype], _FLOAT if kind.exact else 1
    frame = size * kind.channels
    form = struct.pack("<HHIIHH", code, kind.channels, kind.rate, kind.rate * frame, frame, 8 * size)
    return struct.pack("<4sI8sI16s4sI", b"RIFF", _UNKNOWN_LENGTH, b"WAVEfmt ", 16, form, b"data", _UNKNOWN_LENGTH)
