"""The network that cleans sound as it comes in."""

import pytest
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.dual_path import DualPath
from musicae.testing import check_model

SOUND = Spec(1, (256,), "gaussian")
LEVELS = {"level_frames": 10, "background_frames": [5, 20], "relative_phase": True}
KINDS = {
    "plain": {},
    "overlap": {"hop_length": 16},
    "one frame": {"taps": 1, "context_frames": 1},
    "hum": {"level_frames": 10, "hum_sample_rate": 1000},
    "levels": LEVELS,
}


def small(**settings):
    torch.manual_seed(0)
    bands = [[8, 1], [4, 4], [2, 5]]
    return DualPath(
        SOUND, **{"n_fft": 64, "hop_length": 32, "width": 8, "blocks": 2, "bands": bands, **settings}
    ).eval()


@pytest.mark.parametrize(
    "settings", [{"taps": 1}, {"taps": 3}, {"bands": [[1, 33]]}, {"hum_sample_rate": 1000}, {"background_frames": [9]}]
)
def test_it_keeps_its_promises(settings):
    model = small(**settings)
    assert (model.restores, model.streams, model.multiple, model.delay) == (True, True, 32, 32)
    check_model(model, SOUND)


@pytest.mark.parametrize("kind", KINDS)
@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=6))
@limits(max_examples=8, deadline=None)
def test_blocks_of_any_sizes_give_what_one_gives(in_blocks, kind, counts):
    model = small(**KINDS[kind])
    x = torch.randn(2, 1, sum(counts) * model.multiple, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        once, blocks = in_blocks(model, x, [sum(counts)]), in_blocks(model, x, counts)
    torch.testing.assert_close(blocks, once, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_its_state_is_real_numbers_of_one_layout(kind):
    model = small(**KINDS[kind])
    state = model.initial_state(2)
    with torch.no_grad():
        _, after = model.stream(torch.randn(2, 1, 3 * model.multiple), state)
    assert [(one.shape, one.dtype) for one in after] == [(one.shape, one.dtype) for one in state]
    assert all(one.is_floating_point() for one in state)
    assert not any(one.any() for one in state)


def test_what_comes_later_changes_nothing_before():
    model = small()
    x = torch.randn(1, 1, 640)
    changed = x.clone()
    changed[..., 320:] += 1
    with torch.no_grad():
        before, after = model.restore(x), model.restore(changed)
    sure = 320 - model.delay
    torch.testing.assert_close(before[..., :sure], after[..., :sure], atol=1e-6, rtol=0)
    assert not torch.allclose(before[..., 320:], after[..., 320:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 3])
def test_one_frame_at_a_time_is_what_the_plain_layers_give(in_blocks, kind, batch):
    model = shaken(**KINDS[kind])
    x = 0.1 * torch.randn(batch, 1, 40 * model.multiple, generator=torch.Generator().manual_seed(0))
    plain = in_blocks(model, x, [1] * 40)  # With a graph, as in training, the layers are the modules themselves.
    with torch.no_grad():
        fast = in_blocks(model, x, [1] * 40)
    assert plain.requires_grad
    torch.testing.assert_close(fast, plain.detach(), atol=2e-6, rtol=0)


def test_a_new_stream_sees_new_weights(in_blocks):
    model = shaken()
    x = torch.randn(1, 1, 5 * model.multiple)
    with torch.no_grad():
        before = in_blocks(model, x, [1] * 5)
        for parameter in model.parameters():
            parameter.mul_(0.9)
        after = in_blocks(model, x, [1] * 5)
        torch.testing.assert_close(after, in_blocks(model, x, [5]), atol=2e-6, rtol=0)
    assert (after - before).abs().max() > 1e-3


def shaken(**settings):
    """A model whose weights are larger than those it starts with."""
    model = small(**settings)
    torch.manual_seed(1)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model


@pytest.mark.parametrize("times", [0.01, 100.0])
def test_with_a_level_louder_sound_is_only_louder(times):
    x = 0.1 * torch.randn(1, 1, 32 * 300) * torch.linspace(0.1, 1, 32 * 300)
    apart = {}
    for frames in (0, 20):
        model = shaken(level_frames=frames)
        with torch.no_grad():
            apart[frames] = (model.restore(times * x) / times - model.restore(x)).abs().max().item()
    assert apart[20] < 1e-4 < apart[0]


def test_a_sound_upside_down_is_filtered_as_it_was():
    x = 0.1 * torch.randn(1, 1, 3200)
    apart = {}
    for relative in (False, True):
        model = shaken(background_frames=[20], relative_phase=relative)
        with torch.no_grad():
            apart[relative] = (model.restore(-x) + model.restore(x)).abs().max().item()
    assert apart[True] < 1e-5 < 1e-3 < apart[False]


def test_the_background_is_told_from_what_is_above_it():
    model = small(background_frames=[20])
    noise = torch.randn(1, 300, 33, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    noise[:, 250, 5] *= 100
    audible, state = torch.ones(1, 300, 1, dtype=torch.bool), (torch.zeros(1, 33), torch.zeros(1, 1))
    (above,), _ = model._above((noise * torch.logspace(-2, 2, 33)).abs(), audible, state)
    assert above[:, 200:250].mean().abs() < 0.05
    assert above[0, 250, 5] > 1.5


def test_silence_before_a_sound_does_not_count():
    model = small(**LEVELS)
    x = 0.1 * torch.randn(1, 1, 3200, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for quiet in (0.0, 1e-6):
            late = model.restore(torch.cat([quiet * torch.ones(1, 1, 6400), x], -1))[..., 6400:]
            # What the recurrences keep of the silence fades.
            assert (late - model.restore(x))[..., 320:].abs().max() < 1e-3


def test_silence_is_no_harm_to_a_level():
    model = small(**LEVELS)
    x = torch.zeros(1, 1, 6400)
    with torch.no_grad():
        assert not model.restore(x).any()
        x[..., 3200:] = 0.1 * torch.randn(3200)
        assert model.restore(x).isfinite().all()


def test_at_the_start_of_training_the_sound_goes_through():
    x = torch.randn(2, 1, 640)
    with torch.no_grad():
        assert (small().restore(x) - x).std() < 0.5 * x.std()


def test_it_has_no_code_and_says_so():
    with pytest.raises(MusicaeError, match="a 'dual-path' network has no code"):
        small().encode(torch.zeros(1, 1, 256))


def test_wrong_settings_are_one_line():
    with pytest.raises(MusicaeError, match="one channel of samples"):
        DualPath(Spec(2, (256,), "gaussian"))
    with pytest.raises(MusicaeError, match="divide the window"):
        DualPath(Spec(1, (100,), "gaussian"))
    with pytest.raises(MusicaeError, match="multiple of hop_length"):
        DualPath(SOUND, n_fft=100, hop_length=64)
    with pytest.raises(MusicaeError, match="must be 1 or more"):
        small(width=0)
    with pytest.raises(MusicaeError, match="hop_length must be 1 or more"):
        small(hop_length=0)
    with pytest.raises(MusicaeError, match="hum_sample_rate must be the rate of the samples in Hz, or 0, not 20"):
        small(hum_sample_rate=20)
    with pytest.raises(MusicaeError, match="level_frames and hum_sample_rate must be 0 or more, not -1 and 0"):
        small(level_frames=-1)
    for wrong in (50, [0], ["long"], [2.5]):
        with pytest.raises(
            MusicaeError, match="background_frames must be a list of numbers of frames, 1 or more, not "
        ):
            small(background_frames=wrong)
