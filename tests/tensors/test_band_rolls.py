"""The rolls of a band have the notes of its tensor, part by part."""

from __future__ import annotations

import torch
from torch import Tensor

from musicae.tensors import band
from musicae.tensors.band_rolls import harmony_notes, rolls

DRUMS = tuple(f"drum {i}" for i in range(band.DRUMS))
PITCHES = 1 + band.RANGES["harmony"][1] - band.RANGES["harmony"][0]


def empty(steps: int) -> Tensor:
    return band.silent()[:, None].repeat(1, steps)


def test_each_part_has_its_notes_at_their_pitches() -> None:
    x = empty(8)
    for part, pitch, start, loud in (("melody", 72, 1, 0.5), ("bass", 36, 0, 0.25)):
        channels, velocity = band.groups_of(part)
        x[channels, start : start + 3] = 0
        x[channels.start + 1, start + 1 : start + 3] = 1
        x[channels.start + 2 + pitch - band.RANGES[part][0], start] = 1
        x[velocity, start] = loud
    channels, velocity = band.groups_of("harmony")
    for pitch in (60, 64):
        x[channels.start + pitch - 36, 3:6] = 1
        x[channels.start + PITCHES + pitch - 36, 2] = 1
    x[velocity, 2] = 0.75
    channels, velocity = band.groups_of("drums")
    x[channels.start, 0] = x[channels.start + 2, 4] = 1
    x[velocity.start, 0], x[velocity.start + 2, 4] = 1, 0.5
    melody, harmony, bass, drums = rolls(x, DRUMS, 4, [(0, 3, 4)])
    assert [part.name for part in (melody, harmony, bass, drums)] == ["melody", "harmony", "bass", "drums"]
    assert (melody.notes, melody.loudness) == ([(1, 3, 72)], [0.5])
    assert (bass.notes, bass.loudness) == ([(0, 3, 36)], [0.25])
    assert (harmony.notes, harmony.loudness) == ([(2, 4, 60), (2, 4, 64)], [0.75, 0.75])
    assert (drums.notes, drums.loudness, drums.labels) == ([(0, 1, 0), (4, 1, 2)], [1, 0.5], DRUMS)
    assert all((part.length, part.steps_per_beat, part.meters) == (8, 4, [(0, 3, 4)]) for part in (melody, drums))
    assert [part.labels for part in (melody, harmony, bass)] == [(), (), ()]


def test_a_silent_band_has_no_notes() -> None:
    assert [part.notes for part in rolls(empty(4), DRUMS, 4)] == [[], [], [], []]


def test_loudness_is_from_nothing_to_all() -> None:
    x = empty(2)
    channels, velocity = band.groups_of("drums")
    x[channels.start, :] = 1
    x[velocity.start] = torch.tensor([1.3, -0.2])
    assert rolls(x, DRUMS, 4)[-1].loudness == [1, 0]


def test_harmony_is_held_until_it_begins_anew_or_ends() -> None:
    held = torch.tensor([[0, 1, 1, 1, 0, 1], [1, 1, 0, 0, 0, 1]])
    onset = torch.tensor([[1, 0, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0]])
    start, end, pitch = harmony_notes(torch.cat([held, onset]).float())
    assert list(zip(start.tolist(), end.tolist(), pitch.tolist(), strict=True)) == [(0, 2, 0), (2, 4, 0), (4, 6, 1)]
