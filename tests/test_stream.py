"""Cleaning a sound block by block: as long as what went in, in time with it, and the same whatever the blocks."""

import numpy as np
import pytest
import torch

from musicae import codec
from musicae.errors import MusicaeError
from musicae.stream import Denoiser, share_kept


@pytest.fixture(scope="module")
def voice(tiny_voice):
    return codec.load(str(tiny_voice))


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


def test_it_is_what_the_codec_makes_of_the_whole(voice):
    x = sound(3001)
    expected = voice.restore_whole(torch.from_numpy(x.T.copy()))
    assert np.abs(whole(Denoiser(voice, 8000), x)[:, 0] - expected[0].numpy()).max() < 1e-6


@pytest.mark.parametrize("rate", [8000, 44_100])
def test_no_strength_leaves_every_sample(voice, rate):
    x = sound(rate // 3, 2, rate)
    assert np.array_equal(whole(Denoiser(voice, rate, 2, strength=0.0), x, [99]), x)


def test_what_lies_above_the_models_band_is_kept_where_the_model_keeps_what_is_below(voice, monkeypatch):
    # A model that lets everything through, late as it is.
    delay = voice.model.delay

    def late(x, state=None):
        before = x.new_zeros(*x.shape[:2], delay) if state is None else state
        joined = torch.cat([before, x], dim=-1)
        return joined[..., : x.shape[-1]], joined[..., x.shape[-1] :]

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
    for settings, match in (
        ({"rate": 10}, "rate must be"), ({"channels": 0}, "a channel at least"), ({"strength": 1.5}, "between 0 and 1"),
    ):  # fmt: skip
        with pytest.raises(MusicaeError, match=match):
            Denoiser(voice, **settings)
    with pytest.raises(MusicaeError, match="does not clean sound in blocks"):
        Denoiser(str(tiny_denoise))
    with pytest.raises(MusicaeError, match="of 1 channels"):
        Denoiser(voice).process(sound(10, 2))
    with pytest.raises(MusicaeError, match="no number"):
        Denoiser(voice).process(np.array([0.0, np.nan], np.float32))


def test_the_share_that_is_kept_is_of_the_best_moments_in_the_band_of_voices(voice, monkeypatch):
    time = np.arange(24_000) / 8000
    low, middle = (np.sin(2 * np.pi * frequency * time).astype(np.float32) for frequency in (50, 1000))

    def keep(held):
        rest = list(held[:, None])

        def both(self, x):
            return x[:, None], np.array([rest.pop(0) for _ in x])

        monkeypatch.setattr(Denoiser, "both", both)
        monkeypatch.setattr(Denoiser, "both_left", lambda self: (np.zeros((0, 1)),) * 2)
        return share_kept(voice, middle + low, 8000)

    assert keep(middle) == pytest.approx(1, abs=1e-3)
    assert keep(middle / 2 + low) == pytest.approx(0.25, abs=1e-3)
    assert keep(low) == pytest.approx(0, abs=1e-3)
    assert keep(middle * np.where(time > 2.6, 1, 0.5)) == pytest.approx(1, abs=1e-3)
    assert keep(middle * np.where(time > 2.8, 1, 0.5)) == pytest.approx(0.75, abs=0.02)
    monkeypatch.undo()
    assert share_kept(voice, np.zeros(0, np.float32), 44_100) == 0
    assert 0 < share_kept(voice, middle[:100], 16_000) < 4
