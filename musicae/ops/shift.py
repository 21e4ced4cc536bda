"""Change attributes of a file, such as its notes a bar, and leave the rest as it is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Sample, Source
from musicae.errors import MusicaeError
from musicae.ops.attributes import Fitted, Trait, find
from musicae.ops.attributes import load as load_attributes
from musicae.ops.choose import codec_for
from musicae.ops.conditions import Label, condition
from musicae.ops.inputs import check_number, name_of, read_all, rereadable
from musicae.ops.made import Samples
from musicae.ops.notebook import Block, Shown, quietly
from musicae.ops.parts import channels_of
from musicae.ops.shifting import Mover

__all__ = ["Change", "Shifted", "Wish", "held", "shift", "shift_samples", "shift_windows", "wishes"]

_MISSED = 0.3  # Standard deviations off what was asked for, from which that is out of reach.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")

Report = Callable[[int, int], None]
"""Called with how many windows are done, and how many there are."""


@dataclass(frozen=True)
class Wish:
    """An attribute by its number, and by how many standard deviations it is to change, or what it is to be."""

    number: int
    by: float | None = None
    to: float | None = None


@dataclass(frozen=True)
class Change:
    """The mean of an attribute over a file: what it `was`, what was `asked` for, and what it `is` at each step."""

    name: str
    unit: str
    was: float
    asked: float
    steps: list[float]
    spread: float

    def line(self) -> str:
        """Return it in words."""
        moved = (self.steps[-1] - self.was) / self.spread
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.name}: was {self.was:.3g}, is {self.steps[-1]:.3g}{unit} ({moved:+.2f} standard deviations)"

    @property
    def missed(self) -> bool:
        """Whether it did not come near what was asked for."""
        return abs(self.steps[-1] - self.asked) > _MISSED * self.spread


@dataclass
class Shifted:
    """A file whose attributes are changed: `parts`, one for each step, and how its attributes changed.

    `changes` are those that were asked for, `others` the rest. `notices` are what the user is to know, `remarks`
    explain each choice.
    """

    codec: Codec
    parts: list[Sample]
    changes: list[Change]
    others: list[Change]
    notices: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def _repr_html_(self) -> str | None:
        lines = [*(change.line() for change in self.changes), *self.notices]
        titles = [str(i) for i in range(1, len(self.parts) + 1)] if len(self.parts) > 1 else []
        block = Block(self.codec.adapter, self.parts, titles=titles)
        return quietly(lambda: Shown("Attributes changed", self.codec.preset.name, [block], lines=lines))


def shift(
    source: Source,
    *words: str,
    preset: Codec | str | None = None,
    steps: int = 1,
    seed: int = 0,
    label: Label | None = None,
    report: Report | None = None,
    **read_options: Any,
) -> Shifted:
    """Change attributes of a file, as ``"density=+1"`` and ``"syncopation=-0.5"`` say.

    A number with a sign is in standard deviations of the training data; one without is what the attribute is to be, in
    its unit, in the mean over the file. The code of each window is moved by as much, in the directions that were fitted
    (see `musicae.ops.attributes`); then what it stands for is measured, and the move corrected. The other attributes
    and as many steps as possible stay as they are; of a band, so do all parts that no word names.

    `source` is a path, a stream or a sample; with several `steps` the first is the file as the preset reconstructs it,
    the last has all of the change. `seed` says where corrections are looked for. `label` is the file's class, for a
    conditional preset, `read_options` are the adapter's. Raise MusicaeError for an attribute that the preset does not
    have, or that has no meaning for the file, and as `interpolate` does.
    """
    check_number("steps", steps, at_least=1)
    source = rereadable(source)
    codec = codec_for(preset, source)
    fitted = load_attributes(codec)
    wanted = wishes(fitted, words)
    (one,), remarks = read_all(codec, [source], read_options)
    x = codec.split(one)
    cond = condition(codec, label, len(x), one)
    mover = Mover(codec, fitted, x, cond, _kept(codec, fitted, wanted), seed)
    change = _changes(fitted, wanted, mover.own, name_of(source))
    shares = [1.0] if steps == 1 else torch.linspace(0, 1, steps).tolist()
    parts, found, now = [], [], mover.start
    for share in shares:
        now = mover.start if share == 0 else mover.to(mover.own + share * change, now, report)
        tensor = codec.join(now.windows, one.hop, one.tensor.shape[-1])
        parts.append(replace(one, tensor=tensor, remarks=[]))
        found.append(fitted.values(codec, codec.split(parts[-1])).nanmean(0))
    was, asked = mover.own.nanmean(0), change.nan_to_num()
    every = [_change(trait, was[k], asked[k], found, k) for k, trait in enumerate(fitted.traits)]
    moved = [every[wish.number] for wish in wanted]
    return Shifted(
        codec, Samples(codec, parts), moved, [one for one in every if one not in moved], _missed(moved), remarks
    )


def wishes(fitted: Fitted, words: Sequence[str]) -> list[Wish]:
    """Return what words such as ``"density=+1"`` ask for.

    Raise MusicaeError for one that cannot be understood, an attribute that there is not, or that two words name.
    """
    if not words:
        raise MusicaeError(f"nothing is to change; say what, such as {fitted.names[0]}=+1")
    wanted: list[Wish] = []
    for word in words:
        name, equals, text = (part.strip() for part in word.partition("="))
        number = find(fitted, name.lower())
        if not equals or not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
            raise MusicaeError(
                f"'{word}' is not understood; write {name}=+1 (a standard deviation more), {name}=-0.5 (half of one "
                f"less) or {name}={fitted.traits[number].mean:.2g} (in its unit)"
            )
        if number in [wish.number for wish in wanted]:
            raise MusicaeError(f"'{name}' is named twice; say once what is to become of it")
        signed = text[0] in "+-"
        wanted.append(Wish(number, by=float(text)) if signed else Wish(number, to=float(text)))
    return wanted


def shift_samples(
    codec: Codec,
    samples: Sequence[Sample],
    words: Sequence[str],
    like: Sample | None = None,
    keep: Sequence[str] = (),
    seed: int = 0,
) -> tuple[list[Sample], list[str]]:
    """Return samples with attributes changed as `words` say, counted from those of `like`, or else from their own.

    With them come lines that say what each attribute was and is. Raise MusicaeError as `wishes` does, and for a word
    that names one of the parts to `keep`.
    """
    fitted = load_attributes(codec)
    wanted = wishes(fitted, words)
    for name in (fitted.names[wish.number] for wish in wanted):
        if (part := name.rpartition(".")[0]) in keep:
            raise MusicaeError(f"--keep {part} leaves the {part} as it is, and {name} is to change; leave one out")
    of = None if like is None else fitted.values(codec, codec.split(like)).nanmean(0)
    made, lines = [], []
    for i, one in enumerate(samples, start=1):
        mover = _mover(codec, fitted, one, wanted, seed)
        by = _changes(fitted, wanted, mover.own, f"result {i}", of)
        made.append(_moved(codec, one, mover, mover.own + by))
        found = [fitted.values(codec, codec.split(made[-1])).nanmean(0)]
        was, asked = mover.own.nanmean(0), by.nan_to_num()
        for k in (wish.number for wish in wanted):
            change = _change(fitted.traits[k], was[k], asked[k], found, k)
            lines += [f"result {i}: {line}" for line in (change.line(), *_missed([change]))]
    return made, lines


def shift_windows(
    codec: Codec,
    fitted: Fitted,
    x: Tensor,
    codes: Tensor,
    cond: Tensor | None,
    by: Mapping[str, float],
    seed: int = 0,
    *,
    exact: bool,
) -> tuple[Tensor, list[Change]]:
    """Return windows ``(N, C, *S)`` that were decoded from `codes`, with attributes changed by standard deviations.

    With them comes what became of each. `exact` tries as long as the other verbs do, and keeps all other attributes;
    else few places are tried, for whoever waits for it. Raise MusicaeError as `wishes` does.
    """
    wanted = wishes(fitted, [f"{name}={change:+f}" for name, change in by.items()])
    if not exact:
        fitted = fitted.only([wish.number for wish in wanted])
        wanted = [replace(wish, number=k) for k, wish in enumerate(wanted)]
    mover = Mover(codec, fitted, x, cond, _kept(codec, fitted, wanted), seed, codes)
    change = _changes(fitted, wanted, mover.own, "what is here")
    moved = mover.to(mover.own + change) if exact else mover.near(mover.own + change)
    was, asked, found = mover.own.nanmean(0), change.nan_to_num(), [moved.values.nanmean(0)]
    changes = [_change(fitted.traits[k], was[k], asked[k], found, k) for k in (wish.number for wish in wanted)]
    return moved.windows, changes


def held(codec: Codec, samples: Sequence[Sample], names: Sequence[str], like: Sample, seed: int = 0) -> list[Sample]:
    """Return samples with the attributes `names` of a sample that is as long, window by window.

    Raise MusicaeError for an attribute that the preset does not have.
    """
    fitted = load_attributes(codec)
    wanted = [Wish(find(fitted, name), by=0.0) for name in names]
    values = fitted.values(codec, codec.split(like))
    asked = torch.full_like(values, torch.nan)
    for wish in wanted:
        asked[:, wish.number] = values[:, wish.number]
    return [_moved(codec, one, _mover(codec, fitted, one, wanted, seed), asked) for one in samples]


def _mover(codec: Codec, fitted: Fitted, one: Sample, wanted: Sequence[Wish], seed: int) -> Mover:
    x = codec.split(one)
    return Mover(codec, fitted, x, condition(codec, None, len(x), one), _kept(codec, fitted, wanted), seed)


def _moved(codec: Codec, one: Sample, mover: Mover, asked: Tensor) -> Sample:
    tensor = codec.join(mover.to(asked).windows, one.hop, one.tensor.shape[-1])
    return replace(one, tensor=tensor)


def _kept(codec: Codec, fitted: Fitted, wanted: Sequence[Wish]) -> Tensor | None:
    """Return the channels of all parts that are not to change, bool ``(C, 1 ..., 1)``; None where there are none.

    An attribute that names no part is one of all of them.
    """
    named = {fitted.names[wish.number].rpartition(".")[0] for wish in wanted}
    others = [part for part in codec.spec.parts if not named & {part, ""}]
    return channels_of(codec, others) if others else None


def _changes(fitted: Fitted, wanted: Sequence[Wish], own: Tensor, name: str, of: Tensor | None = None) -> Tensor:
    """Return by how much each attribute of windows ``(N, K)`` is to change, ``(K,)``, NaN for those that are to stay.

    Wishes with a sign are counted from the means `of` another file ``(K,)``, or from their own.
    """
    was = own.nanmean(0)
    change = torch.full_like(was, torch.nan)
    for wish in wanted:
        trait = fitted.traits[wish.number]
        if was[wish.number].isnan():
            raise MusicaeError(
                f"{name} has no {trait.name}: what that is measured of is missing; change something else"
            )
        start = was if of is None or of[wish.number].isnan() else of
        to = start[wish.number] + wish.by if wish.by is not None else _standard(trait, wish.to)
        change[wish.number] = to - was[wish.number]
    return change


def _standard(trait: Trait, value: float | None) -> float:
    assert value is not None
    return (value - trait.mean) / trait.spread


def _change(trait: Trait, was: Tensor, by: Tensor, found: Sequence[Tensor], k: int) -> Change:
    def real(value: float) -> float:
        return round(trait.mean + trait.spread * value, 6) + 0.0  # No -0.

    steps = [real(values[k].item()) for values in found]
    return Change(trait.name, trait.unit, real(was.item()), real((was + by).item()), steps, trait.spread)


def _missed(changes: Sequence[Change]) -> list[str]:
    """Return a line for each change that did not come near what was asked for."""
    lines = []
    for one in changes:
        if one.missed:
            unit = f" {one.unit}" if one.unit else ""
            reached = f"it went from {one.was:.3g} as far as {one.steps[-1]:.3g}"
            lines.append(f"{one.name}: {one.asked:.3g}{unit} is out of reach; {reached}")
    return lines
