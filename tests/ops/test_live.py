"""Live sound: what is played is what the file would be, late by always the same; what is late is lost, and counted."""

import threading

import numpy as np
import pytest

from musicae import codec
from musicae.errors import MusicaeError
from musicae.ops import live as module
from musicae.ops.live import Live
from musicae.ops.stream import Denoiser


@pytest.fixture(scope="module")
def voice(tiny_voice):
    return codec.load(str(tiny_voice))


@pytest.fixture
def started():
    """Start a `Live`, and end it after the test."""
    running = []

    def start(*args, **settings):
        running.append(Live(*args, **settings))
        running[-1].start()
        return running[-1]

    yield start
    for each in running:
        each.stop()


def sound(frames, channels=1):
    rng = np.random.default_rng(3)
    tone = 0.3 * np.sin(np.arange(frames)[:, None] * (0.1 + 0.03 * np.arange(channels)))
    return (tone + 0.05 * rng.standard_normal((frames, channels))).astype(np.float32)


def exchanged(live, block, channels):
    out = np.full((len(block), channels), np.nan, np.float32)
    live.exchange(block, out)
    return out


def played(live, x, channels, wait=True):
    """Return what is played while `x` is heard, block by block; the model gets the time it needs, or none."""
    parts = []
    for at in range(0, len(x), live.frames):
        parts.append(exchanged(live, x[at : at + live.frames], channels))
        if wait:
            live.wait()
    return np.concatenate(parts)


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_played_is_what_a_file_becomes_block_for_block(voice, started, rate, channels):
    live = started(Denoiser(voice, rate, channels), channels, buffer=0.0)
    x = sound(live.frames * 75, channels)
    whole = Denoiser(voice, rate, channels).process(x)
    out = played(live, x, channels)
    assert np.array_equal(out[: live.delay], np.zeros((live.delay, channels)))
    there = out[live.delay :]
    assert np.abs(there - whole[: len(there)]).max() < 1e-6
    assert np.abs(there).max() > 0.01
    figures = live.figures()
    assert (figures.dropouts, figures.lost, figures.seconds) == (0, 0, pytest.approx(1.5))
    assert 0 < figures.mean_load < 50
    assert figures.latency == live.delay / rate


def test_a_buffer_makes_it_later_by_just_that(voice, started):
    x = sound(6400)
    plain = started(Denoiser(voice, 8000), 1, buffer=0.0)
    later = started(Denoiser(voice, 8000), 1, buffer=0.1)
    assert later.delay == plain.delay + 800
    assert np.array_equal(played(later, x, 1)[800:], played(plain, x, 1)[:-800])


def test_one_channel_is_played_on_both_and_two_on_one(voice, started):
    x = sound(3200, 2)
    both = played(started(Denoiser(voice, 8000), 2), x[:, :1], 2)
    assert np.array_equal(both[:, 0], both[:, 1])
    stereo = played(started(Denoiser(voice, 8000, 2), 2), x, 2)
    mono = played(started(Denoiser(voice, 8000, 2), 1), x, 1)
    assert np.abs(mono - stereo.mean(1, keepdims=True)).max() < 1e-6


class Gate:
    """Keeps a denoiser waiting while it is closed."""

    def __init__(self, denoiser, monkeypatch):
        self.event, self.inside = threading.Event(), threading.Event()
        self.event.set()
        process = denoiser.process

        def gated(block):
            self.inside.set()
            assert self.event.wait(60)
            return process(block)

        monkeypatch.setattr(denoiser, "process", gated)

    def close(self):
        self.inside.clear()
        self.event.clear()


def test_what_is_late_is_lost_and_counted_and_the_rest_is_no_later(voice, started, monkeypatch):
    denoiser = Denoiser(voice, 8000)
    gate = Gate(denoiser, monkeypatch)
    live = started(denoiser, 1)
    x = sound(live.frames * 60)
    whole = Denoiser(voice, 8000).process(x)
    cut, late = 20 * live.frames, 6  # Blocks during which the model stands still.
    first = played(live, x[:cut], 1)
    gate.close()
    slow = played(live, x[cut : cut + late * live.frames], 1, wait=False)
    dropouts = live.figures().dropouts
    gate.event.set()
    live.wait()
    rest = played(live, x[cut + late * live.frames :], 1)
    out = np.concatenate([first, slow, rest])[live.delay :]
    missing = ~np.isclose(out, whole[: len(out)], atol=1e-6).all(1)
    assert live.figures().dropouts == dropouts
    assert 0 < dropouts <= late
    assert (out[missing] == 0).all()  # It is silent, and never something of another time.
    assert live.frames <= missing.sum() <= late * live.frames
    assert not missing[len(missing) - len(rest) :].any()


def test_where_the_model_stands_still_for_long_it_begins_anew(voice, started, monkeypatch):
    denoiser = Denoiser(voice, 8000)
    gate = Gate(denoiser, monkeypatch)
    live = started(denoiser, 1)
    x = sound(live.frames * 120)
    first = 40 * live.frames
    gate.close()
    played(live, x[: live.frames], 1, wait=False)
    assert gate.inside.wait(60)
    played(live, x[live.frames : first], 1, wait=False)
    assert live._waiting.full()
    gate.event.set()
    live.wait()
    dropouts = live.figures().dropouts
    out = played(live, x[first:], 1)
    fresh = Denoiser(voice, 8000).process(x[first:])
    assert np.abs(out[live.delay :] - fresh[: len(out) - live.delay]).max() < 1e-6
    assert live.figures().dropouts > dropouts
    after = live.figures().dropouts
    played(live, sound(live.frames * 10), 1)
    assert live.figures().dropouts == after


def test_what_the_device_lost_is_counted(voice, started):
    live = started(Denoiser(voice, 8000), 1)
    live.exchange(sound(live.frames), np.zeros((live.frames, 1), np.float32), device_lost=True)
    assert live.figures().lost == 1


def test_what_is_recorded_is_what_was_played_in_time_with_what_was_heard(voice, started):
    live = started(Denoiser(voice, 8000, 2), 1, keep=True)
    x = sound(8000, 2)
    played(live, x, 1)
    recorded = np.concatenate(live.recorded())
    assert np.abs(recorded - Denoiser(voice, 8000, 2).process(x)[: len(recorded)]).max() < 1e-6
    assert len(recorded) == 8000 - live.delay
    assert live.recorded() == []


def test_a_recording_that_nobody_takes_is_no_leak(voice, started, monkeypatch):
    monkeypatch.setattr(module, "_KEPT", 0.1)
    live = started(Denoiser(voice, 8000), 1, keep=True)
    played(live, sound(8000), 1)
    with pytest.raises(MusicaeError, match="the disk is too slow"):
        live.recorded()


def test_an_error_of_the_model_reaches_who_asks_for_the_figures(voice, started):
    live = started(Denoiser(voice, 8000), 1)
    played(live, np.full((live.frames, 1), np.nan, np.float32), 1)
    with pytest.raises(MusicaeError, match="not a number"):
        live.figures()
    played(live, sound(live.frames * 40), 1)  # It goes on, and nobody waits for the model.
