"""The sound of what is at a point: exactly one loop, stem by stem, each of which is rendered once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from typing import BinaryIO

import numpy as np

from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.formats.music import synth
from musicae.formats.music.loops import loop_of, same_sound
from musicae.formats.music.synth import RATE, Synth, Track
from musicae.formats.sound.files import Kind, writing
from musicae.formats.sound.kind import Block
from musicae.formats.sound.reading import reading
from musicae.ops.parts import check_parts, playing, sounding_alone
from musicae.ops.playing import tempo_of
from musicae.ops.suffixes import suffixes_written
from musicae.web.store import Cache
from musicae.web.workers import Workers

__all__ = ["Sounds", "has_sound", "wave_of"]

_GAIN, _FULL = 1.0, 0.98  # Of all loops alike, so that stems add up; a loop that would clip is turned down.
_FADE = 240  # Samples at the ends of a sound that is no music, so that it does not click where it begins again.
_CACHE_BYTES = 128_000_000


def has_sound(codec: Codec) -> bool:
    """Tell whether what a codec makes can be heard."""
    return bool(codec.adapter.plays) or ".wav" in suffixes_written(codec.adapter)


class Sounds:
    """Renders loops with a synthesiser, `count` stems at a time; may be used from several threads at once."""

    def __init__(self, play: Synth, count: int) -> None:
        self._play, self._workers = play, Workers(count, name="sound")
        self._stems: Cache[Block] = Cache(_CACHE_BYTES)

    def of(self, codec: Codec, sample: Sample, only: Sequence[str] = ()) -> bytes:
        """Return the sound of a sample, of its parts `only` if there are any, as a WAV file one loop long.

        Raise MusicaeError for parts that it does not have, and for what has no sound.
        """
        if not has_sound(codec):
            raise MusicaeError(f"what '{codec.preset.name}' makes has no sound")
        if not codec.adapter.plays:
            check_parts(codec, only, "only")
            return _unlooped(codec, sample)
        rolls = codec.adapter.rolls(sample)
        beats = rolls[0].length / rolls[0].steps_per_beat
        frames = round(RATE * 60 * beats / (tempo_of(codec, sample.meta) or 120))
        mixed = np.zeros((frames, 2), np.float32)
        for stem in self._loops(_tracks(codec, sample, only), frames):
            mixed += stem
        return _wav(mixed * np.float32(_GAIN), RATE)

    def write(self, codec: Codec, sample: Sample, file: BinaryIO) -> None:
        """Write the sound of a sample, from its beginning to the end of its decay, as the commands do."""
        if codec.adapter.plays:
            written = io.BytesIO()
            codec.adapter.write(sample, written)
            synth.render(written, file, "the result", self._play)
        else:
            codec.adapter.write(_from_nowhere(codec, sample), file)

    def _loops(self, tracks: Sequence[Track], frames: int) -> list[Block]:
        found = [self._stems.get(same_sound(track, frames)) for track in tracks]
        missing = [track for track, stem in zip(tracks, found, strict=True) if stem is None]
        futures = [self._workers.submit(partial(loop_of, track, frames, self._play)) for track in missing]
        made = [stem for stem in found if stem is not None]
        for track, future in zip(missing, futures, strict=True):
            stem = future.result()
            self._stems.put(same_sound(track, frames), stem, stem.nbytes)
            made.append(stem)
        return made


def _tracks(codec: Codec, sample: Sample, only: Sequence[str]) -> list[Track]:
    """Return the tracks of a sample, as they would be written; none where nothing sounds."""
    wanted = check_parts(codec, only, "only")
    silent = not codec.adapter.sounding(sample.tensor[None]).any()
    if silent or (wanted and not set(wanted) & set(playing(codec, sample))):
        return []
    file = io.BytesIO()
    codec.adapter.write(sounding_alone(codec, [sample], solo=wanted)[0], file)
    return synth.tracks_of(file, "the loop")


def wave_of(codec: Codec, sample: Sample) -> tuple[Block, int]:
    """Return the frames of a sound ``(frames, channels)``, and their rate in Hz."""
    file = io.BytesIO()
    codec.adapter.write(_from_nowhere(codec, sample), file)
    with reading(file) as opened:
        return np.concatenate([*opened.blocks()]), opened.kind.rate


def _from_nowhere(codec: Codec, sample: Sample) -> Sample:
    """Return a sample that is written in the preset's own format, not as the file was that it came from."""
    return Sample(sample.tensor, codec.adapter.blank(), sample.hop)


def _unlooped(codec: Codec, sample: Sample) -> bytes:
    sound, rate = wave_of(codec, sample)
    fade = np.linspace(0, 1, min(_FADE, len(sound)), dtype=np.float32)[:, None]
    sound[: len(fade)] *= fade
    sound[len(sound) - len(fade) :] *= fade[::-1]
    return _wav(sound, rate)


def _wav(sound: Block, rate: int) -> bytes:
    file = io.BytesIO()
    peak = float(np.abs(sound).max(initial=0.0))
    with writing(file, Kind(rate, sound.shape[1])) as opened:
        opened.write(sound * np.float32(min(1.0, _FULL / max(peak, 1e-9))))
    return file.getvalue()
