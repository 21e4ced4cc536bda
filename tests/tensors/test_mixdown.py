"""Mixing to one channel: nothing cancels, and where nothing would it is the mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.tensors.mixdown import Mixdown


def noise(frames, channels, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def mixed(x, rate=8000, size=997):
    mix = Mixdown(rate, x.shape[1])
    parts = [mix.process(x[i : i + size]) for i in range(0, len(x), size)]
    return np.concatenate([*parts, mix.flush()]), mix.cancelled


def power(x):
    return np.square(x).mean()


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("alike", [True, False])
def test_what_does_not_cancel_is_mixed_by_the_mean(channels, alike):
    x = np.repeat(noise(20_000, 1), channels, axis=1) if alike else noise(20_000, channels)
    made, cancelled = mixed(x)
    assert np.array_equal(made, x.mean(1))
    assert cancelled == 0


def test_one_channel_alone_is_mixed_by_the_mean():
    x = np.hstack([noise(20_000, 1), np.zeros((20_000, 1), np.float32)])
    assert np.array_equal(mixed(x)[0], x.mean(1))
    assert np.array_equal(mixed(0 * x)[0], 0 * x[:, 0])


@pytest.mark.parametrize("share", [1, 0.97, 0.8])
def test_an_inverted_channel_does_not_cancel_the_other(share):
    one = noise(20_000, 1)
    made, cancelled = mixed(np.hstack([one, -share * one]))
    assert power(made) > 0.5 * power(one) * (1 + share**2) / 2
    assert cancelled > 0.9
    assert power(made[:100]) > 0.4 * power(one[:100])  # From the first sample on.
    if share > 0.9:
        assert np.allclose(made, one[:, 0])


def test_the_louder_of_two_that_cancel_is_kept():
    one = noise(40_000, 1)
    assert np.allclose(mixed(np.hstack([-0.9 * one, one]))[0], one[:, 0])
    fading = np.hstack([one, -one])
    fading[20_000:, 0] *= 0.1
    made, _ = mixed(fading)
    assert np.allclose(made[:20_000], one[:20_000, 0], atol=1e-6)
    assert power(made[36_000:]) > 0.15 * power(one)  # The mean: there is little left to cancel.


def test_of_surround_only_what_cancels_is_left_out():
    front, centre, back = noise(20_000, 3).T
    x = np.stack([front, -front, centre, 0 * centre, back, 0.9 * back], axis=1)
    made, _ = mixed(x)
    for part in (front, centre, back):
        assert abs(np.corrcoef(made, part)[0, 1]) > 0.4


def test_an_onset_after_silence_is_whole():
    one = noise(8000, 1)
    x = np.vstack([np.zeros((8130, 2), np.float32), np.hstack([one, -one])])
    made, _ = mixed(x)
    assert np.allclose(made[8130:], one[:, 0], atol=1e-6)


def test_a_part_that_cancels_is_mended_and_the_rest_is_the_mean():
    one, other = noise(16_000, 1), noise(16_000, 1, seed=1)
    made, cancelled = mixed(np.vstack([np.hstack([one, one]), np.hstack([other, -other]), np.hstack([one, one])]))
    assert np.array_equal(made[:15_000], one[:15_000, 0])
    assert power(made[24_000:32_000]) > 0.9 * power(other)
    assert np.array_equal(made[42_000:], one[10_000:, 0])
    assert 0.2 < cancelled < 0.6


@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=8), seed=st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_the_sizes_of_blocks_do_not_matter(sizes, seed):
    one = noise(sum(sizes), 1, seed)
    x = np.hstack([one, np.where(np.arange(len(one)) % 3000 < 1500, -1, 1)[:, None].astype(np.float32) * one])
    mix = Mixdown(8000, 2)
    ends = np.cumsum(sizes)
    parts = [mix.process(x[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
    made = np.concatenate([*parts, mix.flush()])
    assert len(made) == len(x)
    assert np.array_equal(made, mixed(x, size=len(x))[0])
