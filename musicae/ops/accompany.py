"""Give a tune a band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Sample, Source
from musicae.errors import MusicaeError
from musicae.ops.choose import codec_for
from musicae.ops.conditions import chords_of, with_chords
from musicae.ops.inputs import check_number, check_temperature, name_of, read, read_all, rereadable
from musicae.ops.made import Samples
from musicae.ops.parts import Kept, playing
from musicae.ops.parts import keep as parts_to_keep
from musicae.ops.progression import progression
from musicae.tensors import latent
from musicae.tensors.random import generator

__all__ = ["DRAWS", "accompany", "drawn", "in_style", "style_of"]

DRAWS = 12
"""How many bands are tried for each result without a style."""

_MOVED = 0.25  # How far each further result in a style lies on the way to a draw.


def accompany(
    source: Source,
    n: int = 1,
    *,
    preset: Codec | str | None = None,
    chords: str | None = None,
    style: Source | None = None,
    keep: Sequence[str] = (),
    seed: int = 0,
    temperature: float = 1.0,
    notices: list[str] | None = None,
    **read_options: Any,
) -> list[Sample]:
    """Return `n` bands for a tune, whose own parts stay as they are, note for note.

    The other parts are decoded from one code, the same all along, under the tune's chords: a draw from the prior or,
    with `style`, window by window what another song plays from where most of its parts do, its own chords taken out.
    Of several draws that one is taken in which the missing parts play and whose decoded tune is most like the real one.

    Parameters
    ----------
    source : the tune: a path, a stream or a sample; of one line or any parts.
    n : how many bands; the first in a `style` is the nearest to it.
    preset : a name, a checkpoint's path, a `Codec`, or None for what fits `source`.
    chords : a progression, as ``"C | G7 Am7 | F"``, repeated as often as needed. Without one, chords are recognised
        in the tune or, for a melody on its own, found for it.
    style : a song that the band is to play like.
    keep : the parts that stay; by default all that play.
    seed, temperature : of the draws; a temperature below 1 is more typical.
    notices : gets what the user is to know.
    read_options : the adapter's, for the tune (``bars="5-8"``, ``track=2``).

    Raises
    ------
    MusicaeError : a file that cannot be read, a tune in which all parts play, a preset without parts, and what
        `progression` refuses.
    """
    check_number("the number of results", n, at_least=1)
    check_temperature(temperature)
    source = rereadable(source)
    codec = codec_for(preset, source, job="accompany")
    if not codec.spec.parts or not codec.model.latent_size:
        raise MusicaeError(f"accompany: the preset '{codec.preset.name}' knows no parts of a band; use one that does")
    (one,), remarks = read_all(codec, [source], read_options)
    kept = _kept(codec, one, keep, name_of(source))
    given = None if style is None else read(codec, rereadable(style))
    asked, said = _asked(codec, one, chords, name_of(source))
    if notices is not None:
        notices += said
    tune = replace(one, tensor=kept.in_tensor(codec.blank_step().expand_as(one.tensor)), cond=asked)
    if given is None:
        found = [_drawn(codec, tune, kept, i, seed, temperature) for i in range(n)]
    else:
        found = _in_style(codec, tune, kept, given, n, seed, temperature)
    how = codec.adapter.blank() if given is None else given.meta
    made = [kept.in_sample(replace(tune, tensor=tensor, meta=how, remarks=[])) for tensor in found]
    made[0].remarks = remarks
    return Samples(codec, made)


def _kept(codec: Codec, one: Sample, keep: Sequence[str], name: str) -> Kept:
    """Return the parts of the tune. Raise MusicaeError if they are all there are, or none."""
    every, present = list(codec.spec.parts), playing(codec, one)
    kept = parts_to_keep(codec, one, keep or present, name)
    if kept is None:
        raise MusicaeError(f"{name} has no notes; give a tune")
    if kept.parts == every:
        raise MusicaeError(f"{name} has all parts of a band already; name those that stay, such as --keep melody")
    return kept


def _asked(codec: Codec, one: Sample, chords: str | None, name: str) -> tuple[Tensor | None, list[str]]:
    """Return the chords that the band plays ``(24, L)``, and what the user is to know; None where there are none."""
    if chords is not None:
        return progression(codec, chords, one, name)
    return chords_of(codec, one), []


def _drawn(codec: Codec, tune: Sample, kept: Kept, number: int, seed: int, temperature: float) -> Tensor:
    """Return the best of several bands from the prior, each the same draw in all windows."""
    cond, windows = codec.split_cond(tune), codec.split(tune)
    best: tuple[float, Tensor] | None = None
    noise = codec.noise(DRAWS, generator(seed, 71, number).initial_seed(), temperature)
    for made, cost in drawn(codec, windows, cond, kept.channels, noise.unsqueeze(1)):
        if best is None or cost.mean().item() < best[0]:
            best = cost.mean().item(), made
    assert best is not None
    return codec.join(best[1], tune.hop, tune.tensor.shape[-1])


def drawn(
    codec: Codec,
    tune: Tensor,
    cond: Tensor | None,
    channels: Tensor,
    noise: Tensor,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Go through draws from the prior for windows of a tune ``(N, C, *S)``.

    `channels` ``(C, 1 ..., 1)`` are those of the tune. `noise` holds K draws for each window, ``(K, N, D)``, or K for
    all of them, ``(K, 1, D)``. Each comes as it was decoded, ``(N, C, *S)``, with what is wrong with it, ``(N,)``: the
    share of the other parts that are silent, and how far its own tune is from the real one.
    """
    blank = codec.blank_step()
    others = [own for own in codec.spec.parts.values() if not channels.flatten()[own].any()]
    real = torch.where(channels, tune, blank)
    known = codec.encode_known(tune, channels.flatten(), cond)
    for one in noise:
        made = codec.decode(codec.from_noise(one.expand(len(tune), -1), cond, known), cond=cond)
        silent = (made == blank).flatten(2).all(2)
        share = torch.stack([silent[:, own].all(1) for own in others]).float().mean(0)
        yield made, share + codec.likelihood.distance(torch.where(channels, made, blank), real)


def _in_style(
    codec: Codec, tune: Sample, kept: Kept, style: Sample, n: int, seed: int, temperature: float
) -> list[Tensor]:
    """Return bands that play like a song from where most of its parts do, looped, under the chords of the tune.

    Its style is its place in the noise of a prior that is given chords and the parts that are kept: those of the song
    on the way there, those of the tune on the way back.
    """
    cond, split = codec.split_cond(tune), codec.split(tune)
    style = style if cond is None else with_chords(codec, style)
    own = codec.split_cond(style)
    if cond is not None and own is None:  # A style without a pitch, such as drums.
        own = cond.new_zeros(len(codec.split(style)), *cond.shape[1:])
    windows, blank = codec.split(style), codec.blank_step()
    playing = [(windows[:, part] != blank[part]).flatten(1).any(1) for part in codec.spec.parts.values()]
    begin, channels = int(torch.stack(playing).sum(0).argmax()), kept.channels.flatten()
    place = style_of(codec, windows, own, channels)[begin:]
    place = place[torch.arange(len(split)) % len(place)]
    places = [place]
    for draw in codec.noise(n - 1, generator(seed, 72).initial_seed(), temperature):
        places += latent.path(place, draw.expand_as(place), torch.tensor([_MOVED]), spherical=True)
    made = [in_style(codec, one, split, cond, channels) for one in places]
    return [codec.join(one, tune.hop, tune.tensor.shape[-1]) for one in made]


def style_of(codec: Codec, x: Tensor, cond: Tensor | None, channels: Tensor) -> Tensor:
    """Return the places ``(N, D)`` in the prior's noise of windows ``(N, C, *S)`` of which `channels` are given."""
    return codec.to_noise(codec.encode(x, cond).mean, cond, codec.encode_known(x, channels, cond))


def in_style(codec: Codec, place: Tensor, tune: Tensor, cond: Tensor | None, channels: Tensor) -> Tensor:
    """Return what is played, ``(N, C, *S)``, at places `style_of` others where `channels` of a tune are given."""
    return codec.decode(codec.from_noise(place, cond, codec.encode_known(tune, channels, cond)), cond=cond)
