"""The sound of notes that go round: as long as the loop to the frame, with the decay of its end at its beginning."""

from __future__ import annotations

import numpy as np

from musicae.formats.music.synth import DECAY, RATE, Synth, Track, play
from musicae.formats.sound.kind import Block

__all__ = ["folded", "loop_of", "same_sound"]

_RING = 3 * RATE  # Frames that a note rings on in a loop; what sounds after that is masked by the next notes.
_FADE = RATE // 4


def loop_of(track: Track, frames: int, synth: Synth) -> Block:
    """Return the sound of a track that goes round after so many frames, ``(frames, 2)``."""
    sound = play([track], synth, min(_RING, DECAY))
    fade = min(_FADE, len(sound))
    sound[len(sound) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return folded(sound, frames)


def folded(sound: Block, frames: int) -> Block:
    """Return a sound whose frames after the first `frames` are added at the beginning, as often as it takes."""
    looped = np.zeros((frames, sound.shape[1]), np.float32)
    for at in range(0, len(sound), frames):
        part = sound[at : at + frames]
        looped[: len(part)] += part
    return looped


def same_sound(track: Track, frames: int) -> tuple[object, ...]:
    """Return what the sound of a looped track depends on."""
    notes = (track.start, track.end, track.pitch, track.velocity)
    return frames, track.program, track.drums, *(values.tobytes() for values in notes)
