"""Swing, told from onsets, made even, and played again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.formats.music.swing import MAX_SWING, MIN_SWING, is_straight, ratio_of, straightened, swung


def eighths(place, beats=40, jitter=0.0, seed=0):
    """Return onsets on each beat and at a place in it."""
    at = np.concatenate([np.arange(beats), np.arange(beats) + place]).astype(float)
    return at + np.random.default_rng(seed).normal(0, 1, len(at)) * jitter


@pytest.mark.parametrize("ratio", [1.5, 1.75, 2.0, 2.2])
def test_the_ratio_is_that_of_the_off_beat_eighths(ratio):
    place = ratio / (1 + ratio)
    assert ratio_of(eighths(place)) == pytest.approx(ratio)
    assert ratio_of(eighths(place, jitter=0.01)) == pytest.approx(ratio, abs=0.11)


@pytest.mark.parametrize("place", [0.25, 0.5, 0.75, 0.0, 1 / 3])
def test_straight_eighths_and_sixteenths_do_not_swing(place):
    assert ratio_of(eighths(place)) == 1.0
    assert ratio_of(eighths(place, jitter=0.02)) == 1.0


def test_a_few_triplets_among_straight_eighths_do_not_swing():
    straight, triplets = eighths(0.5), eighths(2 / 3, beats=20)
    assert ratio_of(np.concatenate([straight, triplets])) == 1.0
    assert ratio_of(np.concatenate([straight[:50], triplets, triplets, triplets])) == 2.0
    assert ratio_of(eighths(2 / 3, beats=15)) == 1.0
    assert ratio_of(np.empty(0)) == 1.0


def test_triplets_fall_on_sixteenths_where_the_ratio_is_two():
    thirds = np.arange(12) / 3 * 4
    assert straightened(thirds, [[0, 2.0]], 4) == pytest.approx([0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14])
    assert swung(np.array([2, 6]), [[0, 2.0]], 4) == pytest.approx([8 / 3, 4 + 8 / 3])
    assert swung(np.array([1, 3]), [[0, 2.0]], 2) == pytest.approx([4 / 3, 2 + 4 / 3])


def test_a_map_is_straight_where_nothing_in_it_swings():
    assert is_straight([[0, 1.0], [16, 1.0]])
    assert not is_straight([[0, 1.0], [16, 1.5]])


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.dictionaries(st.integers(1, 60), st.floats(MIN_SWING, MAX_SWING), max_size=4),
    st.floats(MIN_SWING, MAX_SWING),
    st.sampled_from([2, 4]),
)
def test_what_is_swung_is_straightened_to_the_same_steps_in_the_same_order(changes, first, steps_per_beat):
    swing = [[0, first], *([at, ratio] for at, ratio in sorted(changes.items()))]
    steps = np.arange(-5, 80)
    played = swung(steps, swing, steps_per_beat)
    assert (np.diff(played) > 0.1).all()
    assert straightened(np.rint(played * 120) / 120, swing, steps_per_beat) == pytest.approx(steps, abs=0.05)
    assert np.array_equal(swung(steps, [[0, 1.0]], steps_per_beat), steps)
