"""The conditions of conditional models: labels by their names, and what comes with a sample."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import replace

import torch
from torch import Tensor

from musicae import registry
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError

__all__ = [
    "chords_of",
    "class_names",
    "condition",
    "label_of",
    "labels_for",
    "most_probable_label",
    "takes_chords",
    "with_chords",
]

Label = int | str


def class_names(codec: Codec) -> list[str]:
    """Return what a conditional model's classes are called: as its data set's `classes` say, or by their numbers.

    None for a model without classes.
    """
    spec = codec.model.condition
    if spec is None or not spec.classes:
        return []
    part = codec.preset.part("dataset")
    if part and "+" not in part[0]:
        try:
            names = [str(name) for name in registry.resolve("datasets", *part).get("classes") or ()]
        except MusicaeError:  # Of a package that is not installed here; the model works without it.
            names = []
        if len(names) == spec.channels:
            return names
    return [str(i) for i in range(spec.channels)]


def label_of(codec: Codec, label: Label) -> int:
    """Return the number of a class that is named or numbered.

    Raise MusicaeError for one that does not exist, and for a model that takes none.
    """
    names, text = class_names(codec), str(label).strip()
    if not names:
        raise MusicaeError(f"the preset '{codec.preset.name}' takes no label; use a conditional one")
    lower = [name.lower() for name in names]
    if text.lower() in lower:
        return lower.index(text.lower())
    if text.isdecimal() and int(text) < len(names):
        return int(text)
    raise MusicaeError(f"'{codec.preset.name}' has no label '{text}'; it has {', '.join(names)}")


def labels_for(labels: Label | Sequence[Label] | None, count: int) -> list[Label | None]:
    """Return a label for each of `count` inputs: one for all, or as many. Raise MusicaeError for another number."""
    if isinstance(labels, str) or not isinstance(labels, Sized):  # A number need not be an `int`: NumPy has its own.
        return [labels] * count
    if len(labels) not in (1, count):
        raise MusicaeError(f"there are {len(labels)} labels for {count} inputs; give one, or one for each")
    return [*labels] if len(labels) == count else [labels[0]] * count


def condition(codec: Codec, label: Label | None, n: int, sample: Sample | None = None) -> Tensor | None:
    """Return the conditions of `n` windows, ``(n, K)`` or ``(n, K, T)``; None for a model that takes none.

    It is `label` where there is one, else what comes with the `sample`.
    Raise MusicaeError for a label that the model does not take, and where a condition is missing or does not fit.
    """
    spec, name = codec.model.condition, codec.preset.name
    if label is not None:
        return codec.label_conditions(torch.full((n,), label_of(codec, label)))
    if spec is None:
        return None
    given = codec.split_cond(sample) if sample is not None else None
    if given is not None:
        codec.check_condition(given)
        return given
    if spec.optional:
        return None
    if spec.classes:
        raise MusicaeError(f"'{name}' is conditional; choose a label of {', '.join(class_names(codec))}")
    raise MusicaeError(f"'{name}' is conditional, and the input has no condition; set the sample's `cond`")


def most_probable_label(codec: Codec, sample: Sample) -> int | None:
    """Return the class under which a conditional model reconstructs a sample best; None for one without classes."""
    x, found = codec.split(sample), []
    for label in range(len(class_names(codec))):
        cond = codec.label_conditions(torch.full((len(x),), label))
        found.append(codec.nll(codec.encode(x, cond).mean, x, cond).sum())
    return int(torch.stack(found).argmin()) if found else None


# --- chords ----------------------------------------------------------------------------------------------------------


def takes_chords(codec: Codec, chords: Tensor | None) -> bool:
    """Tell whether a model takes `chords` ``(24, L)``: whether its condition runs along and has as many rows."""
    spec = codec.model.condition
    return chords is not None and spec is not None and spec.along and spec.channels == len(chords)


def chords_of(codec: Codec, sample: Sample) -> Tensor | None:
    """Return the chords of a sample as a condition ``(24, L)``: its condition, or those recognised in it.

    None for a model that takes none, and where there are none.
    """
    if sample.cond is not None:
        return sample.cond
    chords = codec.adapter.chords(sample)
    return chords if chords is not None and takes_chords(codec, chords) and chords.any() else None


def with_chords(codec: Codec, sample: Sample) -> Sample:
    """Return a sample with its chords, if the model takes any and it has them, as its condition."""
    return replace(sample, cond=chords_of(codec, sample))
