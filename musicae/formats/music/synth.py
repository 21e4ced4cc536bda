"""Turn MIDI files into sound: by fluidsynth if pretty_midi finds it, else by a small synthesiser of our own."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.files import name_of
from musicae.formats.music import midi
from musicae.formats.music.percussion import CLASSES
from musicae.formats.sound.files import writing
from musicae.formats.sound.kind import Kind

__all__ = ["render"]

Wave = NDArray[np.float64]

_MAX_HOURS = 1.0
_PEAK = 0.9
_HARMONICS = (1.0, 0.42, 0.23, 0.11, 0.06, 0.03)
"""Amplitudes of a note's harmonics, between those of a piano and of a plucked string."""


def render(source: File, wav: File, rate: int = 44100) -> str:
    """Write the sound of a MIDI file as a mono WAV file of 16 bits, its peak at 0.9.

    Parameters
    ----------
    source : the MIDI file, or a stream of its bytes.
    wav : the file to write (complete or not at all), or a stream.
    rate : samples per second.

    Returns
    -------
    A remark that says which synthesiser was used.

    Raises
    ------
    MusicaeError : a file that cannot be read, that has no notes, that lasts over an hour; a folder that cannot be
        written.
    """
    if isinstance(wav, Path) and not wav.parent.is_dir():
        raise MusicaeError(f"there is no folder {wav.parent}; make it first")
    sound, remark = _synthesise(_parse(source), rate)
    sound *= _PEAK / max(float(np.abs(sound).max(initial=0.0)), 1e-9)
    with writing(wav, Kind(rate, 1)) as opened:
        opened.write(sound[:, None].astype(np.float32))
    return remark


def _parse(source: File) -> Any:
    score = midi.load(source).score
    if not score.note_num():
        raise MusicaeError(f"{name_of(source)} has no notes; there is nothing to play")
    if not isinstance(source, Path):
        source.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pretty_midi

            parsed = pretty_midi.PrettyMIDI(str(source) if isinstance(source, Path) else source)
    except (OSError, EOFError, ValueError, KeyError, IndexError, ZeroDivisionError) as error:
        raise MusicaeError(
            f"{name_of(source)} cannot be read by pretty_midi ({' '.join(str(error).split())}); write it again"
        ) from None
    hours = parsed.get_end_time() / 3600
    if hours > _MAX_HOURS:
        raise MusicaeError(f"{name_of(source)} lasts {hours:.1f} hours; at most one can be rendered; choose an excerpt")
    return parsed


def _synthesise(parsed: Any, rate: int) -> tuple[Wave, str]:
    try:
        return np.asarray(parsed.fluidsynth(fs=rate), dtype=np.float64), "the sound is by fluidsynth"
    except (ImportError, OSError, AttributeError, ValueError):
        remark = "the sound is plain; install fluidsynth and the package pyfluidsynth for real instruments"
    sound = np.zeros(int(rate * (parsed.get_end_time() + 1.5)) + 1)
    for instrument in parsed.instruments:
        part = _hits(instrument, rate) if instrument.is_drum else instrument.synthesize(fs=rate, wave=_timbre)
        sound[: len(part)] += part[: len(sound)]
    return sound, remark


def _timbre(phase: Wave) -> Wave:
    """Return a periodic wave with a few harmonics; `phase` is in radians (pretty_midi adds an envelope)."""
    tone = np.zeros_like(phase)
    for order, amplitude in enumerate(_HARMONICS, start=1):
        tone += amplitude * np.sin(order * phase)
    return tone


def _hits(instrument: Any, rate: int) -> Wave:
    """Return the sound of a drum track: one short sound for each class of `CLASSES`."""
    sounds = {name: _strike(*_KIT[name], rate) for name in CLASSES}
    name_of = {pitch: name for name, pitches in CLASSES.items() for pitch in pitches}
    longest = max(len(sound) for sound in sounds.values())
    result = np.zeros(int(rate * instrument.get_end_time()) + longest + 1)
    for note in instrument.notes:
        if note.pitch in name_of:
            sound = sounds[name_of[note.pitch]]
            at = int(note.start * rate)
            result[at : at + len(sound)] += sound * (note.velocity / 127) ** 1.5
    return result


def _strike(start: float, stop: float, tone: float, noise: float, bright: int, decay: float, rate: int) -> Wave:
    """Return a falling tone and a burst of noise.

    `start` and `stop` are the tone's frequencies in Hz, `tone` and `noise` amplitudes, `bright` how many times the
    noise is differentiated (a high-pass), `decay` the time in seconds to 1/e.
    """
    time = np.arange(int(rate * decay * 5)) / rate
    frequency = stop + (start - stop) * np.exp(-time / 0.03)
    body = tone * np.sin(2 * np.pi * np.cumsum(frequency) / rate)
    burst = np.random.default_rng(0).standard_normal(len(time) + bright)
    for _ in range(bright):
        burst = np.diff(burst) / np.sqrt(2)
    envelope = np.exp(-time / decay) * np.minimum(1.0, time / 0.001)
    sound: Wave = (body + noise * burst) * envelope
    return sound


_KIT = {
    "kick": (150.0, 48.0, 1.6, 0.05, 0, 0.12),
    "snare": (240.0, 185.0, 0.5, 0.35, 0, 0.07),
    "closed hi-hat": (400.0, 400.0, 0.0, 0.22, 2, 0.025),
    "open hi-hat": (400.0, 400.0, 0.0, 0.2, 2, 0.12),
    "low tom": (140.0, 85.0, 1.1, 0.04, 0, 0.15),
    "mid tom": (190.0, 120.0, 1.1, 0.04, 0, 0.13),
    "high tom": (260.0, 165.0, 1.1, 0.04, 0, 0.11),
    "crash": (500.0, 500.0, 0.0, 0.22, 1, 0.35),
    "ride": (620.0, 620.0, 0.08, 0.12, 2, 0.22),
}
"""The arguments of `_strike` for each class."""
