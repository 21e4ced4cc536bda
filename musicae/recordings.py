"""Cleaning recordings: file to file and pipe to pipe, block by block, so that their length does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .adapters import pipe, sound
from .adapters.audio import Audio
from .codec import Codec
from .core import Streamer
from .errors import MusicaeError
from .inputs import nearest_in_rate
from .plots.spectra import Overview
from .stream import Block, Denoiser

__all__ = ["Cleaned", "denoise_pipe", "denoise_recording", "upscale_recording", "works_on_sound"]

Report = Callable[[float, float], None]

_BLOCK = 50_000  # Samples of all channels worked on at once: about half a second of stereo.


@dataclass
class Cleaned:
    """What was done to a recording: `seconds` of it were cleaned; `notices` are for everybody, `remarks` explain."""

    seconds: float
    notices: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def works_on_sound(codec: Codec) -> bool:
    """Tell whether a codec is for recordings of any length: of samples at a rate, by a model that streams."""
    return isinstance(codec.model, Streamer) and hasattr(codec.adapter, "rate")


def denoise_recording(
    codec: Codec, source: Path, target: Path, *, strength: float = 1.0, noise: Path | None = None,
    picture: Path | None = None, report: Report | None = None,
) -> Cleaned:  # fmt: skip
    """Clean the recording `source` into `target`, of the same rate, channels and length, and where it can of its kind.

    `noise` gets what was taken away, `picture` the spectrograms of all three. `report` is told the seconds done and
    their number, 0 where that is not known. Raise MusicaeError for what cannot be read or written; `target` is whole
    or not there.
    """
    _check_denoises(codec)
    with ExitStack() as stack:
        reader = stack.enter_context(sound.reading(source))
        kind = reader.kind
        made = Denoiser(codec, kind.rate, kind.channels, strength)
        writer = stack.enter_context(sound.writing(target, sound.kind_like(kind, target, reader.length)))
        removed = (
            stack.enter_context(sound.writing(noise, sound.kind_like(kind, noise, reader.length))) if noise else None
        )
        overview = Overview(kind.rate) if picture else None
        whole = (reader.length or 0) / kind.rate
        for given, cleaned in _through(made, reader.blocks(max(1, _BLOCK // kind.channels))):
            writer.write(cleaned)
            if removed:
                removed.write(given - cleaned)
            if overview:
                overview.add(given, cleaned)
            if report:
                report(writer.length / kind.rate, whole)
        if not writer.length:
            raise MusicaeError(f"{source} has no samples in it")
        if overview and picture:
            overview.draw(picture, [source.name, "cleaned", "removed"])
        notices = [*reader.remarks, *_cut(target, writer)]
        if noise and removed:
            notices += _cut(noise, removed)
    remarks = [
        _by(made), f"{kind.format} {kind.subtype}, {kind.channels} channels, {kind.rate} Hz, {writer.length} samples"
    ]  # fmt: skip
    if kind.rate != made.core:
        remarks.append(f"cleaned at {made.core} Hz; what lies above follows what was done to the upper part below")
    return Cleaned(writer.length / kind.rate, notices, remarks)


def upscale_recording(
    codec: Codec, source: Path, target: Path, *, scale: int | None = None, report: Report | None = None
) -> Cleaned:
    """Write the recording `source` at a rate as many times higher as the preset says into `target`, its band filled up.

    What it has already stays. Raise MusicaeError for a preset that does not do that, and as `denoise_recording` does.
    """
    import soxr

    factor = getattr(codec.corruption(), "factor", 0)
    if not factor:
        raise MusicaeError(f"the preset '{codec.preset.name}' does not upscale; choose another")
    if scale not in (None, factor):
        raise MusicaeError(f"the preset '{codec.preset.name}' upscales by {factor}, not by {scale}; choose another")
    with ExitStack() as stack:
        reader = stack.enter_context(sound.reading(source))
        kind = sound.kind_like(
            replace(reader.kind, rate=factor * reader.kind.rate), target, factor * (reader.length or 0)
        )
        made = Denoiser(codec, codec.adapter.rate, kind.channels)  # type: ignore[attr-defined]
        writer = stack.enter_context(sound.writing(target, kind))
        change = soxr.ResampleStream(reader.kind.rate, kind.rate, kind.channels, dtype="float32", quality="VHQ")
        whole, length = factor * (reader.length or 0) / kind.rate, 0
        for block in reader.blocks(max(1, _BLOCK // kind.channels)):
            length += factor * len(block)
            writer.write(made.process(change.resample_chunk(block).reshape(-1, kind.channels)))
            if report:
                report(writer.length / kind.rate, whole)
        rest = change.resample_chunk(np.zeros((0, kind.channels), np.float32), last=True)
        last = np.concatenate([made.process(rest.reshape(-1, kind.channels)), made.flush()])
        missing = length - writer.length
        writer.write(np.pad(last, ((0, max(0, missing - len(last))), (0, 0)))[:missing])
        notices = [*reader.remarks, *_cut(target, writer)]
    made_for = made.core // factor
    remarks = [f"{reader.kind.rate} Hz became {kind.rate} Hz"]
    if reader.kind.rate != made_for:
        notices.append(
            f"the preset '{codec.preset.name}' is for {made_for} Hz, {source.name} has {reader.kind.rate} Hz"
        )
    return Cleaned(writer.length / kind.rate, notices, remarks)


def denoise_pipe(
    preset: Codec | str | None, source: BinaryIO, target: BinaryIO, raw: str = "", strength: float = 1.0
) -> Cleaned:
    """Clean WAV, or with `raw` samples without a header, from one stream into another as it comes in.

    `raw` is ``RATE:CHANNELS:FORMAT``, such as ``48000:2:s16``. Without a `preset` it is the one for the rate.
    Raise MusicaeError for what is neither.
    """
    reader = pipe.PipeReader(source, raw)
    kind = reader.kind
    made = Denoiser(
        preset or nearest_in_rate(Audio.default_presets["denoise"], kind.rate), kind.rate, kind.channels, strength
    )
    _check_denoises(made.codec)
    writer = pipe.PipeWriter(target, kind, header=not raw)
    wrong: list[MusicaeError] = []

    def given() -> Iterator[Block]:
        try:
            yield from reader.blocks()
        except MusicaeError as error:
            wrong.append(error)

    for _, cleaned in _through(made, given()):
        writer.write(cleaned)
    if wrong:
        raise wrong[0]
    if not writer.length:
        raise MusicaeError("there was no sound on stdin")
    line = writer.remark()
    return Cleaned(writer.length / kind.rate, [f"stdout: {line}"] if line else [], [_by(made)])


def _check_denoises(codec: Codec) -> None:
    if getattr(codec.corruption(), "factor", 0):
        raise MusicaeError(f"the preset '{codec.preset.name}' upscales, it takes no noise off; choose another")


def _by(made: Denoiser) -> str:
    return f"cleaned by the preset '{made.codec.preset.name}'"


def _cut(path: Path, writer: sound.Writer) -> list[str]:
    """Return what is to be said of samples that did not fit."""
    line = writer.remark()
    return [f"{path.name}: {line}"] if line else []


def _through(made: Denoiser, blocks: Iterator[Block]) -> Iterator[tuple[Block, Block]]:
    for block in blocks:
        yield made.both(block)
    given, cleaned = made.both_left()
    if len(given):
        yield given, np.ascontiguousarray(cleaned)
