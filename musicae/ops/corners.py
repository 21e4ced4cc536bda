"""The corners of a walk, a grid or a pad: samples brought to one length and one hop, and their codes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.conditions import Label, condition, with_chords
from musicae.ops.parts import Kept
from musicae.ops.parts import keep as parts_to_keep
from musicae.ops.progression import counted, meter_of, progression

__all__ = ["Corner", "Corners", "encoded"]


@dataclass(frozen=True)
class Corner:
    """One input: its `sample`, what messages call it, and its class, for a model that is conditional on one.

    `code` ``(1, D)`` is that of a draw, which the sample, one window or more of them alike, was decoded from. Nothing
    is said of one that `repeats` where it is made as long as the others: that is what it is there for.
    """

    sample: Sample
    name: str
    label: Label | None = None
    code: Tensor | None = None
    repeats: bool = False


@dataclass
class Corners:
    """Inputs of one length: their `samples`, codes ``(inputs, N, D)`` and conditions, each ``(N, K)`` or ``(N, K, T)``.

    `conds` is empty for a model that is not conditional. `kept` are the parts of the first that stay as they are.
    `notices` say what was done to inputs that do not fit together.
    """

    codec: Codec
    samples: list[Sample]
    codes: Tensor
    conds: list[Tensor]
    kept: Kept | None = None
    notices: list[str] = field(default_factory=list)


def encoded(
    codec: Codec,
    corners: Sequence[Corner],
    align: str | None = None,
    keep: Sequence[str] = (),
    chords: str | None = None,
    cut_chords: bool = False,
) -> Corners:
    """Return corners of one length and their codes.

    `align`, `keep` and `chords` are as for `musicae.interpolate`; `cut_chords` cuts chords that are too long.
    Raise MusicaeError for parts that the first does not have, chords that do not exist, or a label that is missing.
    """
    notices, first = list[str](), corners[0]
    kept = parts_to_keep(codec, first.sample, keep, first.name)
    how = codec.adapter.default_align if align is None else align
    samples = _align(codec, corners, how, notices, as_first=kept is not None)
    kept = kept and replace(kept, sample=samples[0])
    asked = kept.chords() if kept else None
    if chords is not None:
        asked, repeated = progression(codec, chords, samples[0], first.name, cut=cut_chords)
        notices += repeated
    if asked is not None:
        samples = [with_chords(codec, one) for one in samples]
    splits = [codec.split(one) for one in samples]
    conds = [condition(codec, c.label, len(x), one) for c, x, one in zip(corners, splits, samples, strict=True)]
    codes = torch.stack([_code(codec, c, x, cond) for c, x, cond in zip(corners, splits, conds, strict=True)])
    if asked is not None:
        over = codec.split_cond(replace(samples[0], cond=asked))
        codes = torch.stack([codec.under(z, own, over) for z, own in zip(codes, conds, strict=True)])
        conds = [over] * len(samples)
    return Corners(codec, samples, codes, [cond for cond in conds if cond is not None], kept, notices)


def _code(codec: Codec, corner: Corner, x: Tensor, cond: Tensor | None) -> Tensor:
    """Return the codes of a corner's windows ``(N, C, *S)``; a draw has its own where its windows are whole."""
    first = corner.sample.tensor[..., : x.shape[-1]]
    if corner.code is not None and all(torch.equal(window, first) for window in x):
        return corner.code.expand(len(x), -1)
    return codec.encode(x, cond, refine=True).mean


# --- inputs of different lengths -----------------------------------------------------------------------------------


def _align(codec: Codec, corners: Sequence[Corner], how: str, notices: list[str], *, as_first: bool) -> list[Sample]:
    """Return the samples of corners in one length, with `as_first` that of the first, and one hop; say how."""
    if how not in ("loop", "trim", "pad"):
        raise MusicaeError(f"align must be 'loop', 'trim' or 'pad', not '{how}'")
    samples, size = [corner.sample for corner in corners], codec.spec.shape[-1]
    hops = {one.hop or size for one in samples}
    hop = hops.pop() if len(hops) == 1 else size
    if hops:
        blank = replace(samples[0], meta=codec.adapter.blank())
        (count,), unit = counted(codec, blank, size)
        meter = f" of {meter_of(codec, blank)}" if unit == "bars" else ""
        notices.append(f"the inputs have different bars; all are cut into windows of {count} {unit}{meter}")
    lengths = [one.tensor.shape[-1] for one in samples]
    length = lengths[0] if as_first else min(lengths) if how == "trim" else max(lengths)
    aligned = []
    for corner, one, own in zip(corners, samples, lengths, strict=True):
        if own != length and not corner.repeats:
            longer = {"loop": "it was looped", "trim": "it was looped", "pad": "silence was added"}[how]
            done = "it was cut" if own > length else longer
            like = samples[lengths.index(length)]
            notices.append(f"{corner.name} has {_durations(codec, one, like)}; {done}")
        aligned.append(replace(_fit(codec, one, length, how), hop=hop))
    return aligned


def _durations(codec: Codec, one: Sample, other: Sample) -> str:
    """Return what length a sample has, and which it is to have, that of another: bars of both, or the same unit."""
    own, length = one.tensor.shape[-1], other.tensor.shape[-1]
    meters = [meter_of(codec, sample) for sample in (one, other)]
    if meters[0] != meters[1] and all(meters):
        (a,), unit = counted(codec, one, own)
        (b,), others = counted(codec, other, length)
        if unit == others == "bars":
            return f"{a} {'bar' if a == '1' else unit} of {meters[0]}, not {b} of {meters[1]}"
    (a, b), unit = counted(codec, one, own, length)
    if unit == "s":
        return f"{a} s, not {b} s"
    return f"{a} {unit if a != '1' else unit.removesuffix('s')}, not {b}"


def _fit(codec: Codec, one: Sample, length: int, how: str) -> Sample:
    own = one.tensor.shape[-1]
    cond = one.cond
    if own < length and how != "pad":
        times = math.ceil(length / own)
        one = codec.adapter.concat([one] * times)
        cond = cond.repeat(1, times) if cond is not None and cond.ndim == 2 else cond
    elif own < length:
        rest = codec.blank_step().to(one.tensor).expand(*one.tensor.shape[:-1], length - own)
        one = replace(one, tensor=torch.cat([one.tensor, rest], dim=-1))
        if cond is not None and cond.ndim == 2:
            cond = torch.nn.functional.pad(cond, (0, length - own))
    if cond is not None and cond.ndim == 2:
        cond = cond[:, :length]
    return replace(one, tensor=one.tensor[..., :length], cond=cond)
