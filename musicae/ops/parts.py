"""Parts of a tensor with several, such as a band's: kept as they are in a file, left out, or alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import Line, MusicaeError, did_you_mean, line_of
from musicae.ops.conditions import chords_of

__all__ = ["Kept", "channels_of", "check_left_out", "check_parts", "keep", "playing", "sounding_alone"]


def check_parts(codec: Codec, parts: Sequence[str], option: str) -> list[str]:
    """Return the names of parts, each once, in the order of the tensor.

    Raise MusicaeError for one that the tensor does not have, and for a preset whose tensors have none; `option` is
    what the message calls it.
    """
    known = codec.spec.parts
    if parts and not known:
        raise MusicaeError(line_of(option, f": what '{codec.preset.name}' makes has no parts; leave it out"))
    for part in parts:
        if part not in known:
            raise MusicaeError(line_of(option, f": there is no part '{part}'{did_you_mean(part, known)}"))
    return [part for part in known if part in parts]


def playing(codec: Codec, sample: Sample) -> list[str]:
    """Return the names of the parts that play in a sample."""
    silent = sample.tensor == codec.blank_step()
    return [part for part, channels in codec.spec.parts.items() if not silent[channels].all()]


def check_left_out(codec: Codec, drop: Sequence[str], solo: Sequence[str]) -> list[str]:
    """Return the names of the parts that stay without those in `drop`, or with those in `solo` only.

    Raise MusicaeError as `check_parts` does, for both together, and where no part would stay.
    """
    left_out, alone = check_parts(codec, drop, "--drop"), check_parts(codec, solo, "--solo")
    if left_out and alone:
        raise MusicaeError("--drop and --solo both say what is left out; give one of them")
    stays = alone or [part for part in codec.spec.parts if part not in left_out]
    if left_out and not stays:
        raise MusicaeError("--drop leaves no part; drop fewer")
    return stays


def sounding_alone(
    codec: Codec, samples: Sequence[Sample], drop: Sequence[str] = (), solo: Sequence[str] = ()
) -> list[Sample]:
    """Return samples without the parts in `drop`, or with those in `solo` only.

    Raise MusicaeError as `check_left_out` does, and where nothing would be left of all samples together.
    """
    stays = check_left_out(codec, drop, solo)
    if not drop and not solo:
        return [*samples]
    present = {part for one in samples for part in playing(codec, one)}
    if not present & set(stays):
        wanted, found = (_listed([part for part in codec.spec.parts if part in own]) for own in (stays, present))
        raise MusicaeError(f"nothing of the result is left: it has no {wanted}; it has {found}")
    return [_alone(codec, one, stays) for one in samples]


def _alone(codec: Codec, sample: Sample, parts: Sequence[str]) -> Sample:
    """Return a sample in which only `parts` play."""
    return replace(sample, tensor=torch.where(channels_of(codec, parts), sample.tensor, codec.blank_step()))


@dataclass(frozen=True)
class Kept:
    """Parts of a sample that stay as they are in what is made of it."""

    codec: Codec
    sample: Sample
    parts: list[str]

    @property
    def channels(self) -> Tensor:
        """Which channels they have, bool ``(C, 1 ..., 1)``."""
        return channels_of(self.codec, self.parts)

    def chords(self) -> Tensor | None:
        """Return the chords of the sample, which what is made has to fit; None for parts without a pitch."""
        alone = _alone(self.codec, replace(self.sample, cond=None), self.parts)
        return None if chords_of(self.codec, alone) is None else chords_of(self.codec, self.sample)

    def in_tensor(self, made: Tensor) -> Tensor:
        """Return a tensor ``(C, *S)`` in which the kept parts replace its own."""
        return torch.where(self.channels, self.sample.tensor, made)

    def in_sample(self, made: Sample) -> Sample:
        """Return a sample in which the kept parts, with their programs and names, replace its own."""
        meta = self.codec.adapter.keep(made.meta, self.sample.meta, self.parts)
        return replace(made, tensor=self.in_tensor(made.tensor), meta=meta)


def keep(codec: Codec, sample: Sample, parts: Sequence[str], name: str) -> Kept | None:
    """Return the parts of a sample that are to stay; None for none. `name` is what messages call the sample.

    Raise MusicaeError as `check_parts` does, and for a part in which the sample has nothing.
    """
    chosen, present = check_parts(codec, parts, Line("--keep", "locks")), playing(codec, sample)
    for part in chosen:
        if part not in present:
            why = f"{name} has no {part}; it has {_listed(present)}"
            raise MusicaeError(Line(f"--keep {part}: {why}", f"the {part} cannot be locked: {why}; unlock it"))
    return Kept(codec, sample, chosen) if chosen else None


def channels_of(codec: Codec, parts: Sequence[str]) -> Tensor:
    """Return which channels parts have, bool ``(C, 1 ..., 1)``."""
    every = codec.spec.parts
    return torch.stack([every[part] for part in parts]).any(0).view(-1, *(1,) * len(codec.spec.shape))


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1])] * (len(parts) > 1) + [*parts[-1:]]) or "nothing"
