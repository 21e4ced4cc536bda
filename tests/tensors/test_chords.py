"""Chords recognised from notes."""

import numpy as np
import pytest

from musicae.tensors.chords import _NOTHING, QUALITIES, _lowest, first_beat, of_notes, recognize

NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")


def notes(*played):
    """Return the columns of notes (start, end, pitch, velocity)."""
    return tuple(np.array(column, np.int64) for column in zip(*played, strict=True))


def block(at, pitches, steps=16, velocity=80):
    return [(at, at + steps, pitch, velocity) for pitch in pitches]


def arpeggio(at, pitches, steps=16):
    """One note at a time, two steps each: up, and down again."""
    order = [*pitches, *pitches[-2:0:-1]]
    return [(at + i, at + i + 2, order[i // 2 % len(order)], 80) for i in range(0, steps, 2)]


def names(chord):
    """Return the names of chords ``(24, L)``, one for each step."""
    qualities = {intervals: name for name, intervals in QUALITIES.items()}
    found = []
    for column in chord.T:
        if not column.any():
            found.append("N")
            continue
        (root,) = np.flatnonzero(column[:12])
        tones = tuple(sorted((np.flatnonzero(column[12:]) - root) % 12))
        found.append(f"{NAMES[root]}:{qualities[tones]}")
    return found


def each_bar(played, bars, **options):
    """Return the chord of each bar, which must not change within it."""
    found = names(of_notes(*notes(*played), length=16 * bars, **options))
    chords = [set(found[at : at + 16]) for at in range(0, 16 * bars, 16)]
    assert all(len(chord) == 1 for chord in chords), chords
    return [chord.pop() for chord in chords]


@pytest.mark.parametrize("key", range(12))
@pytest.mark.parametrize("play", [block, arpeggio])
def test_the_four_chords_of_pop_in_every_key(key, play):
    shapes = [(48, 52, 55, 60), (43, 55, 59, 62), (45, 57, 60, 64), (41, 53, 57, 60)]
    played = [note for bar, shape in enumerate(shapes) for note in play(16 * bar, [p + key for p in shape])]
    wanted = [(0, "maj"), (7, "maj"), (9, "min"), (5, "maj")]
    assert each_bar(played, 4) == [f"{NAMES[(root + key) % 12]}:{quality}" for root, quality in wanted]


VOICINGS = {
    "close": lambda tones: [48 + tone for tone in tones],
    "over a bass": lambda tones: [36, *(60 + tone for tone in tones)],
    "no root over a bass": lambda tones: [36, *(60 + tone for tone in tones[1:])],
    "open": lambda tones: [36, 48 + tones[2], 60 + tones[1], *(60 + tone for tone in tones[3:])],
    "over octaves": lambda tones: [36, 48, *(60 + tone for tone in tones)],
}


@pytest.mark.parametrize("voicing", VOICINGS)
@pytest.mark.parametrize("quality", QUALITIES)
def test_every_chord_is_recognised_in_root_position(quality, voicing):
    pitches = VOICINGS[voicing](QUALITIES[quality])
    for root in range(12):
        assert each_bar(block(0, [pitch + root for pitch in pitches]), 1) == [f"{NAMES[root]}:{quality}"]


def test_inversions_keep_their_root():
    played = block(0, (52, 60, 64, 67)) + block(16, (43, 60, 64, 67)) + block(32, (48, 57, 60, 65))
    assert each_bar(played, 3) == ["C:maj", "C:maj", "F:maj"]


@pytest.mark.parametrize("quality", ["maj", "min", "dim", "7"])  # Others are named anew over another of their tones.
def test_chords_over_any_of_their_tones_keep_their_root(quality):
    tones = QUALITIES[quality]
    for root in range(12):
        for bass in tones[1:]:
            played = block(0, [36 + (root + bass) % 12, *(60 + root + tone for tone in tones)])
            assert each_bar(played, 1)[0].startswith(f"{NAMES[root]}:")


def test_the_bass_tells_chords_of_the_same_notes_apart():
    assert each_bar(block(0, (45, 60, 64, 67)) + block(16, (36, 57, 64, 67)), 2) == ["A:min7", "C:maj6"]


def test_silence_has_no_chord():
    played = block(32, (48, 52, 55))
    found = of_notes(*notes(*played), length=96)
    assert not found[:, :32].any()
    assert not found[:, 48:].any()
    assert set(names(found[:, 32:48])) == {"C:maj"}
    nothing = (np.zeros(0, np.int64),) * 4
    assert not of_notes(*nothing, length=64).any()
    assert of_notes(*nothing, length=0).shape == (24, 0)


def test_a_passing_note_does_not_change_the_chord():
    melody = [(4 * i, 4 * i + 4, pitch, 100) for i, pitch in enumerate((76, 77, 79, 81))]
    assert each_bar(block(0, (36, 52, 55, 60)) + melody, 1) == ["C:maj"]


def test_changes_within_a_bar_are_found():
    played = block(0, (48, 52, 55), 8) + block(8, (43, 59, 62), 8)
    assert names(of_notes(*notes(*played), length=16)) == ["C:maj"] * 8 + ["G:maj"] * 8


@pytest.mark.parametrize(("steps_per_beat", "bar"), [(4, 12), (4, 14), (2, 8), (3, 9)])
def test_bars_of_any_meter(steps_per_beat, bar):
    played = block(0, (48, 52, 55), bar) + block(bar, (43, 59, 62), bar)
    found = names(of_notes(*notes(*played), 2 * bar - 1, steps_per_beat, bar))
    assert found == ["C:maj"] * bar + ["G:maj"] * (bar - 1)


def test_notes_beyond_the_ends_are_cut():
    inside, beyond = block(0, (48, 52, 55), 32), block(-16, (48, 52, 55), 64)
    other = block(-16, (41, 45, 48)) + block(32, (41, 45, 48))
    expected = of_notes(*notes(*inside), length=32)
    np.testing.assert_array_equal(of_notes(*notes(*beyond, *other), length=32), expected)


def random_song(seed):
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 256, 400)
    return start, start + rng.integers(1, 17, 400), rng.integers(30, 80, 400), rng.integers(1, 128, 400)


@pytest.mark.parametrize("seed", range(5))
def test_many_notes_at_once_are_not_taken_for_silence(seed):
    assert of_notes(*random_song(seed), length=256)[12:].any(0).all()


def test_the_register_of_a_song_does_not_matter():
    start, end, pitch, velocity = random_song(1)
    chord = of_notes(start, end, pitch, velocity, 256)
    for octaves in (-2, 1, 3):
        np.testing.assert_array_equal(of_notes(start, end, pitch + 12 * octaves, velocity, 256), chord)


def test_the_lowest_pitch_of_each_step():
    start, end, pitch, _ = random_song(2)
    end = np.minimum(end, 256)
    start, end, pitch = (column[end > start] for column in (start, end, pitch))
    found = _lowest(start, end, pitch, 256)
    for step in range(256):
        sounding = pitch[(start <= step) & (step < end)]
        assert found[step] == (sounding.min() if len(sounding) else _NOTHING)


@pytest.mark.parametrize("seed", range(5))
def test_transposed_notes_give_transposed_chords(seed):
    start, end, pitch, velocity = random_song(seed)
    chord = of_notes(start, end, pitch, velocity, 256)
    assert len(set(names(chord))) > 3
    for semitones in range(-6, 7):
        moved = np.concatenate([np.roll(half, semitones, axis=0) for half in np.split(chord, 2)])
        np.testing.assert_array_equal(of_notes(start, end, pitch + semitones, velocity, 256), moved)


def test_transposed_weights_give_transposed_chords_even_where_chords_tie():
    weights = np.zeros((12, 8))
    weights[[0, 4, 8], :4] = weights[[0, 3, 6, 9], 4:] = 1.0  # An augmented triad has three roots, a dim7 chord four.
    root, tones = recognize(weights, np.zeros((12, 8)))
    assert (root >= 0).all()
    for semitones in range(1, 12):
        moved_root, moved_tones = recognize(np.roll(weights, semitones, axis=0), np.zeros((12, 8)))
        np.testing.assert_array_equal(moved_root, (root + semitones) % 12)
        np.testing.assert_array_equal(moved_tones, np.roll(tones, semitones, axis=0))


def test_recognize_gives_roots_and_tones_of_beats():
    weights, bass = np.zeros((12, 8)), np.zeros((12, 8))
    weights[[0, 4, 7], 4:] = bass[0, 4:] = 1.0
    root, tones = recognize(weights, bass)
    assert root.tolist() == [-1] * 4 + [0] * 4
    assert tones.shape == (12, 8)
    assert tones.dtype == bool
    assert np.flatnonzero(tones[:, 7]).tolist() == [0, 4, 7]
    assert not tones[:, :4].any()


@pytest.mark.parametrize("first", range(4))
def test_the_first_beat_is_found_by_where_chords_change(first):
    weights, bass = np.zeros((12, 32)), np.zeros((12, 32))
    for beat in range(32):
        root = (0, 7, 9, 5)[(beat + first) // 4 % 4]
        tones = (0, 3, 7) if root == 9 else (0, 4, 7)
        weights[[(root + tone) % 12 for tone in tones], beat] = 1.5
        bass[root, beat] = 1
    assert first_beat(weights, bass) == first
    root, _ = recognize(weights, bass, first=first)
    assert root.tolist() == [(0, 7, 9, 5)[(beat + first) // 4 % 4] for beat in range(32)]
    assert first_beat(weights[:, :0], bass[:, :0]) == 0
