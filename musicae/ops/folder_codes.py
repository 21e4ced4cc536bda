"""The codes of a folder's files, kept in an index, so that only what is new or changed is encoded again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Sample
from musicae.datasets.shared.cache import cache_folder
from musicae.errors import WITH_PRESET, MusicaeError, line_of
from musicae.formats import arrays
from musicae.formats.atomic import make_folder
from musicae.formats.folders import paths_in
from musicae.ops.conditions import condition
from musicae.ops.inputs import read
from musicae.tensors import windows

__all__ = ["FolderCodes", "check_codes", "codes_of", "folder_codes", "key_of"]

Report = Callable[[int, int], None]
"""Called with how many files are done, and how many there are."""

_VERSION = 1  # Raise it when the same file gets other codes.
_KINDS = {"key": "U", "files": "U", "mean": "f"}
_TOGETHER = 512  # Windows that are encoded together.
_LONGEST = 300  # Characters of a reason that are kept.
_LARGEST = 60_000.0  # Number in a code that 16 bits hold.


@dataclass(frozen=True)
class FolderCodes:
    """The codes of a folder's files, `mean` ``(N, D)`` with `counts` ``(files,)`` rows for each of `paths`.

    `skipped` are the files that could not be read, with what is wrong; `encoded` tells how many were encoded this time.
    """

    paths: list[Path]
    counts: list[int]
    mean: Tensor
    skipped: dict[str, str]
    encoded: int


@dataclass
class _Entry:
    """A file as the index has it: its size and time, and its codes, or why there are none."""

    size: int
    time: int
    codes: Tensor
    reason: str = ""


def check_codes(codec: Codec) -> None:
    """Raise MusicaeError for a model without codes, or whose codes need a class that files do not tell."""
    if not codec.model.latent_size:
        raise MusicaeError(f"the preset '{codec.preset.name}' has no codes to compare; use one with an autoencoder")
    if codec.model.condition is not None and not codec.model.condition.optional:
        raise MusicaeError(line_of(f"'{codec.preset.name}' needs a label for each file; choose another ", WITH_PRESET))


def codes_of(codec: Codec, samples: Sequence[Sample]) -> list[tuple[Tensor, Tensor | None]]:
    """Return the codes of samples: ``mean`` and ``logvar`` ``(N, D)`` of each, a window at every half of its hop."""
    cut, conds = [], []
    for one in samples:
        hop = max(1, (one.hop or codec.spec.shape[-1]) // 2)
        cut.append(windows.split(one.tensor, codec.spec.shape[-1], hop, codec.blank_step()))
        halved = Sample(one.tensor, one.meta, hop, cond=one.cond)
        conds.append(condition(codec, None, len(cut[-1]), halved))
    given = [cond for cond in conds if cond is not None]
    latent = codec.encode(torch.cat(cut), torch.cat(given) if given else None)
    counts = [len(x) for x in cut]
    logvars = [None] * len(cut) if latent.logvar is None else torch.split(latent.logvar, counts)
    return list(zip(torch.split(latent.mean, counts), logvars, strict=True))


def folder_codes(folder: Path, codec: Codec, index: Path | None = None, report: Report | None = None) -> FolderCodes:
    """Return the codes of all files below `folder` that the codec's adapter reads.

    They are kept in `index`, an ``.npz`` file, by default one in the cache. A file counts as unchanged while its size
    and time are. After an interruption what has been encoded is kept too. Raise MusicaeError for a folder that is
    missing or without such a file, or an `index` that is something else, of another preset, or cannot be written.
    """
    check_codes(codec)
    if not folder.is_dir():
        raise MusicaeError(f"there is no folder {folder}; check the name")
    suffixes = codec.adapter.suffixes
    if not (found := paths_in(folder, suffixes)):
        raise MusicaeError(f"{folder} has no file that can be read ({', '.join(sorted(suffixes))}); name another")
    key = key_of(codec)
    place = index or _usual_place(folder, key)
    known = _load(place, key, codec.model.latent_size, named=index is not None)
    start, entries, new = f"{folder}{os.sep}", {}, []
    for path in found:
        name, (size, time) = path.removeprefix(start), _stamp(path)
        old = known.get(name)
        if old is not None and (old.size, old.time) == (size, time):
            entries[name] = old
        else:
            entries[name] = _Entry(size, time, torch.zeros(0), "not read")
            new.append(name)
    if new or entries.keys() != known.keys():
        try:
            _encode(codec, folder, entries, new, report)
        finally:
            _save(place, key, {name: one for name, one in entries.items() if one.reason != "not read"}, index)
    good = {name: one for name, one in entries.items() if not one.reason}
    mean = torch.cat([one.codes for one in good.values()] or [torch.zeros(0, codec.model.latent_size)]).float()
    skipped = {str(folder / name): one.reason for name, one in entries.items() if one.reason}
    if not good:
        first = next(iter(skipped.values()))
        raise MusicaeError(f"none of the {len(skipped)} files in {folder} can be read; the first: {first}")
    return FolderCodes([folder / name for name in good], [len(x.codes) for x in good.values()], mean, skipped, len(new))


def _stamp(path: str) -> tuple[int, int]:
    try:
        stat = os.stat(path)  # noqa: PTH116, since making a hundred thousand paths takes a second.
    except OSError:  # It may have been deleted meanwhile; reading it says so.
        return -1, -1
    return stat.st_size, stat.st_mtime_ns


def _encode(
    codec: Codec, folder: Path, entries: dict[str, _Entry], names: Sequence[str], report: Report | None
) -> None:
    """Encode the files of `names`, some together, and put what comes of them into `entries`."""
    waiting: dict[str, Sample] = {}
    steps = 0
    for done, name in enumerate(names):
        if report:
            report(done, len(names))
        try:
            waiting[name] = read(codec, folder / name)
            steps += waiting[name].tensor.shape[-1]
        except MusicaeError as error:
            entries[name].reason = " ".join(str(error).split())[:_LONGEST] or "it cannot be read"
        if steps >= _TOGETHER * codec.spec.shape[-1] / 2:
            _finish(codec, entries, waiting)
            waiting, steps = {}, 0
    _finish(codec, entries, waiting)
    if report:
        report(len(names), len(names))


def _finish(codec: Codec, entries: dict[str, _Entry], waiting: dict[str, Sample]) -> None:
    if not waiting:
        return
    for name, (mean, _) in zip(waiting, codes_of(codec, list(waiting.values())), strict=True):
        entries[name].codes = mean.clamp(-_LARGEST, _LARGEST).half()
        entries[name].reason = "" if bool(mean.isfinite().all()) else "its code is not finite"


# --- the file of the index -----------------------------------------------------------------------------------------


def key_of(codec: Codec) -> str:
    """Return a text that is the same for the same weights and adapter."""
    settings = [_VERSION, codec.preset.sections["adapter"], codec.preset.sections.get("lower")]
    digest = hashlib.blake2b(json.dumps(settings, sort_keys=True, default=str).encode(), digest_size=16)
    for name, tensor in codec.model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _usual_place(folder: Path, key: str) -> Path:
    real = hashlib.blake2b(os.fsencode(os.path.realpath(folder)), digest_size=16).hexdigest()
    return cache_folder() / "folders" / f"{real}-{key}.npz"


def _load(place: Path, key: str, size: int, *, named: bool) -> dict[str, _Entry]:
    """Return what an index holds, nothing for one that does not exist.

    One in the cache that is damaged is made again; of one that the user has `named`, raise MusicaeError.
    """
    if not place.exists():
        return {}
    try:
        return dict(_entries(place, key, size))
    except (MusicaeError, KeyError, IndexError, ValueError, TypeError) as error:
        if not named:
            return {}
        if isinstance(error, _OtherPresetError):
            raise
        raise MusicaeError(f"{place} is no index of a folder; name another file, or remove it") from None


class _OtherPresetError(MusicaeError):
    """An index has the codes of another model."""


def _entries(place: Path, key: str, size: int) -> Iterator[tuple[str, _Entry]]:
    found = arrays.load(place, _KINDS)
    if str(found["key"]) != key:
        raise _OtherPresetError(f"{place} is an index of another preset; name another file, or remove it")
    files, mean = json.loads(str(found["files"])), torch.from_numpy(found["mean"])
    if mean.ndim != 2 or mean.shape[1] != size or sum(count for *_, count, _ in files) != len(mean):
        raise ValueError
    at = 0
    for name, length, time, count, reason in files:
        if not (isinstance(name, str) and isinstance(reason, str) and count >= 0 and (count > 0) == (not reason)):
            raise ValueError
        yield name, _Entry(int(length), int(time), mean[at : at + count], reason)
        at += count


def _save(place: Path, key: str, entries: dict[str, _Entry], named: Path | None) -> None:
    """Write an index; one in the cache only saves time, and may fail."""
    rows = [(name, one.size, one.time, len(one.codes), one.reason) for name, one in entries.items()]
    codes = [one.codes.half() for one in entries.values() if not one.reason]
    mean = torch.cat(codes).numpy() if codes else np.zeros((0, 1), np.float16)
    try:
        make_folder(place.parent)
        arrays.save({"key": np.array(key), "files": np.array(json.dumps(rows)), "mean": mean}, place)
    except MusicaeError:
        if named is not None:
            raise
