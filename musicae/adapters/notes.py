"""What the adapters for files of notes share: reading, joining, mixing and sounding; each brings its own tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from musicae.adapters import grid, midi
from musicae.core import Sample, Spec
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from symusic.core import ScoreTick

__all__ = ["NoteAdapter"]


class NoteAdapter:
    """The base of adapters whose windows are bars of steps. One of them gives `from_score`, `write` and `blank`.

    Parameters
    ----------
    channels, likelihood : of the `Spec`.
    bars : length of a window in bars of 4/4.
    steps_per_beat : steps in a quarter note; 4 are sixteenths.
    """

    kind: ClassVar[str]
    """Which files it takes by itself, as `musicae.adapters.midi.kind` tells them apart."""

    def __init__(self, channels: int, likelihood: str, bars: int, steps_per_beat: int) -> None:
        if bars < 1 or steps_per_beat < 1:
            raise MusicaeError("[adapter] bars and steps_per_beat must be at least 1")
        self.steps_per_beat = steps_per_beat
        self._spec = Spec(channels, (bars * 4 * steps_per_beat,), likelihood)

    @property
    def spec(self) -> Spec:
        """One window: ``(C, bars * 4 * steps_per_beat)``."""
        return self._spec

    @classmethod
    def accepts(cls, path: Path) -> bool:
        """Tell whether a file is better read by this adapter than by another for the same suffix."""
        return midi.kind(path) == cls.kind

    def read(self, path: Path, *, track: str | int | None = None, bars: str | int | None = None) -> Sample:
        """Read a file.

        Parameters
        ----------
        path : a MIDI file (or an ABC file, where the adapter has that suffix).
        track : a track's number (from 1, over the tracks with notes) or (a piece of) its name; None leaves it to
            the adapter.
        bars : the bars wanted, as ``"5-8"`` or ``"3"``, numbered as in the file; None for all.

        Raises
        ------
        MusicaeError : a file that cannot be read, that has nothing for this adapter, or not the track or bars wanted.
        """
        score, remarks = midi.load(path)
        try:
            sample = self.from_score(score, track=track, bars=bars, source=Path(path).name)
        except MusicaeError as error:
            raise MusicaeError(f"{path}: {error}") from None
        sample.remarks[:0] = remarks
        return sample

    def from_score(
        self, score: ScoreTick, *, track: str | int | None = None, bars: str | int | None = None, source: str = ""
    ) -> Sample:
        """Return what `read` gives once a file is parsed; see there."""
        raise NotImplementedError

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Return the `meta` between several; see `musicae.adapters.grid.mix`."""
        return grid.mix(metas, weights)

    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Put samples one after another, each with its tempo, meter and program."""
        tensor = torch.cat([part.tensor for part in parts], dim=-1)
        remarks = [remark for part in parts for remark in part.remarks]
        return Sample(tensor, grid.concat(parts, self.steps_per_beat), parts[0].hop, remarks)

    def render(self, path: Path, wav: Path) -> str:
        """Write the sound of a file that `write` made; see `musicae.adapters.render.render`."""
        from musicae.adapters.render import render

        return render(path, wav)
