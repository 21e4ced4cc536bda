"""Play programmed drums as a drummer does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from musicae.adapters.shared.origin import Rewritten
from musicae.codec import Codec
from musicae.core import Sample, Source
from musicae.errors import MusicaeError
from musicae.formats.music.drum_track import DrumTrack
from musicae.ops.choose import codec_for
from musicae.ops.defaults import adapter_settings
from musicae.ops.grooves import check_amount, check_grooves, example, played, widening
from musicae.ops.inputs import as_file, name_of, read, rereadable
from musicae.ops.made import Samples
from musicae.tensors import groove
from musicae.tensors.groove import HITS, OFFSETS, VELOCITIES

__all__ = ["humanize"]


def humanize(
    source: Source,
    *,
    preset: Codec | str | None = None,
    amount: float = 1.0,
    like: Source | None = None,
    **read_options: Any,
) -> Sample:
    """Return the drums of a file with the timing and the loudness of a drummer, every hit where it was struck.

    What is written of it is the file: its drum notes begin elsewhere and have other velocities, but keep their pitches
    and lengths, and all else in it stays as it is. Loudness and timing of the file's own drums are not looked at. Drums
    that play with other parts are on the beat on average, unless they are to be played like others.

    Parameters
    ----------
    source : a path or a stream of MIDI, drums alone or a song; or a sample of a groove.
    preset : a name, a checkpoint's path, a `Codec`, or None for the default.
    amount : how much of the way everything goes, 0 (the file as it is) to 1.
    like : drums that are to be played like, a path, a stream or a sample.
    read_options : the adapter's, for the file (``bars="5-8"``, ``track=2``).

    Raises
    ------
    MusicaeError : a file that cannot be read or has no drums, an amount out of range, a preset that is not for grooves.
    """
    check_amount(amount)
    source = rereadable(source)
    codec = codec_for(preset, source, job="humanize")
    check_grooves(codec, "humanize")
    added = example(codec, like, groove.flattened)
    sample = read(codec, source, **read_options)
    if isinstance(source, Sample):
        made = _humanized(codec, sample, added)
        moved = _part_of_the_way(sample.tensor, made, amount)
        return Samples(codec, [replace(sample, tensor=moved, metadata=None)])[0]
    options = {name: value for name, value in read_options.items() if value is not None}
    track = _drum_track(codec, source, options)
    tensor = torch.from_numpy(track.groove)
    hop = sample.hop if sample.tensor.shape[-1] == len(track.groove[0]) else None
    made = _humanized(codec, Sample(tensor, sample.meta, hop), added)
    if added is None and not track.alone:
        made = _together(made)
    data = track.with_groove(made.numpy(), amount)
    remarks = [f"{name_of(source)}: {remark}" for remark in sample.remarks]
    moved = _part_of_the_way(tensor, made, amount)
    return Samples(codec, [Sample(moved, sample.meta, hop, remarks, metadata=Rewritten(data))])[0]


def _drum_track(codec: Codec, source: Source, options: dict[str, Any]) -> DrumTrack:
    if options.pop("transpose", 0):
        raise MusicaeError("humanize: drums are not transposed; leave out --transpose")
    file = as_file(source)
    steps = int(adapter_settings(codec.preset)["steps_per_beat"])
    return DrumTrack.read(file, options.get("track"), options.get("bars"), steps)


def _humanized(codec: Codec, sample: Sample, added: Tensor | None) -> Tensor:
    """Return the hits of a groove ``(27, L)`` as the codec plays them."""
    made = widening(codec).apply(played(codec, codec.split(sample), added))
    return codec.join(made, sample.hop, sample.tensor.shape[-1])


def _together(made: Tensor) -> Tensor:
    """Return a groove ``(27, L)`` without what all of its hits are early or late by: others keep to the grid."""
    struck, made = made[HITS] > 0, made.clone()
    made[OFFSETS] -= struck * made[OFFSETS][struck].mean()
    return made


def _part_of_the_way(own: Tensor, made: Tensor, amount: float) -> Tensor:
    """Return a groove ``(27, L)`` whose loudness and timing lie between its own and what was `made` of it."""
    between = own.clone()
    for rows in (VELOCITIES, OFFSETS):
        between[rows] = torch.lerp(own[rows], made[rows], amount) * (own[HITS] > 0)
    return between
