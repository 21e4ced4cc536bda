"""Tones for the tests of sound files, and how these are read."""

import numpy as np

from musicae.formats.sound import files as sound


def tones(frames=4000, channels=1, rate=8000):
    time = np.arange(frames)[:, None] / rate
    return (0.4 * np.sin(2 * np.pi * time * (220 + 110 * np.arange(channels)))).astype(np.float32)


def read(file):
    with sound.reading(file) as opened:
        return np.concatenate(list(opened.blocks()))
