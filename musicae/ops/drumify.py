"""Make a groove of taps on a table, as a drummer would answer them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musicae import registry
from musicae.codec import Codec
from musicae.core import Adapter, File, Sample, Source
from musicae.errors import MusicaeError
from musicae.formats.music import bar_grid, midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.tempo_map import check_tempo, seconds_at
from musicae.formats.sound.reading import reading
from musicae.ops.choose import codec_for, head_of
from musicae.ops.defaults import default_preset
from musicae.ops.grooves import check_amount, check_grooves, example, steady
from musicae.ops.inputs import as_file, check_file, check_number, check_temperature, name_of, read, rereadable
from musicae.ops.made import Samples
from musicae.tensors import groove, taps
from musicae.tensors.groove import DRUMS, HITS, OFFSETS, VELOCITIES
from musicae.tensors.random import generator

__all__ = ["MAX_SECONDS", "drumify"]

MAX_SECONDS = 600
"""The longest recording of taps."""

_BAR = 4 * taps.STEPS


def drumify(
    source: Source,
    n: int = 1,
    *,
    preset: Codec | str | None = None,
    tempo: float | None = None,
    amount: float = 1.0,
    like: Source | None = None,
    seed: int = 0,
    temperature: float = 1.0,
    track: str | int | None = None,
    bars: str | int | None = None,
) -> list[Sample]:
    """Return `n` grooves for taps: a drum kit that plays their rhythm, with their timing and loudness.

    Parameters
    ----------
    source : taps: a recording, or notes of any pitch and instrument; a path, a stream, or a sample of a groove.
    n : how many grooves; the first is the most probable, the others are drawn.
    preset : a name, a checkpoint's path, a `Codec`, or None for the default.
    tempo : of the taps, in beats a minute. By default it is found in a recording; notes are on the grid of their file.
        Where it is found or named, the first tap is on the first beat of a bar of 4/4.
    amount : how much of the timing and the loudness is played: 0 is on the grid and even, 1 all of it.
    like : drums that are to be played like, a path, a stream or a sample.
    seed, temperature : of the draws; a temperature below 1 is more typical.
    track, bars : which track and bars of a file of notes.

    Raises
    ------
    MusicaeError : a file that cannot be read or has no taps, taps without a steady tempo, a number out of range, a
        preset that is not for grooves.
    """
    check_number("the number of results", n, at_least=1)
    check_temperature(temperature)
    check_amount(amount)
    if tempo is not None:
        check_tempo(tempo)
    source = rereadable(source)
    codec = codec_for(default_preset("drumify") if preset is None else preset)
    check_grooves(codec, "drumify")
    tapped = _taps(codec, source, tempo, track, bars)
    added = example(codec, like, groove.tapped)
    latent = codec.encode(codec.split(tapped))
    made = []
    for i in range(n):
        codes = latent.sample(generator(seed, 83, i), temperature) if i else latent.mean
        windows = steady(codec, codes) if added is None else codec.decode(codes + added[0])
        tensor = codec.join(windows, tapped.hop, tapped.tensor.shape[-1])
        made.append(replace(tapped, tensor=_as_much(tensor, amount), remarks=[]))
    made[0].remarks = tapped.remarks
    return Samples(codec, made)


def _as_much(made: Tensor, amount: float) -> Tensor:
    """Return a groove ``(27, L)`` with less of its timing and loudness."""
    struck = made[HITS] > 0
    if struck.any():
        loud = made[VELOCITIES]
        made[VELOCITIES] = torch.lerp(loud[struck].mean(), loud, amount).clamp(0, 1) * struck
        made[OFFSETS] = (amount * made[OFFSETS]).clamp(-groove.MAX_OFFSET, groove.MAX_OFFSET) * struck
    return made


# --- taps ------------------------------------------------------------------------------------------------------------


def _taps(codec: Codec, source: Source, tempo: float | None, track: str | int | None, bars: str | int | None) -> Sample:
    """Return the taps of a source as a sample of a groove in which no drum is known."""
    if isinstance(source, Sample):
        one = read(codec, source)
        return replace(one, tensor=groove.tapped(one.tensor[None])[0])
    file, called = as_file(source), name_of(source)
    if isinstance(file, Path):
        check_file(file)
    head = head_of(file)
    try:
        if midi.is_midi(head):
            return _of_notes(codec, file, called, tempo, track, bars)
        if not registry.lookup("adapters", "audio").sniff(head, file):
            raise MusicaeError("it is neither MIDI nor sound; give a file of taps")
        if track is not None or bars is not None:
            raise MusicaeError("it is a recording; --track and --bars are for files of notes")
        return _free(codec, *_recorded(file), tempo, called)
    except MusicaeError as error:
        text = str(error)
        raise MusicaeError(text if called in text else f"{called}: {text}") from None


def _recorded(file: File) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return when the taps of a recording come, in seconds, and how loud they are."""
    with reading(file) as opened:
        length = opened.length or 0
        if length > MAX_SECONDS * opened.kind.rate:
            minutes = length / opened.kind.rate / 60
            raise MusicaeError(f"it lasts {minutes:.0f} minutes; give at most {MAX_SECONDS // 60} minutes of taps")
    adapter: Adapter = registry.build("adapters", "audio", sample_rate=taps.RATE)
    return taps.onsets(adapter.read(file).tensor[0].numpy()[: MAX_SECONDS * taps.RATE])


def _of_notes(
    codec: Codec, file: File, called: str, tempo: float | None, track: str | int | None, bars: str | int | None
) -> Sample:
    """Return the notes of a file as taps: on its own grid, or with a `tempo`, wherever that puts them."""
    loaded = midi.load(file)
    available = score_parts.parts(loaded.tracks)
    if not available:
        raise MusicaeError("it has no notes; give a file of taps")
    notes = score_parts.merge(available if track is None else score_parts.select(available, track))
    if tempo is not None:
        if bars is not None:
            raise MusicaeError("--bars are those of the file, and --tempo sets others; give one of them")
        times = np.array([seconds_at(loaded.score, tick) for tick in notes.start.tolist()])
        return _free(codec, times, notes.velocity / 127, tempo, called)
    window = codec.spec.shape[-1]
    found = bar_grid.place(loaded.score, notes.start, notes.start + 1, bars=bars, steps_per_beat=taps.STEPS)
    grid = bar_grid.complete(found, loaded.score, taps.STEPS, window)
    tensor = _on_steps(grid.places(notes.start), notes.velocity / 127, grid.length)
    meta = {**codec.adapter.blank(), "tempos": grid.tempos, "meters": grid.meters, "source": called}
    return Sample(tensor, meta, grid.hop, grid.remarks)


def _free(
    codec: Codec, times: NDArray[np.float64], loud: NDArray[np.float64], tempo: float | None, called: str
) -> Sample:
    """Return taps at `times` in seconds as a sample in whole bars of 4/4, at a tempo that is named or found."""
    order = np.argsort(times, kind="stable")
    found, places = taps.fitted(times[order], tempo)
    length = _BAR * max(1, math.ceil((np.rint(places).max() + 1) / _BAR))
    if length > bar_grid.MAX_STEPS:
        raise MusicaeError("it lasts longer than fits; give a shorter one")
    remarks = [f"{len(times)} taps at {found:.4g} beats a minute, the first on beat 1"]
    meta = {**codec.adapter.blank(), "tempos": [[0, found]], "source": called}
    return Sample(_on_steps(places, loud[order], length), meta, None, remarks)


def _on_steps(places: NDArray[np.floating], loud: NDArray[np.floating], length: int) -> Tensor:
    """Return taps at `places`, in steps, as a groove ``(27, L)``; of several on one step the loudest stays."""
    step = np.floor(places + 0.5).astype(np.int64)
    inside = np.flatnonzero((step >= 0) & (step < length) & (loud > 0))
    if not len(inside):
        raise MusicaeError("there are no taps in it; give others")
    order = inside[np.argsort(loud[inside], kind="stable")]
    values = torch.zeros(3 * DRUMS, length)
    at = torch.from_numpy(step[order])
    for rows, value in (
        (HITS, np.full(len(order), groove.TAP)),
        (VELOCITIES, loud[order]),
        (OFFSETS, places[order] - step[order]),
    ):
        row = torch.zeros(length)
        row.numpy()[at.numpy()] = value
        values[rows] = row
    return values
