"""The tensor of a band: packed in bytes, transposed, compared."""

import pytest
import torch

from musicae.tensors import band
from musicae.tensors.melody_tokens import FIRST_ONSET


def random_band(seed=0, steps=48):
    """Return a band ``(C, steps)`` and its chords ``(24, steps)``; velocities are there where notes begin."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape, share=0.3):
        return (torch.rand(*shape, generator=rng) < share).float()

    values = torch.zeros(sum(group.channels for group in band.GROUPS), steps)
    for part in ("melody", "bass"):
        rows, loud = band.groups_of(part)
        tokens = torch.randint(0, 14, (steps,), generator=rng) + 10 * draw(steps).long()
        values[rows] = torch.nn.functional.one_hot(tokens, rows.stop - rows.start).T.float()
        values[loud] = (tokens >= FIRST_ONSET) * 80 / 127
    rows, loud = band.groups_of("harmony")
    pitches = (rows.stop - rows.start) // 2
    values[rows.start + 20 : rows.start + 30] = draw(10, steps)
    values[rows.start + pitches + 20 : rows.start + pitches + 30] = draw(10, steps, share=0.1)
    values[loud] = values[rows.start + pitches : rows.stop].amax(0) * 64 / 127
    rows, loud = band.groups_of("drums")
    values[rows] = draw(9, steps)
    values[loud] = values[rows] * 100 / 127
    chord = torch.zeros(24, steps)
    chord[7, : steps // 2] = 1.0
    chord[[12 + 7, 12 + 11, 12 + 2], : steps // 2] = 1.0
    return values, chord


def packed_of(values, chord):
    return torch.from_numpy(band.pack(values.numpy(), chord.numpy()))[None]


def test_the_groups_lie_side_by_side():
    spec = band.spec(32)
    assert (spec.shape, spec.likelihood) == ((32,), "joint")
    assert {band.groups_of(part)[0].start for part in band.PARTS} <= set(range(spec.channels))
    assert [group.name for group in spec.groups][:4] == list(band.PARTS)


def test_a_band_is_unpacked_as_it_was_packed():
    values, chord = random_band()
    packed = packed_of(values, chord)
    assert packed.shape == (1, band.ROWS, 48)
    assert torch.allclose(band.unpack(packed)[0], values)
    assert torch.equal(band.chords(packed)[0], chord)


def test_a_drum_that_is_struck_without_a_velocity_is_kept():
    values, chord = random_band()
    values[band.groups_of("drums")[1]] = 0
    rows, _ = band.groups_of("drums")
    assert torch.equal(band.unpack(packed_of(values, chord))[0, rows], values[rows])


def test_silence_packs_as_zeros():
    still = band.silent()[:, None].repeat(1, 4)
    packed = packed_of(still, torch.zeros(24, 4))
    assert not packed.any()
    assert torch.equal(band.unpack(packed)[0], still)


@pytest.mark.parametrize("semitones", [-5, 0, 3, 6])
def test_a_band_is_transposed_with_its_chords_but_not_its_drums(semitones):
    values, chord = (x[None] for x in random_band())
    up = torch.tensor([semitones])
    moved, by = band.transpose(values, up)
    assert torch.equal(by, up)
    for part in ("melody", "harmony"):
        rows, _ = band.groups_of(part)
        assert moved[:, rows].sum() == values[:, rows].sum()
    rows, loud = band.groups_of("drums")
    assert torch.equal(moved[:, rows], values[:, rows])
    assert torch.equal(moved[:, loud], values[:, loud])
    root = band.transpose_chords(chord, up)[0, :12, 0].argmax()
    assert int(root) == (7 + semitones) % 12
    assert torch.equal(band.transpose_chords(band.transpose_chords(chord, up), -up), chord)


def test_a_part_at_the_end_of_its_range_goes_the_other_way():
    values = band.silent()[None, :, None].repeat(1, 1, 4)
    rows, _ = band.groups_of("melody")
    values[0, rows.start, 0], values[0, rows.stop - 1, 0] = 0.0, 1.0
    moved, by = band.transpose(values, torch.tensor([2]))
    assert int(by) == 2
    assert int(moved[0, rows, 0].argmax()) == rows.stop - rows.start - 1 + 2 - 12


def test_bands_are_compared_by_their_melody_else_by_their_bass():
    values, chord = (x[None] for x in random_band())
    other, _ = (x[None] for x in random_band(1))
    rows, _ = band.groups_of("melody")
    up, _ = band.transpose(values, torch.tensor([3]))

    def canonical(x):
        return band.canonical(packed_of(x[0], chord[0]))

    assert torch.equal(canonical(values), canonical(up))
    assert not torch.equal(canonical(values), canonical(other))
    drumless = values.clone()
    drumless[:, band.groups_of("drums")[0]] = 0
    assert torch.equal(canonical(values), canonical(drumless))
    for x in (values, other):
        x[:, rows] = 0
        x[:, rows.start] = 1.0
    assert not torch.equal(canonical(values), canonical(other))


def test_the_pitches_that_sound_are_those_of_the_notes():
    values = band.silent()[:, None].repeat(1, 8)
    rows, _ = band.groups_of("melody")
    line = torch.tensor([1, 1, FIRST_ONSET + 12, 1, 0, FIRST_ONSET + 16, 1, 1])  # Held from before: silent.
    values[rows] = torch.nn.functional.one_hot(line, rows.stop - rows.start).T.float()
    rows, _ = band.groups_of("harmony")
    pitches = (rows.stop - rows.start) // 2
    values[rows.start + 24 + 7, 2:6] = 1.0  # G, from 36 up.
    values[rows.start + pitches + 24 + 7, 2] = 1.0
    melody = band.sounding_pitches(values[None], "melody")[0]
    assert melody.nonzero().tolist() == [[12, 2], [12, 3], [16, 5], [16, 6], [16, 7]]
    assert band.sounding_pitches(values[None], "harmony")[0].nonzero().tolist() == [[31, step] for step in range(2, 6)]
    assert band.harmony_onsets(values[None])[0].nonzero().tolist() == [[31, 2]]
    classes = band.pitch_classes(values[None])[0]
    assert {i: int(n) for i, n in enumerate(classes) if n} == {0: 2, 4: 3, 7: 4}


def test_a_melody_keeps_its_pitches_in_a_wider_line():
    x = random_band()[0][None]
    line = band.melody_line(x, 21, 108)
    assert line.shape == (1, 90, 48)
    tokens = x[0, band.groups_of("melody")[0]].argmax(0)
    assert torch.equal(line[0].argmax(0), torch.where(tokens >= FIRST_ONSET, tokens + 48 - 21, tokens))
    assert torch.equal(line.sum(1), torch.ones(1, 48))


def test_pitch_classes_move_with_the_band():
    x = random_band()[0][None]
    moved, semitones = band.transpose(x, torch.tensor([3]))
    assert semitones.item() == 3
    assert torch.equal(band.pitch_classes(moved), band.pitch_classes(x).roll(3, 1))


def test_intervals_are_counted_from_the_melody():
    values = band.silent()[:, None].repeat(1, 8)
    for part, pitch in (("melody", 64), ("bass", 36)):  # E over C: the bass is a minor sixth above.
        rows = band.groups_of(part)[0]
        values[rows, 2:5] = 0
        values[rows.start + FIRST_ONSET + pitch - band.RANGES[part][0], 2] = 1
        values[rows.start + 1, 3:5] = 1
    harmony = band.groups_of("harmony")[0]
    values[harmony.start + 67 - band.RANGES["harmony"][0], 4] = 1
    found = band.intervals(values[None])[0]
    assert found.nonzero().tolist() == [[8, 2], [8, 3], [8, 4], [12 + 3, 4]]
    assert band.line_onsets(values[None], "bass")[0].nonzero().flatten().tolist() == [2]
