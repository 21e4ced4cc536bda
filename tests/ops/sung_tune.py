"""A voice that sings notes."""

import numpy as np
import soundfile

from musicae.tensors.recorded import RATE

TUNE = [(60, 0.4), (64, 0.3), (64, 0.3), (67, 0.5), (62, 0.25), (72, 0.5)]


def voice(notes, gap=0.04, cents=0.0, vibrato=0.0, seed=0):
    """Return a voice with harmonics that swells and fades, with a little noise: notes are (pitch or 0, seconds)."""
    parts = [np.zeros(RATE // 5)]
    for pitch, seconds in notes:
        t = np.arange(int((seconds - gap) * RATE)) / RATE
        semitones = pitch + cents / 100 + vibrato * np.sin(2 * np.pi * 5.5 * t)
        phase = 2 * np.pi * np.cumsum(440 * 2 ** ((semitones - 69) / 12)) / RATE
        shape = np.minimum(1, np.minimum(t / 0.03, (t[-1] - t) / 0.03)) * (pitch > 0)
        parts += [0.2 * shape * sum(np.sin(k * phase) / k for k in range(1, 6)), np.zeros(int(gap * RATE))]
    sound = np.concatenate(parts)
    return (sound + 0.005 * np.random.default_rng(seed).standard_normal(len(sound))).astype(np.float32)


def sing(path, notes=TUNE):
    """Write what a voice sings as a sound file, and return its path."""
    soundfile.write(path, voice(notes), RATE)
    return path
