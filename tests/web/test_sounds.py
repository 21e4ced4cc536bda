"""The sound of points."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import soundfile

from musicae.errors import MusicaeError
from musicae.formats.music.synth import RATE
from musicae.formats.music.synth_pool import SynthPool
from musicae.web.asked import Point
from musicae.web.sounds import Sounds, wave_of
from musicae.web.studio import Studio


def found(studio: Studio, preset: str, **more: Any) -> tuple[Any, Any]:
    made = studio.find(Point(preset, ["draw:1", "draw:2"], **more))
    return made.pad.codec, made.sample


def test_stems_are_rendered_once(studio: Studio, synths: SynthPool) -> None:
    rendered: list[bytes] = []
    sounds = Sounds(lambda data: rendered.append(data) or synths(data), 2)
    codec, sample = found(studio, "band-2bar")
    whole = sounds.of(codec, sample)
    count = len(rendered)
    assert count > 1
    assert sounds.of(codec, sample) == whole
    for part in codec.spec.parts:
        sounds.of(codec, sample, [part])
    assert len(rendered) == count


def test_a_loop_is_as_long_as_its_bars(studio: Studio, synths: SynthPool) -> None:
    codec, sample = found(studio, "drums-2bar", tempo=93)
    sound, rate = soundfile.read(io.BytesIO(Sounds(synths, 1).of(codec, sample)))
    assert rate == RATE
    assert len(sound) == round(RATE * 8 * 60 / 93)


def test_parts_that_do_not_play_are_silent(studio: Studio, synths: SynthPool) -> None:
    codec, sample = found(studio, "band-2bar")
    silent = type(sample)(codec.blank_step().expand_as(sample.tensor).clone(), sample.meta, sample.hop)
    for only in ([], ["melody"]):
        assert not soundfile.read(io.BytesIO(Sounds(synths, 1).of(codec, silent, only)))[0].any()


def test_single_sounds_begin_and_end_at_nothing(studio: Studio, synths: SynthPool) -> None:
    codec, sample = found(studio, "tiny-drum")
    sound, rate = soundfile.read(io.BytesIO(Sounds(synths, 1).of(codec, sample)))
    assert rate == codec.adapter.blank()["kind"]["rate"]
    assert sound[0] == sound[-1] == 0
    frames, _ = wave_of(codec, sample)
    middle = slice(300, -300)
    np.testing.assert_allclose(sound[middle], frames[middle, 0], atol=0.02)


def test_what_has_no_sound_is_one_line(studio: Studio, synths: SynthPool) -> None:
    sounds = Sounds(synths, 1)
    with pytest.raises(MusicaeError, match="has no sound"):
        sounds.of(*found(studio, "tiny-digits"))
    with pytest.raises(MusicaeError, match="no part 'flute'"):
        sounds.of(*found(studio, "band-2bar"), ["flute"])


def test_a_file_has_all_of_the_decay(studio: Studio, synths: SynthPool) -> None:
    codec, sample = found(studio, "melody-2bar", tempo=120)
    file = io.BytesIO()
    Sounds(synths, 1).write(codec, sample, file)
    sound, _ = soundfile.read(io.BytesIO(file.getvalue()))
    assert len(sound) != round(RATE * 4)
    assert np.abs(sound).max() == pytest.approx(0.9, abs=0.001)
