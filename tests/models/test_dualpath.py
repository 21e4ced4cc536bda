"""The network that cleans sound as it comes in, and the spectra it works on."""

import pytest
import torch

from musicae.core import Spec, Streamer
from musicae.errors import MusicaeError
from musicae.models.dualpath import DualPath
from musicae.models.hum import Hum
from musicae.models.stft import Stft
from musicae.testing import check_model

SOUND = Spec(1, (256,), "gaussian")
SEEN = {"level": 10, "usual": [5, 20], "relative": True}


def small(**settings):
    torch.manual_seed(0)
    bands = [[8, 1], [4, 4], [2, 5]]
    return DualPath(SOUND, **{"n_fft": 64, "hop": 32, "width": 8, "blocks": 2, "bands": bands, **settings}).eval()


@pytest.mark.parametrize("settings", [{"taps": 1}, {"taps": 3}, {"bands": [[1, 33]]}, {"hum": 1000}, {"usual": [9]}])
def test_it_keeps_its_promises(settings):
    model = small(**settings)
    assert isinstance(model, Streamer)
    check_model(model, SOUND)


@pytest.mark.parametrize(("n_fft", "hop"), [(64, 32), (64, 16)])
def test_spectra_left_alone_give_the_sound_back(n_fft, hop):
    stft = Stft(n_fft, hop)
    x = torch.randn(2, 640)
    spectra, _ = stft.analyse(x)
    assert spectra.shape == (2, 640 // hop, n_fft // 2 + 1)
    y, _ = stft.synthesise(spectra)
    torch.testing.assert_close(y[:, stft.delay :], x[:, : -stft.delay], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("n_fft", "hop", "more"), [(64, 32, {}), (64, 16, {}), (64, 32, {"level": 10, "hum": 1000}), (64, 32, SEEN)]
)
def test_blocks_give_what_the_whole_gives(n_fft, hop, more):
    model = small(n_fft=n_fft, hop=hop, **more)
    x = torch.randn(2, 1, 30 * hop)
    with torch.no_grad():
        whole, _ = model.stream(x)
        parts, state, at = [], None, 0
        for count in (1, 2, 7, 20):
            part, state = model.stream(x[..., at : at + count * hop], state)
            parts.append(part)
            at += count * hop
    torch.testing.assert_close(torch.cat(parts, dim=-1), whole, atol=1e-5, rtol=0)


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


@pytest.mark.parametrize("times", [0.01, 100.0])
def test_with_a_level_louder_sound_is_only_louder(times):
    x = 0.1 * torch.randn(1, 1, 32 * 300) * torch.linspace(0.1, 1, 32 * 300)
    made = {}
    for level in (0, 20):
        model = small(level=level)
        torch.manual_seed(1)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        with torch.no_grad():
            made[level] = (model.restore(times * x) / times - model.restore(x)).abs().max().item()
    assert made[20] < 1e-4 < made[0]


def test_a_sound_upside_down_is_filtered_as_it_was():
    x = 0.1 * torch.randn(1, 1, 3200)
    apart = {}
    for relative in (False, True):
        model = small(usual=[20], relative=relative)
        torch.manual_seed(1)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        with torch.no_grad():
            apart[relative] = (model.restore(-x) + model.restore(x)).abs().max().item()
    assert apart[True] < 1e-5 < 1e-3 < apart[False]


def test_what_is_usual_is_told_from_what_is_above_it():
    model = small(usual=[20])
    noise = torch.randn(1, 300, 33, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    noise[:, 250, 5] *= 100
    (above,), _ = model._above(noise * torch.logspace(-2, 2, 33), torch.ones(1, 300, 1, dtype=torch.bool), None)
    assert above[:, 200:250].mean().abs() < 0.05
    assert above[0, 250, 5] > 1.5


def test_silence_before_a_sound_does_not_count():
    model = small(**SEEN)
    x = 0.1 * torch.randn(1, 1, 3200, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for quiet in (0.0, 1e-6):
            late = model.restore(torch.cat([quiet * torch.ones(1, 1, 6400), x], -1))[..., 6400:]
            # What the network heard in the silence fades.
            assert (late - model.restore(x))[..., 320:].abs().max() < 1e-3


def test_silence_is_no_harm_to_a_level():
    model = small(**SEEN)
    x = torch.zeros(1, 1, 6400)
    with torch.no_grad():
        assert not model.restore(x).any()
        x[..., 3200:] = 0.1 * torch.randn(3200)
        assert model.restore(x).isfinite().all()


@pytest.mark.parametrize("base", [49.31, 50.0, 60.53])
def test_hum_is_found_in_noise_and_what_is_none_is_not(base):
    rate, generator = 16_000, torch.Generator().manual_seed(0)
    time = torch.arange(4 * rate) / rate
    tones = [torch.sin(2 * torch.pi * base * k * time + k) / k for k in (1, 2, 3, 5, 7)]
    true, noise = torch.stack(tones).sum(0), torch.randn(4 * rate, generator=generator)
    stft, hum = Stft(1024, 512), Hum(rate, 1024, 512, 60)
    spectra = [stft.analyse(one[None])[0] for one in (true, noise, true + noise)]
    found, sure, _ = hum(spectra[2])
    late = slice(60, None)
    here = spectra[0][:, late, : hum.bins]
    left = (found[:, late] - here).abs().square().sum() / here.abs().square().sum()
    assert left < 0.1
    nothing = hum(spectra[1])[1]
    assert nothing[:, late, 0, 1].max() < 0.15 < 0.2 < sure[:, late, 0, 1].min()
    alone = hum(spectra[0])[1]
    assert alone[:, late, round(base * 1024 / rate), 0].min() > 0.95


def test_at_the_start_of_training_the_sound_goes_through():
    x = torch.randn(2, 1, 640)
    with torch.no_grad():
        assert (small().restore(x) - x).std() < 0.5 * x.std()


def test_wrong_settings_are_one_line():
    with pytest.raises(MusicaeError, match="one channel of samples"):
        DualPath(Spec(2, (256,), "gaussian"))
    with pytest.raises(MusicaeError, match="must divide the window"):
        DualPath(Spec(1, (100,), "gaussian"))
    with pytest.raises(MusicaeError, match="multiple of hop"):
        DualPath(SOUND, n_fft=100, hop=64)
    with pytest.raises(MusicaeError, match="must be 1 or more"):
        small(width=0)
    with pytest.raises(MusicaeError, match="hop, width"):
        small(hop=0)
    with pytest.raises(MusicaeError, match="hum must be the rate of the samples in Hz, or 0, not 20"):
        small(hum=20)
    with pytest.raises(MusicaeError, match="level and hum must be 0 or more, not -1 and 0"):
        small(level=-1)
    for usual in (50, [0], ["long"], [2.5]):
        with pytest.raises(MusicaeError, match="usual must be a list of numbers of frames, 1 or more, not "):
            small(usual=usual)
    for bands in ([[8, 1], [4, 4]], [[8, 1], [40, 2]]):
        with pytest.raises(MusicaeError, match="all of the 33 bins"):
            small(bands=bands)
    for bands in ([], [[3]], [[0, 1]], [["a", 2]], 3):
        with pytest.raises(MusicaeError, match="must be pairs"):
            small(bands=bands)
