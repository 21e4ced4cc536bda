"""What a window has besides its values: attributes, such as its notes a bar, and what they are measured of.

It is a page of the contract in `musicae.core`, which names all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from musicae.errors import MusicaeError

__all__ = ["Attribute", "Notes", "Spectra"]


@dataclass(frozen=True)
class Notes:
    """The notes of windows, or of one part of them.

    `onsets` ``(B, P, T)``, bool, says where notes begin, `loudness` ``(B, T)`` how loud those of a step are in the
    mean, 0 to 1, and `late` ``(B, T)`` how many steps after it, where windows say so. Rows are the MIDI pitches from
    `low` up, or those of drums: then `classes` has their names.
    """

    onsets: Tensor
    steps_per_beat: int
    low: int = 0
    classes: tuple[str, ...] = ()
    loudness: Tensor | None = None
    late: Tensor | None = None


@dataclass(frozen=True)
class Spectra:
    """Windows of sound: their powers ``(B, F, T)`` at `frequencies` ``(F,)`` in Hz, in so many frames a second."""

    powers: Tensor
    frequencies: Tensor
    frames_per_second: float


class Attribute:
    """A number that describes a window; NaN where it has no meaning. Built as ``factory()``.

    It implements what it can be measured of. Adapters name the attributes of their windows (`Adapter.attributes`).
    """

    unit: ClassVar[str] = ""
    """In which it is measured, as ``"notes a bar"``; empty for a share or another plain number."""

    about: ClassVar[str] = ""
    """What it is, in a few words."""

    def of_notes(self, notes: Notes) -> Tensor:
        """Return it for windows of notes, ``(B,)``."""
        raise MusicaeError(f"{type(self).__name__} is not an attribute of notes")

    def of_spectra(self, spectra: Spectra) -> Tensor:
        """Return it for windows of sound, ``(B,)``."""
        raise MusicaeError(f"{type(self).__name__} is not an attribute of sounds")

    def of_pictures(self, pictures: Tensor) -> Tensor:
        """Return it for grey pictures ``(B, 1, H, W)`` of values 0 to 1, light on dark: ``(B,)``."""
        raise MusicaeError(f"{type(self).__name__} is not an attribute of pictures")
