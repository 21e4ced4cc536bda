"""Restoring a sound block by block: as long as what went in, in time with it, and the same whatever the blocks."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from musicae import codec
from musicae.errors import MusicaeError
from musicae.ops import stream
from musicae.ops.stream import Denoiser, Upscaler, restores_streams


@pytest.fixture(scope="module")
def voice(tiny_voice):
    return codec.load(str(tiny_voice))


@pytest.fixture(scope="module")
def band(tiny_band):
    return codec.load(str(tiny_band))


def sound(frames, channels=1, rate=8000, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None] / rate
    tone = 0.3 * np.sin(2 * np.pi * time * (200 + 130 * np.arange(channels)))
    return (tone + 0.05 * rng.standard_normal((frames, channels))).astype(np.float32)


def whole(made, x, sizes=()):
    parts, at = [], 0
    for size in (*sizes, len(x)):
        parts.append(made.process(x[at : at + size]))
        at = min(len(x), at + size)
    return np.concatenate([*parts, made.flush()])


def pairs(made, x, sizes=()):
    parts, at = [], 0
    for size in (*sizes, len(x)):
        parts.append(made.process_pair(x[at : at + size]))
        at = min(len(x), at + size)
    parts.append(made.flush_pair())
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100, 4000])
@pytest.mark.parametrize("channels", [1, 2])
def test_blocks_of_any_size_give_what_the_whole_gives(voice, rate, channels):
    x = sound(rate // 2 + 37, channels, rate)
    made = Denoiser(voice, rate, channels)
    once = whole(made, x)
    assert once.shape == x.shape
    assert once.dtype == np.float32
    again = whole(made, x, [1, 0, 31, 32, 33, 500, 7])  # After a flush it begins anew.
    assert np.abs(once - again).max() < 1e-5
    assert np.abs(once[:, -1] - whole(Denoiser(voice, rate), x[:, -1:])[:, 0]).max() < 1e-5


@pytest.mark.parametrize("sizes", [[], [400] * 4, [1, 300, 40, 5]])
def test_channels_come_out_the_same_where_threads_share_them(voice, monkeypatch, sizes):
    x = sound(3001, 3)
    monkeypatch.setattr(stream.threads, "free", lambda: 1)
    alone = whole(Denoiser(voice, 8000, 3), x, sizes)
    monkeypatch.setattr(stream.threads, "free", lambda: 2)
    assert np.abs(whole(Denoiser(voice, 8000, 3), x, sizes) - alone).max() < 1e-6


def test_it_is_what_the_codec_makes_of_the_whole(voice):
    x = sound(3001)
    expected = voice.restore_any_size(torch.from_numpy(x.T.copy()))
    assert np.abs(whole(Denoiser(voice, 8000), x)[:, 0] - expected[0].numpy()).max() < 1e-6


@pytest.mark.parametrize("rate", [8000, 44_100])
def test_no_strength_leaves_every_sample(voice, rate):
    x = sound(rate // 3, 2, rate)
    assert np.array_equal(whole(Denoiser(voice, rate, 2, strength=0.0), x, [99]), x)


def test_what_lies_above_the_models_band_is_kept_where_the_model_keeps_what_is_below(voice, monkeypatch):
    # A model that lets everything through, late as it is.
    delay = voice.model.delay

    def late(x, state):
        joined = torch.cat([*state, x], dim=-1)
        return joined[..., : x.shape[-1]], (joined[..., x.shape[-1] :],)

    monkeypatch.setattr(voice.model, "initial_state", lambda batch: (torch.zeros(batch, 1, delay),))
    monkeypatch.setattr(voice.model, "stream", late)
    x = sound(44_100, 1, 44_100)
    x[:, 0] += 0.2 * np.sin(2 * np.pi * 9000 * np.arange(44_100) / 44_100)
    out = whole(Denoiser(voice, 44_100), x, [1000, 5])
    middle = slice(2000, -2000)
    assert np.abs(out[middle] - x[middle]).max() < 0.01


def test_a_block_of_one_axis_comes_back_so(voice):
    made = Denoiser(voice, 8000)
    assert made.process(sound(500)[:, 0]).ndim == 1
    assert made.latency == (32 + 32) / 8000


@pytest.mark.parametrize("frames", [0, 1, 31])
def test_a_sound_shorter_than_a_frame(voice, frames):
    assert whole(Denoiser(voice, 44_100), sound(frames)).shape == (frames, 1)


def test_bad_blocks_and_numbers_are_one_line(voice, tiny_denoise):
    for numbers, match in (
        ({"rate": 10}, "rate must be"),
        ({"channels": 0}, "at least one channel"), ({"strength": 1.5}, "between 0 and 1"),
    ):  # fmt: skip
        with pytest.raises(MusicaeError, match=match):
            Denoiser(voice, **numbers)
    with pytest.raises(MusicaeError, match="does not restore sound in blocks"):
        Denoiser(str(tiny_denoise))
    with pytest.raises(MusicaeError, match="of 1 channels"):
        Denoiser(voice).process(sound(10, 2))
    with pytest.raises(MusicaeError, match="not a number"):
        Denoiser(voice).process(np.array([0.0, np.nan], np.float32))


def test_one_is_chosen_by_the_rate():
    assert Denoiser(rate=16_000).codec.preset.name == "denoise-speech"
    assert Denoiser(rate=48_000).codec.preset.name == "denoise"


@limits(max_examples=15, deadline=None)
@given(
    frames=st.integers(1, 3000), sizes=st.lists(st.integers(0, 900), max_size=5), rate=st.sampled_from([4000, 11_025])
)
def test_upscaling_doubles_the_length_whatever_the_blocks(band, frames, sizes, rate):
    x = sound(frames, 2, rate)
    once, again = (pairs(Upscaler(band, rate, 2), x, cut) for cut in ((), sizes))
    for one, other in zip(once, again, strict=True):
        assert one.shape == (2 * frames, 2)
        assert np.abs(one - other).max() < 1e-5


def test_upscaling_keeps_what_is_there(band):
    made = Upscaler(band, 4000, 1)
    assert (made.factor, made.out_rate) == (2, 8000)
    x = sound(6000, 1, 4000)
    resampled, out = pairs(made, x)
    inside = [np.abs(np.fft.rfft(one[:, 0]))[100:2500] for one in (resampled, out)]
    assert np.abs(inside[0] - inside[1]).max() < 0.02 * inside[0].max()
    assert np.abs(out - resampled).max() > 1e-4


def test_a_preset_that_does_not_upscale(voice, band):
    with pytest.raises(MusicaeError, match="the preset 'tiny-voice' does not upscale; choose another"):
        Upscaler(voice, 8000)
    assert restores_streams(voice)
    assert restores_streams(band)


def test_a_picture_is_no_stream(tiny_denoise):
    assert not restores_streams(codec.load(str(tiny_denoise)))


def test_rates_that_no_sound_has_are_refused(voice, band):
    for rate in (999, 768_001):
        with pytest.raises(MusicaeError, match="the rate must be between 1000 and 768000 Hz"):
            Denoiser(voice, rate)
    for rate in (999, 384_001):
        with pytest.raises(MusicaeError, match="sound of 1000 to 384000 Hz can be upscaled by 2"):
            Upscaler(band, rate)
