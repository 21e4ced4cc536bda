"""Variations of a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Sample, Source
from musicae.errors import MusicaeError
from musicae.ops.choose import codec_for
from musicae.ops.conditions import Label, condition, with_chords
from musicae.ops.inputs import check_number, name_of, read_all, rereadable
from musicae.ops.made import Samples
from musicae.ops.parts import Kept
from musicae.ops.parts import keep as parts_to_keep
from musicae.ops.progression import progression
from musicae.ops.shift import shift_samples
from musicae.tensors import latent
from musicae.tensors.random import generator

__all__ = ["usual_similarity", "vary"]

_CLOSE_ENOUGH = 0.02  # Off the similarity that was asked for: the search ends.
_FIRST_TIMES = (0.25, 0.5, 0.75, 1.0)  # On the way to a draw; between them the way is straight.
_ROUNDS = 5  # In which the place between two of them is narrowed down.
_AT_ONCE = 32  # Windows decoded together in a round; an input with more is tried at one place at a time.
_MAX_DRAWS = 8  # Ways tried for a variation: each changes the output in jumps of its own.
_COMPARED = 3  # Of these the one is taken whose music the decoder is surest of.
_FEW_WINDOWS = 200  # Decoded for a variation, after which no more ways are compared.
_MAX_WINDOWS = 600  # Decoded for a variation, after which no other way is tried: bounds the time of a long input.


def vary(
    source: Source,
    similarity: float | None = None,
    n: int = 1,
    *,
    preset: Codec | str | None = None,
    seed: int = 0,
    label: Label | None = None,
    keep: Sequence[str] = (),
    chords: str | None = None,
    shift: Sequence[str] = (),
    notices: list[str] | None = None,
    **read_options: Any,
) -> list[Sample]:
    """Return `n` variations of a file, in which about the share `similarity` (by default .7) stays as it was.

    For notes that is the share of the steps of the grid; for pictures and sound see `Likelihood.likeness`. A variation
    lies on the way from the file to a draw from the prior: similarity 1 is the file as the preset reconstructs it,
    0 the draw. In between, where on the way is searched for, and no variation equals the file or another one as long
    as the preset can tell them apart. Two unrelated tunes have many steps in common; less than that cannot be reached.

    All windows of one variation move towards the same draw, so that they go on fitting together.
    `source` is a path, a stream or a sample; `label` is its class, for a conditional preset. The parts in `keep`, such
    as ``["melody"]``, stay as they are, and count as that; the others vary over the chords of the file. With
    `chords`, a progression as ``"C | G7 Am7 | F"`` that is repeated as often as needed, the file is played over those:
    what stays is measured against that, and by default all of it does. Attributes of the variations are those of the
    file, changed as `shift` says (``["density=+1"]``, see `musicae.shift`). `notices` gets what the user is to know,
    the first variation's `remarks` explain each choice. Raise MusicaeError as `interpolate` does.
    """
    check_number("the number of results", n, at_least=1)
    similarity = usual_similarity(chords) if similarity is None else similarity
    if not 0 <= similarity <= 1:
        raise MusicaeError(f"similarity must be between 0 and 1, not {similarity}")
    source = rereadable(source)
    codec = codec_for(preset, source)
    (one,), remarks = read_all(codec, [source], read_options)
    kept = parts_to_keep(codec, one, keep, name_of(source))
    target = kept.chords() if kept else None
    if chords is not None:
        target, repeated = progression(codec, chords, one, name_of(source))
        if notices is not None:
            notices += repeated
    own = condition(codec, label, len(codec.split(one)), one if target is None else with_chords(codec, one))
    one = one if target is None else replace(one, cond=target)
    asked = own if target is None else codec.split_cond(one)
    search = _Search(codec, one, own, asked, kept, moved=chords is not None)
    variations = []
    for i, draw in enumerate(codec.noise(n, seed)):
        others = codec.noise(_MAX_DRAWS - 1, generator(seed, 47, i).initial_seed())
        found = search.find(similarity, [draw, *others])
        if 0 < similarity < 1:
            remarks.append(f"variation {i + 1}: {found.likeness:.0%} is as it was")
        variations.append(replace(one, tensor=found.tensor, remarks=[]))
    if shift:
        variations, said = shift_samples(codec, variations, shift, one, keep, seed)
        if notices is not None:
            notices += said
    variations[0].remarks = remarks
    return Samples(codec, variations)


def usual_similarity(chords: str | None) -> float:
    """Return the similarity of variations: .7, or 1 if all that is asked for is other chords."""
    return 0.7 if chords is None else 1.0


@dataclass(frozen=True)
class _Point:
    """What lies at one place on the way to a draw: its codes ``(N, D)``, its tensor, and how like the file that is."""

    codes: Tensor
    tensor: Tensor
    likeness: float
    unsure: float
    """By how many nats a window the decoder is unsure of what it writes there."""


class _Search:
    """Looks for variations of a sample, no two of them equal.

    `own` are the conditions of the sample's windows, `asked` those of what is made. With other chords than its own,
    `moved`, what the sample becomes under them is what variations are compared with.
    """

    def __init__(
        self, codec: Codec, sample: Sample, own: Tensor | None, asked: Tensor | None, kept: Kept | None, *, moved: bool
    ) -> None:
        self.codec, self.sample, self.kept = codec, sample, kept
        code = codec.encode(codec.split(sample), own, refine=True).mean
        code = code if asked is own else codec.under(code, own, asked)
        self.cond = asked
        self.place = codec.to_noise(code, self.cond)
        self.drift = code - codec.from_noise(self.place, self.cond)  # The way there and back is not quite exact.
        (tensor,), unsure = self._decode(code[None])
        # Values that are right or wrong can be compared with the file itself; of real ones every one differs.
        self.reference = sample.tensor if codec.likelihood.discrete and not moved else tensor
        self.far = tensor
        # A single step of a short tune may be more.
        self.tolerance = max(_CLOSE_ENOUGH, 1 / math.prod(sample.tensor.shape[1:]))
        (self.start,) = self._points(code[None], [tensor], unsure)
        self.taken = {self._key(sample.tensor), self._key(tensor)}

    def find(self, similarity: float, draws: list[Tensor]) -> _Point:
        """Return a variation; each of the `draws` ``(D,)`` gives a way on which it may lie."""
        if similarity == 1:
            return self.start
        goal = min(similarity, self.start.likeness)  # No more can be kept than the preset can reconstruct.
        best: _Point | None = None
        windows = 0

        def rank(point: _Point) -> tuple[float, float]:
            return max(0.0, abs(point.likeness - goal) - self.tolerance), point.unsure

        for i, draw in enumerate(draws, start=1):
            for points in self._along(draw, goal):
                windows += len(points) * len(self.place)
                for point in sorted(points, key=rank):
                    if best and rank(point) >= rank(best):
                        break
                    if similarity == 0 or self._key(point.tensor) not in self.taken:
                        best = point
                        break
                if any(rank(point)[0] == 0 for point in points):
                    break
            enough = i >= _COMPARED or windows > _FEW_WINDOWS
            if best and (similarity == 0 or windows > _MAX_WINDOWS or (enough and rank(best)[0] == 0)):
                break
        found = best or points[-1]
        self.taken.add(self._key(found.tensor))
        return found

    def _along(self, draw: Tensor, goal: float) -> Iterator[list[_Point]]:
        """Go through places on the way to a draw, nearer and nearer to where the likeness is `goal`."""
        end = draw.expand_as(self.place)
        times = torch.tensor(_FIRST_TIMES if goal else [1.0])
        noise = latent.path(self.place, end, times, spherical=True)
        codes = self.codec.from_noise(noise.flatten(0, 1), self._repeated(len(times))).view(noise.shape)
        codes = codes + (1 - times).view(-1, 1, 1) * self.drift
        tensors, unsure = self._decode(codes)
        self.far = tensors[-1]
        points = self._points(codes, tensors, unsure)
        yield points
        path = [self.start, *points]
        count = max(1, min(7, _AT_ONCE // len(self.place)))
        for _ in range(_ROUNDS):
            before = max(i for i, point in enumerate(path) if i == 0 or point.likeness >= goal)
            if before == len(path) - 1:
                return
            a, b = path[before], path[before + 1]
            between = latent.path(a.codes, b.codes, torch.linspace(0, 1, count + 2)[1:-1])
            points = self._points(between, *self._decode(between))
            yield points
            path = [a, *points, b]

    def _points(self, codes: Tensor, tensors: list[Tensor], unsure: list[float]) -> list[_Point]:
        likeness = self.codec.likelihood.likeness
        shares = [likeness(self.reference[None], one[None], self.far[None]).item() for one in tensors]
        return [_Point(*point) for point in zip(codes, tensors, shares, unsure, strict=True)]

    def _decode(self, codes: Tensor) -> tuple[list[Tensor], list[float]]:
        """Return the tensors ``(C, *S)`` of codes ``(S, N, D)``, and how unsure the decoder is of each."""
        cond = self._repeated(len(codes))
        windows, nll = self.codec.decode_with_nll(codes.flatten(0, 1), cond)
        length = self.sample.tensor.shape[-1]
        parts = windows.view(*codes.shape[:2], *windows.shape[1:])
        joined = [self.codec.join(part, self.sample.hop, length) for part in parts]
        joined = [self.kept.in_tensor(one) for one in joined] if self.kept else joined
        return joined, nll.view(codes.shape[:2]).mean(1).tolist()

    def _repeated(self, times: int) -> Tensor | None:
        return None if self.cond is None else self.cond.repeat(times, *(1,) * (self.cond.ndim - 1))

    def _key(self, tensor: Tensor) -> Any:
        """Return what two tensors have in common if what is written of them is the same."""
        rolls = self.codec.adapter.rolls(replace(self.sample, tensor=tensor))
        return tuple(tuple(roll.notes) for roll in rolls) or tensor.numpy().tobytes()
