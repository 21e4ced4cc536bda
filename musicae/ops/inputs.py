"""What the verbs are given: files, folders, streams and samples, and numbers that make sense."""

from __future__ import annotations

import inspect
import io
import math
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from musicae.codec import Codec
from musicae.core import Adapter, File, Sample, Source
from musicae.errors import MusicaeError, line_of
from musicae.formats.folders import files_in
from musicae.memory import check_memory
from musicae.tensors.random import generator

__all__ = [
    "MAX_COUNT",
    "as_file",
    "check_file",
    "check_number",
    "check_temperature",
    "crop_windows",
    "listed",
    "name_of",
    "options_of",
    "read",
    "read_all",
    "rereadable",
]

_PART = 2**20  # Bytes of a stream read at once.

MAX_COUNT = 1000
"""The most steps of a walk, or results of one call."""


def check_number(what: str, number: int, at_least: int) -> None:
    """Raise MusicaeError for a `number` of `what` outside `at_least` .. 1000."""
    if not at_least <= number <= MAX_COUNT:
        raise MusicaeError(f"{what} must be between {at_least} and {MAX_COUNT}, not {number}")


def check_temperature(temperature: float) -> None:
    """Raise MusicaeError for a temperature below 0, or that is no number."""
    if not 0 <= temperature < math.inf:
        raise MusicaeError(f"temperature must be 0 or more, not {temperature}")


def check_file(path: Path) -> None:
    """Raise MusicaeError for a path that is not a file's."""
    if path.is_dir():
        raise MusicaeError(f"{path} is a folder; name a file in it")
    if not os.path.exists(path):  # noqa: PTH110, since Path.exists raises for a name that is too long.
        raise MusicaeError(f"there is no file {path}; check the name")
    if not path.is_file():
        raise MusicaeError(f"{path} is a pipe or a device; name a file")


# --- one source ----------------------------------------------------------------------------------------------------


def rereadable(source: Source) -> Source:
    """Return a source that can be read more than once: a stream that cannot seek is read into memory.

    Raise MusicaeError for more than that may hold.
    """
    if isinstance(source, str | Path | Sample) or source.seekable():
        return source
    parts: list[bytes] = []
    size = 0
    while part := source.read(_PART):
        parts.append(part)
        size += len(part)
        check_memory(2 * size, "the stream")
    return io.BytesIO(b"".join(parts))


def as_file(source: Source) -> File:
    """Return a source as what adapters read: a path, or a stream that can seek.

    Raise MusicaeError for a sample, which is read already.
    """
    if isinstance(source, str | Path):
        return Path(source)
    if isinstance(source, Sample):
        raise MusicaeError("a sample does not say which preset it is of; give one")
    source = rereadable(source)
    assert not isinstance(source, str | Path | Sample)
    return source


def name_of(source: Source) -> str:
    """Return what a source is called in messages: its file's name, or that it has none."""
    if isinstance(source, str | Path):
        return Path(source).name
    return "the sample" if isinstance(source, Sample) else "the stream"


def options_of(adapter: Adapter) -> list[str]:
    """Return the names of an adapter's options, which the signature of its `read` declares."""
    parameters = inspect.signature(adapter.read).parameters.values()
    return [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]


def read(codec: Codec, source: Source, **options: Any) -> Sample:
    """Read a source by the codec's adapter; a sample is returned as it is. Options that are None are left out.

    Raise MusicaeError for a file that cannot be read, an option that the adapter does not take, or a sample that is
    not of the codec's kind or size.
    """
    if isinstance(source, Sample):
        return _fitting(codec, source)
    options = {name: value for name, value in options.items() if value is not None}
    takes = options_of(codec.adapter)
    for name in options:
        if name not in takes:
            known = f"it takes {', '.join(takes)}" if takes else "it takes none"
            raise MusicaeError(f"the adapter of '{codec.preset.name}' has no option '{name}'; {known}")
    return _fitting(codec, codec.adapter.read(as_file(source), **options))


def _fitting(codec: Codec, sample: Sample) -> Sample:
    """Return a sample; raise MusicaeError for one that the codec can neither cut into windows nor restore as it is."""
    shape, wanted = tuple(sample.tensor.shape), codec.spec.full_shape
    fits = len(shape) == len(wanted) and shape[0] == wanted[0] and 0 not in shape
    if not fits or (shape[:-1] != wanted[:-1] and not codec.model.restores):
        raise MusicaeError(
            f"the sample is of shape {shape}; '{codec.preset.name}' takes windows of {wanted}, one after another"
        )
    return sample


def read_all(codec: Codec, sources: Sequence[Source], options: Mapping[str, Any]) -> tuple[list[Sample], list[str]]:
    """Read sources as `read` does; return them and all their remarks, each with its source's name."""
    samples = [read(codec, source, **options) for source in sources]
    pairs = zip(sources, samples, strict=True)
    return samples, [line_of(f"{name_of(source)}: ", remark) for source, one in pairs for remark in one.remarks]


# --- many files ----------------------------------------------------------------------------------------------------


def listed(paths: Sequence[Path], suffixes: Collection[str], leave_out: Path | None = None) -> list[tuple[Path, Path]]:
    """Return the files of `paths`, and those in its folders that end in one of `suffixes`.

    With each file comes its name in what is made of it: its own, or where it lies in the folder.
    Raise MusicaeError for a file that is missing, and for a folder in which nothing can be read.
    """
    files = []
    for path in paths:
        if not path.is_dir():
            check_file(path)
            files.append((path, Path(path.name)))
            continue
        inside = files_in(path, suffixes, leave_out)
        if not inside:
            known = ", ".join(sorted(suffixes))
            raise MusicaeError(f"{path} has no file that can be read ({known}); name another folder")
        files += [(one, one.relative_to(path)) for one in inside]
    return files


def crop_windows(codec: Codec, batch: Tensor, cond: Tensor | None, seed: int) -> tuple[Tensor, Tensor | None]:
    """Return a data set's windows ``(B, C, *S)`` and their conditions, larger ones cropped at random to the spec's."""
    if batch.shape[1:] == codec.spec.full_shape:
        return batch, cond
    return codec.adapter.augment_with(batch, cond, generator(seed, 43))
