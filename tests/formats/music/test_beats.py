"""Where the beats are, when notes do not sit on the file's bar lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.formats.music.beats import offset

STEP, BEAT, BAR = 120.0, 4, 16


def chords(shift: float, bars: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Return the onsets and ends of four notes a bar, each as long as the bar, `shift` ticks late."""
    start = np.repeat(np.arange(bars) * BAR * STEP + shift, 4)
    return start, start + BAR * STEP


def beats(shift: float, bars: int = 16) -> tuple[np.ndarray, np.ndarray]:
    start = np.arange(bars * 4) * BEAT * STEP + shift
    return start, start + STEP


def test_notes_on_their_steps_are_left_there():
    for tracks in ([], [beats(0)], [beats(0), chords(0)]):
        assert offset(beats(0)[0], STEP, tracks, BEAT, BAR) == (0.0, "")


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.floats(-0.45, 0.45))
def test_a_common_shift_within_a_step_is_found(share):
    found, remark = offset(beats(share * STEP)[0], STEP, [], BEAT, BAR)
    if abs(share) > 0.15:
        assert found == pytest.approx(share * STEP, abs=1e-6)
        assert "off the file's bar lines" in remark
    elif abs(share) < 0.149:
        assert (found, remark) == (0.0, "")


@pytest.mark.parametrize("steps", range(1, BAR))
def test_a_bar_that_begins_elsewhere_is_found_by_its_long_notes(steps):
    shift = steps * STEP
    found, remark = offset(beats(shift)[0], STEP, [beats(shift), chords(shift)], BEAT, BAR)
    # A whole beat late cannot be told from a tune that begins late; the place within the beat can.
    assert found == (0.0 if steps % BEAT == 0 else shift)
    assert bool(remark) is bool(steps % BEAT)


def test_too_few_or_scattered_onsets_say_nothing():
    scattered = np.sort(np.random.default_rng(0).uniform(0, 100 * STEP, 200))
    assert offset(scattered, STEP, [], BEAT, BAR) == (0.0, "")
    assert offset(beats(0.3 * STEP)[0][:7], STEP, [], BEAT, BAR) == (0.0, "")
    few = [beats(2 * STEP, 2), chords(2 * STEP, 2)]
    assert offset(beats(2 * STEP)[0], STEP, few, BEAT, BAR) == (0.0, "")
