"""Where notes begin."""

from __future__ import annotations

import torch
from notes import kit, line

from musicae.attributes.shared.onsets import after_silence, begins, offbeat_share, top_pitches


def test_the_rhythm_of_drums_is_that_of_kick_snare_and_toms() -> None:
    beat = kit([(0, "kick"), (1, "open hi-hat"), (2, "ride"), (3, "low tom"), (4, "crash")], steps=5)
    assert begins(beat).tolist() == [[True, False, False, True, False]]
    assert begins(line([(0, 60), (0, 64), (2, 61)], steps=4)).tolist() == [[True, False, True, False]]


def test_silence_before_the_window_is_silence() -> None:
    starts = torch.tensor([[False, True, False, False, True]])
    assert after_silence(starts, 2).tolist() == [[True, True, False, False, True]]


def test_top_pitches_and_shares_of_a_part_of_a_beat() -> None:
    pitch, there = top_pitches(line([(0, 60), (0, 64), (2, 61)], steps=4))
    assert there.tolist() == [[True, False, True, False]]
    assert pitch[there].tolist() == [64, 61]
    assert offbeat_share(line([(2, 60)]), 1).tolist() == [1.0]
    assert offbeat_share(line([(2, 60)]), 4).isnan().all()  # There are no steps between sixteenths.
