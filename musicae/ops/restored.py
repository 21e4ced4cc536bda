"""What restoring takes and gives: its options, and its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from musicae.core import Adapter, File, Sample, Source
from musicae.errors import MusicaeError, line_of
from musicae.ops.notebook import Block, Shown, quietly

__all__ = ["Report", "RestoreOptions", "Restored", "Target", "called"]

Report = Callable[[float, float], None]
"""Told how much is done, and of how much (0: it is not known): tiles of a picture, seconds of a recording."""

Target = str | Path | BinaryIO
"""Where a result goes: a file's path, or a binary stream."""

_DEFAULT_SCALE = 2


@dataclass(frozen=True)
class RestoreOptions:
    """How to restore.

    For recordings alone: `strength`, how much of the noise to take off, 0 to 1; `noise`, a file that gets what was
    taken off; `picture`, a PNG that gets the spectrograms of all three; `raw`, ``RATE:CHANNELS:FORMAT`` of a stream of
    samples without a header, such as ``48000:2:s16``. `scale` is by what to upscale, None for what the preset does.
    `read` are the adapter's options to read the file.
    """

    strength: float = 1.0
    noise: Path | None = None
    picture: Path | None = None
    scale: int | None = None
    raw: str = ""
    report: Report | None = None
    read: Mapping[str, Any] = field(default_factory=dict)

    @property
    def wanted_scale(self) -> int:
        """By what to upscale where the preset does not say it."""
        return _DEFAULT_SCALE if self.scale is None else self.scale


@dataclass
class Restored:
    """What came of a source.

    With a target, `path` is where it was written (None for a stream); without one, `sample` is the result and `given`
    what the network was given. `seconds` is the length of a recording, 0 for anything else. `notices` are for every
    user, `remarks` explain. `restore_all` sets `source`, and `error` where a file could not be restored.
    """

    preset: str = ""
    path: Path | None = None
    sample: Sample | None = None
    given: Sample | None = None
    seconds: float = 0.0
    notices: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    source: Path | None = None
    error: str = ""
    adapter: Adapter | None = field(default=None, repr=False)

    def _repr_html_(self) -> str | None:
        if self.path is not None and self.seconds:
            return quietly(
                lambda: Shown("Restored", self.preset, lines=[str(self.path), *self.notices], file=self.path)
            )
        if self.adapter is None or self.sample is None:
            return None
        pairs = (("Before", self.given), ("After", self.sample))
        blocks = [Block(self.adapter, [one], title) for title, one in pairs if one is not None]
        return quietly(lambda: Shown("Restored", self.preset, blocks, lines=self.notices))

    def save(self, file: Target) -> None:
        """Write the sample, to a path or a binary stream. Raise MusicaeError where there is none, or it cannot be."""
        if self.sample is None or self.adapter is None:
            raise MusicaeError("there is no sample to save: the result was written to its target")
        self.adapter.write(self.sample, Path(file) if isinstance(file, str) else file)

    def written_to(self, target: File | None, name: str) -> Restored:
        """Return this result, or where there is a target, what is left of it when it was written there.

        What could not be kept of the source called `name` is then among the notices, for every user.
        """
        if target is None:
            return self
        self.save(target)
        lost = [line_of(f"{name}: ", remark) for remark in (self.sample.remarks if self.sample else ())]
        remarks = [remark for remark in self.remarks if remark not in lost]
        made = replace(self, notices=[*self.notices, *lost], remarks=remarks, sample=None, given=None, adapter=None)
        made.path = target if isinstance(target, Path) else None
        return made


def called(source: Source) -> str:
    """Return what a source is called in messages: its path, or that it has none."""
    if isinstance(source, str | Path):
        return str(source)
    return "the sample" if isinstance(source, Sample) else "the stream"
