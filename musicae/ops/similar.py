"""The files of a folder that are nearest to a file, by their codes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Sample, Source
from musicae.errors import MusicaeError
from musicae.formats.folders import identity
from musicae.ops.choose import codec_for
from musicae.ops.folder_codes import FolderCodes, Report, check_codes, codes_of, folder_codes
from musicae.ops.inputs import check_number, read, rereadable

__all__ = ["Match", "Similar", "similar"]

_KEYS = range(-5, 7)  # Semitones by which a tune is moved, to find it in any key.
_FARTHEST = 24  # Semitones that `read` transposes by.
_AT_ONCE = 1 << 24  # Numbers of a table of distances in memory.


@dataclass(frozen=True)
class Match:
    """A file, how far it is in code, and by how many semitones it lies above what was looked for.

    The distance is a root mean square over the numbers of a code, in standard deviations of the posterior (for a model
    without one, as it is): for each window the nearest of the file's windows counts.
    """

    path: Path
    distance: float
    transposed: int = 0


@dataclass(frozen=True)
class Similar:
    """The nearest files, the nearest first.

    `files` is how many there are in the folder, `encoded` how many of them were encoded this time, and `skipped` names
    those that cannot be read, with what is wrong.
    """

    codec: Codec
    matches: list[Match]
    files: int
    encoded: int
    skipped: dict[str, str] = field(default_factory=dict)


def similar(
    source: Source,
    folder: Path | str,
    n: int = 10,
    *,
    preset: Codec | str | None = None,
    index: Path | None = None,
    only: str | None = None,
    report: Report | None = None,
    **read_options: Any,
) -> Similar:
    """Return the `n` files below `folder` that are nearest in code to a path, a stream or a sample.

    Each window of the source is compared with the nearest window of a file, and music in all twelve keys. The source
    itself is left out. `index` says where the codes of the folder are kept, see `folder_codes`. Raise MusicaeError as
    `interpolate` does, and for a folder in which nothing can be read.
    """
    check_number("the number of results", n, at_least=1)
    source = rereadable(source)
    codec = codec_for(preset, source, only=only)
    check_codes(codec)
    samples = dict(_in_all_keys(codec, source, read_options))  # A wrong file is found before a folder is read.
    found = folder_codes(Path(folder), codec, index, report)
    shifts, codes = list(samples), codes_of(codec, list(samples.values()))
    nearest, which = torch.stack([_distances(found, *one) for one in codes]).min(0)
    own = identity(Path(source)) if isinstance(source, str | Path) else None
    matches: list[Match] = []
    for i in nearest.argsort(stable=True).tolist():
        if len(matches) == n:
            break
        if own is None or identity(found.paths[i]) != own:
            matches.append(Match(found.paths[i], nearest[i].item(), shifts[int(which[i])]))
    if not matches:
        raise MusicaeError(f"{folder} has no other file to compare with; name another folder")
    return Similar(codec, matches, len(found.paths) + len(found.skipped), found.encoded, found.skipped)


def _in_all_keys(codec: Codec, source: Source, options: dict[str, Any]) -> Iterator[tuple[int, Sample]]:
    """Give a source as it is, and, where its adapter transposes, in the other keys; drums are the same in all."""
    first = read(codec, source, **options)
    yield 0, first
    if isinstance(source, Sample) or "transpose" not in inspect.signature(codec.adapter.read).parameters:
        return
    given = options.get("transpose") or 0
    for shift in (shift for shift in _KEYS if abs(given + shift) <= _FARTHEST):
        other = read(codec, source, **{**options, "transpose": given + shift}) if shift else first
        if not torch.equal(other.tensor, first.tensor):
            yield shift, other


def _distances(found: FolderCodes, mean: Tensor, logvar: Tensor | None) -> Tensor:
    """Return how far each file is from windows with codes ``(N, D)``, ``(files,)``; see `Match`."""
    scale = torch.ones(mean.shape[1]) if logvar is None else logvar.exp().mean(0).rsqrt()
    rows, owner = found.mean * scale, torch.repeat_interleave(torch.tensor(found.counts))
    sums, norms = torch.zeros(len(found.counts)), rows.square().sum(1)
    for part in torch.split(mean * scale, max(1, _AT_ONCE // len(rows))):
        squared = (norms + part.square().sum(1, keepdim=True) - 2 * part @ rows.T).clamp_min(0)
        table = torch.full((len(part), len(found.counts)), torch.inf)
        nearest = table.scatter_reduce(1, owner.expand_as(squared), squared, "amin")
        sums += (nearest / mean.shape[1]).sqrt().sum(0)
    return sums / len(mean)
