"""Turn MIDI files into sound with the instruments of a General MIDI SoundFont, the one that pretty_midi comes with.

A synthesiser adds up its notes, so the notes that begin in one stretch of time are rendered with all of their decay,
and the stretches are added: a long file takes little memory, and Ctrl-C stops it at once.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from musicae.core import File
from musicae.errors import MusicaeError, did_you_mean
from musicae.formats.files import name_of
from musicae.formats.music import midi
from musicae.formats.sound.files import writing
from musicae.formats.sound.kind import Block, Kind
from musicae.formats.sound.reading import reading
from musicae.formats.temporary import temporary_folder

__all__ = [
    "DECAY",
    "RATE",
    "VARIABLE",
    "Synth",
    "Track",
    "available",
    "decoded",
    "play",
    "render",
    "soundfont",
    "synthesiser",
    "tracks_of",
]

VARIABLE = "MUSICAE_SYNTH"
"""The environment variable that names the synthesiser: ``midirenderer``, which is the default, or ``fluidsynth``."""

RATE = 48_000
"""Frames in a second, the only rate of midirenderer."""

DECAY = 6 * RATE
"""Frames that a note is followed for after its end; the longest, of bells and cymbals, is 55 dB down by then."""

_MAX_HOURS = 1.0
_PEAK = 0.9
_STRETCH = 30 * RATE
_TRACKS = 14  # Pitched ones that have a channel of their own beside drums, as symusic counts.
_VOLUMES = (127, 90, 64, 45, 32, 23, 16)  # Each halves the amplitude, which goes with the square.
_VOLUME_CONTROL = 7
_FULL = 0.999
_SILENCE = 1.5 / 2**15  # Decay ends as an offset of one step of 16 bits.

_SOUNDFONT = "TimGM6mb.sf2"

Frames = NDArray[np.int64]
Synth = Callable[[bytes], Block]
"""Renders the bytes of a MIDI file as ``(frames, 2)`` at `RATE`, which is clipped at full scale."""


class Track(NamedTuple):
    """The notes of one track, in the order of their onsets; `start` and `end` ``(N,)`` are in frames."""

    program: int
    drums: bool
    start: Frames
    end: Frames
    pitch: Frames
    velocity: Frames

    def between(self, first: int, last: int) -> Track:
        """Return the notes that begin from `first` to before `last`, in frames after `first`."""
        own = slice(*np.searchsorted(self.start, (first, last)).tolist())
        times = (self.start[own] - first, self.end[own] - first)
        return Track(self.program, self.drums, *times, self.pitch[own], self.velocity[own])


def render(source: File, wav: File, name: str = "", synth: Synth | None = None) -> str:
    """Write the sound of a file of notes as a stereo WAV file of 16 bits at `RATE`, its peak at 0.9.

    Notes, programs, drums, velocities and tempos count; controllers and pitch bends do not.

    Parameters
    ----------
    source : a MIDI (or ABC) file, or a stream of its bytes.
    wav : the file to write (complete or not at all), or a stream.
    name : what the source is called in messages, by default by its own name.
    synth : what renders, in place of the synthesiser that the user has named.

    Returns
    -------
    A remark that says which synthesiser was used.

    Raises
    ------
    MusicaeError : a file that cannot be read, that has no notes, that lasts over an hour; a folder that cannot be
        written; a synthesiser that is unknown or not installed.
    """
    if isinstance(wav, Path) and not wav.parent.is_dir():
        raise MusicaeError(f"there is no folder {wav.parent}; make it first")
    name_of_synth, chosen = synthesiser()
    tracks = tracks_of(source, name or name_of(source))
    with temporary_folder() as folder:
        # The peak is known only at the end.
        with writing(folder / "raw.wav", Kind(RATE, 2, subtype="FLOAT")) as raw:
            for block in _blocks(tracks, synth or chosen):
                raw.write(block)
        with reading(folder / "raw.wav") as reader, writing(wav, Kind(RATE, 2)) as opened:
            for block in reader.blocks():
                opened.write(block * np.float32(_PEAK / max(raw.peak, 1e-9)))
    return f"the sound is by {name_of_synth}"


def tracks_of(source: File, name: str) -> list[Track]:
    """Return the tracks of a file, with their times in frames."""
    score, tracks, *_ = midi.load(source)
    if not tracks.tracks:
        raise MusicaeError(f"{name} has no notes; there is nothing to play")
    # The tempo is 120 until the first one is set.
    tempos = score.tempos.numpy()
    at = np.concatenate([[0], tempos["time"]]).astype(np.int64)
    tick = np.concatenate([[500_000], tempos["mspq"]]) / 1e6 / score.ticks_per_quarter  # In seconds.
    begin = np.concatenate([[0.0], (np.diff(at) * tick[:-1]).cumsum()])

    def frames(ticks: Frames) -> Frames:
        span = np.searchsorted(at, ticks, side="right") - 1
        return np.rint(RATE * (begin[span] + (ticks - at[span]) * tick[span])).astype(np.int64)

    start, end = frames(tracks.start), frames(tracks.stop)
    hours = int(end.max()) / RATE / 3600
    if hours > _MAX_HOURS:
        raise MusicaeError(f"{name} lasts {hours:.1f} hours; at most one can be rendered; choose an excerpt")
    return [
        Track(one.program, one.drums, *(notes[one.span] for notes in (start, end, tracks.pitch, tracks.velocity)))
        for one in tracks.tracks
    ]


def _blocks(tracks: Sequence[Track], synth: Synth) -> Iterator[Block]:
    """Go through the sound of all tracks, which ends where the last decay does."""
    last = max(int(track.start[-1]) for track in tracks)
    sound, volumes = np.zeros((0, 2), np.float32), list(_VOLUMES)
    for first in range(0, last + 1, _STRETCH):
        playing = [one for track in tracks if len((one := track.between(first, first + _STRETCH)).start)]
        for group in _groups(playing):
            sound = _sum(sound, _play(group, synth, volumes))
        if first + _STRETCH <= last:
            sound = _sum(sound, np.zeros((_STRETCH, 2), np.float32))
            yield sound[:_STRETCH]
            sound = sound[_STRETCH:]
    audible = np.flatnonzero(np.abs(sound).max(1) > _SILENCE)
    yield sound[: audible[-1] + 1 if len(audible) else 0]


def _groups(tracks: Sequence[Track]) -> Iterator[list[Track]]:
    """Cut tracks into groups in which each has a channel of its own: some pitched ones, and one of drums."""
    pitched, drums = ([track for track in tracks if track.drums is kind] for kind in (False, True))
    for i in range(max(-(-len(pitched) // _TRACKS), len(drums))):
        yield pitched[i * _TRACKS : (i + 1) * _TRACKS] + drums[i : i + 1]


def _sum(one: Block, other: Block) -> Block:
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    result = longer.copy()
    result[: len(shorter)] += shorter
    return result


def play(tracks: Sequence[Track], synth: Synth, decay: int = DECAY) -> Block:
    """Return the sound of tracks with a channel each, ``(frames, 2)``, until `decay` frames after their last note."""
    return _play(tracks, synth, list(_VOLUMES), decay)


def _play(tracks: Sequence[Track], synth: Synth, volumes: list[int], decay: int = DECAY) -> Block:
    """Return the sound of some tracks as at the highest volume; those of `volumes` that clip it are taken out."""
    sound = synth(_midi_bytes(tracks, volumes[0], decay))
    while np.abs(sound).max(initial=0.0) > _FULL and len(volumes) > 1:
        del volumes[0]
        sound = synth(_midi_bytes(tracks, volumes[0], decay))
    return sound * np.float32((_VOLUMES[0] / volumes[0]) ** 2)


def _midi_bytes(tracks: Sequence[Track], volume: int, decay: int) -> bytes:
    """Return a MIDI file in which a tick is a frame, and which lasts as long as the decay of its notes."""
    from symusic.core import ControlChangeTick, NoteTickList, ScoreTick, TrackTick

    score = ScoreTick(RATE // 2)  # At 120 quarter notes a minute, which is the default.
    for track in tracks:
        made = TrackTick("", track.program, track.drums)
        made.notes = NoteTickList.from_numpy(
            track.start.astype(np.int32),
            np.maximum(track.end - track.start, 1).astype(np.int32),
            track.pitch.astype(np.int8),
            track.velocity.astype(np.int8),
        )
        made.controls.append(ControlChangeTick(0, _VOLUME_CONTROL, volume))
        # The sound ends at the last event.
        made.controls.append(ControlChangeTick(int(track.end.max()) + decay, _VOLUME_CONTROL, volume))
        score.tracks.append(made)
    return score.dumps_midi()


# --- synthesisers ----------------------------------------------------------------------------------------------------


def available() -> str:
    """Return the name of the synthesiser that is used. Raise MusicaeError where it is unknown or not installed."""
    return synthesiser()[0]


def synthesiser() -> tuple[str, Synth]:
    """Return the name of the synthesiser that the user wants, and the function that renders with it."""
    makers = {"midirenderer": _midirenderer, "fluidsynth": _fluidsynth}
    name = os.environ.get(VARIABLE, "").strip() or "midirenderer"
    if name not in makers:
        raise MusicaeError(f"{VARIABLE}: no synthesiser named '{name[:40]}'{did_you_mean(name, makers)}")
    return name, makers[name]()


def _midirenderer() -> Synth:
    from midirenderer import render_wave_from

    instruments = soundfont().read_bytes()
    return lambda data: decoded(render_wave_from(instruments, data))


def soundfont() -> Path:
    """Return the file of the instruments. Raise MusicaeError where it is missing."""
    found = find_spec("pretty_midi")
    if found is None or found.origin is None:
        raise MusicaeError("the package pretty_midi, whose SoundFont plays, is missing; install it with pip")
    return Path(found.origin).with_name(_SOUNDFONT)


def decoded(wav: bytes) -> Block:
    """Return the frames of a WAV file."""
    import soundfile

    sound: Block = soundfile.read(io.BytesIO(wav), dtype="float32")[0]
    return sound


def _fluidsynth() -> Synth:
    try:
        import fluidsynth  # noqa: F401, for it tells whether the library is there
    except (ImportError, OSError):
        raise MusicaeError(
            f"{VARIABLE}=fluidsynth needs FluidSynth and the package pyfluidsynth; install them, or unset the variable"
        ) from None
    import pretty_midi

    def render_midi(data: bytes) -> Block:
        parsed = pretty_midi.PrettyMIDI(io.BytesIO(data))
        # It divides the sum of the tracks by their number.
        mono = parsed.fluidsynth(fs=RATE, normalize=False) * len(parsed.instruments)
        return np.repeat(mono.astype(np.float32)[:, None], 2, axis=1)

    return render_midi
