import pytest
import torch

from musicae import registry
from musicae.corruptions import general as corruptions
from musicae.errors import MusicaeError


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", registry.names("corruptions"))
@pytest.mark.parametrize("shape", [(4, 2, 16), (4, 1, 8, 8)])
def test_every_corruption_keeps_the_shape_and_repeats_with_its_seed(name, shape):
    settings = {"parts": [{"name": "clip"}, {"name": "noise", "share": 0.5}]} if name == "several" else {}
    corrupt = registry.build("corruptions", name, **settings)
    clean = torch.rand(shape)
    kept = clean.clone()
    first, second = corrupt(clean, rng()), corrupt(clean, rng())
    assert first.shape == clean.shape
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(clean, kept)
    assert not torch.equal(first, clean)


def test_noise_has_its_mean_and_spread():
    noisy = corruptions.noise(std=0.5, mean=0.25)(torch.zeros(1, 1, 100_000), rng())
    assert abs(noisy.mean().item() - 0.25) < 0.01
    assert abs(noisy.std().item() - 0.5) < 0.01
    clipped = corruptions.noise(std=2.0, low=0.0, high=1.0)(torch.zeros(1, 1, 1000), rng())
    assert clipped.min() == 0
    assert clipped.max() == 1


def test_downsample_gives_block_means():
    x = torch.arange(8.0).view(1, 1, 8)
    assert corruptions.Downsample(2)(x, rng())[0, 0].tolist() == [0.5, 0.5, 2.5, 2.5, 4.5, 4.5, 6.5, 6.5]
    with pytest.raises(MusicaeError, match="does not divide"):
        corruptions.Downsample(3)(x, rng())
    with pytest.raises(MusicaeError, match="2 or more"):
        corruptions.Downsample(1)


def test_drop_notes_silences_whole_steps():
    dropped = corruptions.drop_notes(0.25)(torch.ones(10, 3, 1000), rng())
    assert (dropped.amax(1) == dropped.amin(1)).all()
    assert abs(1 - dropped.mean().item() - 0.25) < 0.02


def test_blind_noise_differs_from_example_to_example():
    spread = (corruptions.blind_noise(10, 50)(torch.zeros(200, 1, 32, 32), rng()) * 255).flatten(1).std(1)
    assert 9 < spread.min() < 15
    assert 45 < spread.max() < 52
    colours = torch.rand(2, 3, 8, 8)
    colours[1] = colours[1, 0]
    noisy = corruptions.blind_noise(20, 20)(colours, rng())
    assert torch.equal(noisy[1, 0], noisy[1, 2])
    assert not torch.equal((noisy - colours)[0, 0], (noisy - colours)[0, 2])
    with pytest.raises(MusicaeError, match="rise from 0"):
        corruptions.blind_noise(5, 1)


def test_bicubic_keeps_a_slope_and_loses_detail():
    slope = torch.linspace(0, 1, 32).expand(1, 1, 32, 32)
    blur = corruptions.Downsample(2, "bicubic")
    torch.testing.assert_close(blur(slope, rng())[..., 4:-4], slope[..., 4:-4], atol=2e-3, rtol=0)
    board = (torch.arange(32) % 2).float().expand(1, 1, 32, 32)
    assert (blur(board, rng())[..., 6:-6] - 0.5).abs().max() < 0.05
    assert blur.reduce(slope).shape == (1, 1, 16, 16)
    assert blur.enlarge(slope).shape == (1, 1, 64, 64)
    with pytest.raises(MusicaeError, match="method must be"):
        corruptions.Downsample(2, "nearest")
    with pytest.raises(MusicaeError, match="two spatial axes"):
        corruptions.Downsample(2, "bicubic")(torch.zeros(1, 1, 8), rng())
