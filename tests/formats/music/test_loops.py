"""Sound that goes round."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from musicae.formats.music.loops import folded, loop_of, same_sound
from musicae.formats.music.synth import RATE, Track, synthesiser


def track(start: list[int], length: int = RATE // 4, pitch: int = 60) -> Track:
    at = np.array(start)
    return Track(0, False, at, at + length, np.full(len(at), pitch), np.full(len(at), 90))


def test_what_is_longer_than_the_loop_is_added_at_its_beginning() -> None:
    sound = np.arange(14, dtype=np.float32).reshape(7, 2)
    np.testing.assert_array_equal(folded(sound, 3), sound[:3] + sound[3:6] + [[12, 13], [0, 0], [0, 0]])
    np.testing.assert_array_equal(folded(sound, 9)[:7], sound)
    assert folded(sound, 9).shape == (9, 2)


def test_a_loop_twice_is_what_a_note_played_twice_sounds_like() -> None:
    frames, (_, synth) = RATE, synthesiser()
    loop = loop_of(track([0, RATE * 3 // 4]), frames, synth)
    assert loop.shape == (frames, 2)
    many = loop_of(track([i * RATE + at for i in range(6) for at in (0, RATE * 3 // 4)]), 12 * RATE, synth)
    # The chorus of the synthesiser moves all the time: it is loudness that comes back.
    later = loudness(many[4 * RATE : 5 * RATE])
    np.testing.assert_allclose(loudness(loop), later, rtol=0.25, atol=0.1 * later.max())
    dry = loudness(loop_of(track([0, RATE * 3 // 4]), 12 * RATE, synth)[:RATE])
    assert loudness(loop)[0] > dry[0]  # What rings on from the end is there.


def loudness(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.sqrt(np.square(sound).reshape(20, -1).mean(1))


def test_the_end_meets_the_beginning_without_a_click() -> None:
    loop = loop_of(track([0, RATE // 2], length=RATE // 2), RATE, synthesiser()[1])
    assert jump(np.concatenate([loop[-200:], loop[:200]])) <= 1.2 * jump(loop)


def jump(sound: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(sound, axis=0)).max())


def test_equal_notes_sound_the_same() -> None:
    assert same_sound(track([0]), RATE) == same_sound(track([0]), RATE)
    others = [same_sound(track([1]), RATE), same_sound(track([0], pitch=61), RATE), same_sound(track([0]), RATE + 1)]
    assert same_sound(track([0]), RATE) not in others
