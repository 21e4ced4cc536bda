"""Restoring recordings block by block: a file, a pipe or a sample goes through a model that streams."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import numpy as np
import torch

from musicae.codec import Codec
from musicae.core import File, Sample, Source
from musicae.errors import MusicaeError, line_of
from musicae.formats.sound import files as sound
from musicae.formats.sound.files import Block, Kind
from musicae.formats.sound.wav_pipe import PipeReader, PipeWriter
from musicae.formats.temporary import temporary_folder
from musicae.memory import check_memory
from musicae.ops.inputs import as_file
from musicae.ops.restored import Restored, RestoreOptions, called
from musicae.ops.stream import BlockRestorer, Denoiser, Upscaler

if TYPE_CHECKING:
    from musicae.plots.spectrograms import Overview

__all__ = ["PipedBlocks", "restore_piped", "restore_recording"]

_PIPE = "stdin"  # What a pipe is called in messages.
_COPIES = 6  # How often a recording is in memory that is restored there: in parts and joined, before and after.
_BLOCK = 50_000  # Samples of all channels worked on at once: about half a second of stereo.


class _Reader(Protocol):
    """Where the blocks of a recording come from; `length` is in frames, None where it is not known."""

    kind: Kind
    length: int | None
    remarks: list[str]

    def blocks(self, size: int) -> Iterator[Block]: ...


class _Writer(Protocol):
    """Where its blocks go; `length` is what was written, in frames."""

    length: int

    def write(self, block: Block) -> None: ...

    def remark(self) -> str | None: ...


class PipedBlocks:
    """Blocks that come in as WAV, or as `raw` says (see `RestoreOptions`).

    With `defer` an error at their end waits in `error`, so that what came in before is restored.
    """

    def __init__(self, stream: BinaryIO, raw: str, defer: bool) -> None:
        self._reader, self.raw, self.defer = PipeReader(stream, raw), raw, defer
        self.kind = self._reader.kind
        self.length: int | None = None
        self.remarks: list[str] = []
        self.error: MusicaeError | None = None

    def blocks(self, size: int) -> Iterator[Block]:
        """Go through the blocks, of whatever size they come in."""
        try:
            yield from self._reader.blocks()
        except MusicaeError as error:
            if not self.defer:
                raise
            self.error = error


class _FromSample:
    """The blocks of a sample ``(channels, T)``, at its file's rate where it is `as_is`, else at the adapter's."""

    def __init__(self, sample: Sample, rate: int) -> None:
        meta = sample.meta
        kind = sound.kind_of(meta["kind"]) if meta.get("kind") else Kind(rate, 1)
        self.as_is = bool(meta.get("as_is"))
        self.kind = replace(kind, rate=kind.rate if self.as_is else rate, channels=len(sample.tensor))
        self.samples = sample.tensor.T.numpy()
        self.length: int | None = len(self.samples)
        self.remarks: list[str] = []

    def blocks(self, size: int) -> Iterator[Block]:
        for at in range(0, len(self.samples), size):
            yield self.samples[at : at + size]


class _InMemory:
    """Keeps what is written."""

    def __init__(self, kind: Kind, name: str) -> None:
        self.kind, self.parts, self.length = kind, [np.zeros((0, kind.channels), np.float32)], 0
        self.name = name

    def check(self, frames: int) -> None:
        """Raise MusicaeError if that many frames, here and what the model was given, take too much memory."""
        check_memory(_COPIES * 4 * frames * self.kind.channels, f"{self.name}, restored in memory,")

    def write(self, block: Block) -> None:
        self.length += len(block)
        self.check(self.length)
        self.parts.append(block)

    def remark(self) -> str | None:
        return None

    def sample(self) -> Sample:
        """Return all of it as a sample ``(channels, T)`` that the adapter writes as it is."""
        tensor = torch.from_numpy(np.ascontiguousarray(np.concatenate(self.parts).T))
        return Sample(tensor, {"kind": asdict(self.kind), "length": self.length, "as_is": True})


def restore_recording(codec: Codec, source: Source, target: File | None, options: RestoreOptions) -> Restored:
    """Restore a recording, each channel by itself, into a target or in memory; see `musicae.restore`."""
    if wrong := [name for name, value in options.read.items() if value is not None]:
        raise MusicaeError(f"a recording is restored as it is; leave out '{wrong[0]}'")
    if not isinstance(source, Sample):
        file = as_file(source)
        tags = sound.read_tags(file)
        with sound.reading(file) as reader:
            tags = tags.at(reader.kind.rate)
            if target is None:
                return _restored_in_memory(codec, called(source), reader, options, tags)
            return _restored_to_file(codec, called(source), reader, target, options, tags)
    from_sample = _FromSample(source, codec.adapter.sample_rate)
    made = _restored_in_memory(codec, called(source), from_sample, options, source.metadata)
    if not from_sample.as_is and made.sample is not None and made.sample.tensor.shape == source.tensor.shape:
        # At the adapter's rate as before, so that it is written at the rate of the file it came from.
        made.sample = replace(source, tensor=made.sample.tensor, remarks=[])
    return made.written_to(target, called(source))


def _restored_in_memory(
    codec: Codec, name: str, reader: _Reader, options: RestoreOptions, tags: sound.Tags | None = None
) -> Restored:
    made = _block_restorer(codec, reader.kind, options)
    kind = replace(reader.kind, rate=made.out_rate)
    given, out = _InMemory(kind, name), _InMemory(kind, name)
    out.check((reader.length or 0) * made.out_rate // reader.kind.rate)
    restored = _pump(made, reader, out, options, _Names(name), given)
    return replace(restored, sample=replace(out.sample(), metadata=tags), given=given.sample(), adapter=codec.adapter)


def _restored_to_file(
    codec: Codec, name: str, reader: _Reader, target: File, options: RestoreOptions, tags: sound.Tags | None = None
) -> Restored:
    made = _block_restorer(codec, reader.kind, options)
    kind = replace(reader.kind, rate=made.out_rate)
    frames = (reader.length or 0) * made.out_rate // reader.kind.rate
    with ExitStack() as stack:
        path = target if isinstance(target, Path) else stack.enter_context(_spooled(target, _suffix(name, kind)))
        names = _Names(name, path.name if path is target else "the output")
        with sound.writing(path, sound.kind_like(kind, path, frames), tags) as writer:
            restored = _pump(made, reader, writer, options, names)
        restored.notices += [line_of(f"{names.target}: ", line) for line in writer.remarks]
        return replace(restored, path=path if path is target else None)


def restore_piped(codec: Codec, piped: PipedBlocks, target: File | None, options: RestoreOptions) -> Restored:
    """Restore blocks as they come in; a stream gets them, in the form in which they came, as they are done."""
    if target is None:
        return _restored_in_memory(codec, _PIPE, piped, options)
    if isinstance(target, Path):
        return _restored_to_file(codec, _PIPE, piped, target, options)
    made = _block_restorer(codec, piped.kind, options)
    writer = PipeWriter(target, replace(piped.kind, rate=made.out_rate), header=not piped.raw)
    try:
        restored = _pump(made, piped, writer, options, _Names(_PIPE))
    except MusicaeError as error:
        raise (piped.error or error) from None
    if piped.error:
        raise piped.error
    return restored


def _block_restorer(codec: Codec, kind: Kind, options: RestoreOptions) -> BlockRestorer:
    corruption = codec.corruption()
    if corruption is None or corruption.factor == 1:
        return Denoiser(codec, kind.rate, kind.channels, options.strength)
    if options.strength != 1 or options.noise or options.picture:
        raise MusicaeError("upscaling takes no noise off; leave out strength, noise and picture")
    return Upscaler(codec, kind.rate, kind.channels)


@dataclass(frozen=True)
class _Names:
    """What source and target are called in messages."""

    source: str
    target: str = "the output"


def _pump(
    made: BlockRestorer,
    reader: _Reader,
    writer: _Writer,
    options: RestoreOptions,
    names: _Names,
    given: _InMemory | None = None,
) -> Restored:
    """Restore all blocks into the writer, and write what else is wanted; `given` gets what the model was given."""
    kind, rate, noise = reader.kind, made.out_rate, options.noise
    with ExitStack() as stack:
        removed = None
        if noise:
            removed = stack.enter_context(sound.writing(noise, sound.kind_like(kind, noise, reader.length)))
        overview = _overview(kind) if options.picture else None
        for before, after in _pairs(made, reader.blocks(max(1, _BLOCK // kind.channels))):
            writer.write(after)
            if given is not None:
                given.write(before)
            if removed:
                removed.write(before - after)
            if overview:
                overview.add(before, after)
            if options.report:
                options.report(writer.length / rate, (reader.length or 0) / kind.rate)
        if not writer.length:
            raise MusicaeError(f"{names.source} has no samples in it")
        if overview and options.picture:
            overview.draw(options.picture, [Path(names.source).name, "denoised", "removed"])
    clipped = [(names.target, writer.remark()), (noise.name if noise else "", removed.remark() if removed else None)]
    notices = [*reader.remarks, *(line_of(f"{name}: ", line) for name, line in clipped if line)]
    restored = Restored(made.codec.preset.name, seconds=writer.length / rate, notices=notices)
    _explain(restored, made, kind, writer.length, Path(names.source).name)
    return restored


def _pairs(made: BlockRestorer, blocks: Iterator[Block]) -> Iterator[tuple[Block, Block]]:
    for block in blocks:
        yield made.process_pair(block)
    yield made.flush_pair()


def _overview(kind: Kind) -> Overview:
    from musicae.plots.spectrograms import Overview

    return Overview(kind.rate)


def _explain(restored: Restored, made: BlockRestorer, kind: Kind, length: int, name: str) -> None:
    """Add what is to be said of how a recording was restored."""
    own, preset = made.codec.adapter.sample_rate, made.codec.preset.name
    form = f"{kind.format} {kind.subtype}, {kind.channels} channels, {kind.rate} Hz, {length} samples"
    if made.out_rate == kind.rate:
        restored.remarks += [f"denoised by the preset '{preset}'", form]
        if kind.rate != own:
            restored.remarks.append(
                f"denoised at {own} Hz; what lies above follows what was done to the upper part below"
            )
        return
    restored.remarks.append(f"upscaled by the preset '{preset}': {kind.rate} Hz became {made.out_rate} Hz")
    expected = own * kind.rate // made.out_rate
    if kind.rate != expected:
        restored.notices.append(f"the preset '{preset}' is for {expected} Hz, {name} has {kind.rate} Hz")


@contextmanager
def _spooled(target: BinaryIO, suffix: str) -> Iterator[Path]:
    """Give a temporary path; at the end what was written there goes to the stream, which may be unable to seek."""
    with temporary_folder() as folder:
        path = folder / f"restored{suffix}"
        yield path
        with path.open("rb") as written:
            shutil.copyfileobj(written, target)
        target.flush()


def _suffix(name: str, kind: Kind) -> str:
    """Return the suffix of a file like the source, where it can be written."""
    own = Path(name).suffix.lower() or f".{kind.format.lower()}"
    return own if own in sound.SUFFIXES else sound.SUFFIXES[0]
