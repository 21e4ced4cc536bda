"""Draw windows that no file gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.choose import codec_for
from musicae.ops.conditions import Label, class_names, condition
from musicae.ops.inputs import check_number, check_temperature
from musicae.ops.made import Samples
from musicae.ops.progression import blank_under, progression
from musicae.ops.shift import shift_samples

__all__ = ["sample"]


def sample(
    preset: Codec | str,
    n: int = 1,
    *,
    seed: int = 0,
    temperature: float = 1.0,
    label: Label | None = None,
    cond: Tensor | None = None,
    chords: str | None = None,
    shift: Sequence[str] = (),
) -> list[Sample]:
    """Draw `n` windows that no file gave from the preset's prior; `temperature` scales its noise.

    A conditional preset makes the class `label` (a number or a name), or without one every class in turn; one that is
    conditional on something else needs `cond`, ``(K,)`` or ``(K, T)``. With `chords`, a progression as
    ``"C | G7 Am7 | F"``, each draw is one code played over as many windows as that is long; a shorter one is repeated.
    Attributes of each draw are changed as `shift` says (``["density=+1"]``, see `musicae.shift`).
    Raise MusicaeError for a preset that does not exist or has no codes, and a label that it does not have.
    """
    check_number("the number of results", n, at_least=1)
    check_temperature(temperature)
    codec = codec_for(preset)
    if not codec.model.latent_size:
        raise MusicaeError(f"the preset '{codec.preset.name}' has no codes to draw; use one with an autoencoder")
    if chords is not None:
        if label is not None or cond is not None:
            raise MusicaeError("chords, labels and conditions are answers to one question; give one of them")
        return Samples(codec, _shifted(codec, _over(codec, codec.noise(n, seed, temperature), chords), shift, seed))
    given = _conditions(codec, n, label, cond)
    decoded = codec.decode(codec.draw(n, seed, temperature, given), cond=given)
    made = [Sample(window, codec.adapter.blank()) for window in decoded]
    if given is not None:
        for one, its in zip(made, given, strict=True):
            one.cond = its
    return Samples(codec, _shifted(codec, made, shift, seed))


def _shifted(codec: Codec, made: list[Sample], words: Sequence[str], seed: int) -> list[Sample]:
    """Return draws whose attributes are changed; the first has remarks on what they were and are."""
    if not words:
        return made
    made, said = shift_samples(codec, made, words, seed=seed)
    return [replace(made[0], remarks=[*made[0].remarks, *said]), *made[1:]]


def _over(codec: Codec, noise: Tensor, chords: str) -> list[Sample]:
    """Return what draws ``(n, D)`` play over a progression."""
    blank = blank_under(codec, chords)
    asked, remarks = progression(codec, chords, blank, "the result")
    cond = codec.split_cond(replace(blank, cond=asked))
    assert cond is not None
    made = []
    for one in noise:
        decoded = codec.decode(codec.from_noise(one.expand(len(cond), -1), cond), cond=cond)
        tensor = codec.join(decoded, blank.hop, blank.tensor.shape[-1])
        made.append(replace(blank, tensor=tensor, cond=asked, remarks=remarks))
    return made


def _conditions(codec: Codec, n: int, label: Label | None, cond: Tensor | None) -> Tensor | None:
    if cond is not None:
        if label is not None:
            raise MusicaeError("a label and a condition are two answers to one question; leave one out")
        given = cond.expand(n, *cond.shape)
        codec.check_condition(given)
        return given
    classes = len(class_names(codec))
    if classes and label is None:
        return codec.label_conditions(torch.arange(n) % classes)
    return condition(codec, label, n)
