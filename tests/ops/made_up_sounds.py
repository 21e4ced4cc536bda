"""A voice, and instruments alone, made up of what they are known by; each ``(T,)`` at `rate` in Hz."""

import numpy as np
from scipy.signal import lfilter

VOWELS = np.array([(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410)])
TUNE = (0, 4, 7, 12, 11, 7, 9, 5, 4, 2, 7, 0)  # Semitones.


def formants(pulses, start, end, rate):
    """Send pulses through formants that glide from those of one vowel to those of another."""
    step, made, states = rate // 100, [], [np.zeros(2) for _ in start]
    for at in range(0, len(pulses), step):
        block = pulses[at : at + step]
        for i, (centre, breadth) in enumerate(
            zip(start + (end - start) * at / len(pulses), (80, 100, 140), strict=True)
        ):
            pole = np.exp(-np.pi * breadth / rate)
            back = [1, -2 * pole * np.cos(2 * np.pi * centre / rate), pole * pole]
            block, states[i] = lfilter([sum(back)], back, block, zi=states[i])
        made.append(block)
    return np.concatenate(made)


def voice(rate, rng, low=95, high=140):
    """Sentences: hisses, and pulses of a pitch that falls, through vowels that glide; pauses between them."""
    parts = []
    for _ in range(5):
        syllables, base = rng.integers(4, 8), rng.uniform(low, high)
        for i in range(syllables):
            if rng.random() < 0.6:
                count = int(rate * rng.uniform(0.05, 0.11))
                parts.append(0.04 * np.diff(rng.standard_normal(count + 1)) * np.hanning(count))
            count = int(rate * rng.uniform(0.12, 0.24))
            time = np.linspace(0, 1, count)
            pitch = base * (1.25 - 0.5 * (i + time) / syllables) * (1 + 0.12 * np.sin(np.pi * time))
            pitch *= np.exp(0.01 * np.cumsum(rng.standard_normal(count)) / np.sqrt(rate / 50))
            pulses = lfilter([1], [1, -0.97], np.diff(np.floor(np.cumsum(pitch / rate)), prepend=0.0))
            made = formants(pulses, VOWELS[rng.integers(5)], VOWELS[rng.integers(5)], rate) * np.hanning(count) ** 0.4
            parts.append(0.3 * made / np.abs(made).max())
        parts.append(np.zeros(int(rate * rng.uniform(0.25, 0.5))))
    return np.concatenate(parts)


def chords(rate, rng):
    """Chords of tones with overtones, which fade."""
    time = np.arange(rate // 2) / rate
    made = []
    for _ in range(12):
        root = 110 * 2 ** (rng.integers(12) / 12)
        tones = [(root * step * k, k) for step in (1.0, 1.26, 1.498) for k in range(1, 7)]
        made.append(0.06 * sum(np.sin(2 * np.pi * f * time) / k * np.exp(-k * time) for f, k in tones))
    return np.concatenate(made)


def played(note, lowest, rate, rng):
    """Play the tune, each note for .3 to .8 s; `note` takes a pitch in Hz and the time ``(n,)`` in s."""
    made = [
        note(lowest * 2 ** (step / 12), np.arange(int(rate * rng.uniform(0.3, 0.8))) / rate) * rng.uniform(0.5, 1)
        for step in TUNE
    ]
    together = np.concatenate(made)
    return 0.3 * together / np.abs(together).max()


def plucked(rate, rng, lowest):
    """Strings as Karplus and Strong (1983) made them."""

    def note(hz, time):
        period = round(rate / hz)
        pluck = np.zeros(len(time))
        pluck[:period] = rng.uniform(-1, 1, period)
        return lfilter([1], [1, *np.zeros(period - 1), -0.498, -0.498], pluck)

    return played(note, lowest, rate, rng)


def partials(hz, time, levels, stiffness=0.0):
    """Add up overtones at these levels, sharper the stiffer the string."""
    return sum(
        level * np.sin(2 * np.pi * hz * k * np.sqrt(1 + stiffness * k * k) * time)
        for k, level in enumerate(levels, start=1)
    )


def piano(rate, rng):
    """Struck strings, which fade, the high overtones sooner."""

    def note(hz, time):
        return partials(hz, time, [np.exp(-time * (2 + k)) / k for k in range(1, 12)], 0.0004)

    return played(note, 220, rate, rng)


def blown(rate, rng, lowest, levels, vibrato, breath):
    """Held tones with vibrato and breath."""

    def note(hz, time):
        swing = vibrato * np.sin(2 * np.pi * 5.5 * time) / (2 * np.pi * 5.5)
        swell = np.minimum(1, np.minimum(time, time[-1] - time) / 0.06)
        return swell * (partials(hz, time + swing, levels) + breath * rng.standard_normal(len(time)))

    return played(note, lowest, rate, rng)


SOLOS = {
    "piano": piano,
    "guitar": lambda rate, rng: plucked(rate, rng, 110),
    "bass": lambda rate, rng: plucked(rate, rng, 41),
    "flute": lambda rate, rng: blown(rate, rng, 523, (1, 0.3, 0.1, 0.03), 0.004, 0.03),
    "violin": lambda rate, rng: blown(rate, rng, 262, [1 / k for k in range(1, 25)], 0.012, 0.01),
}


def with_hiss(samples, rng, snr=20.0):
    """Add white noise this many dB below."""
    hiss = rng.standard_normal(len(samples))
    return samples + hiss * np.sqrt(np.square(samples).mean() / 10 ** (snr / 10))
