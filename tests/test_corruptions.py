import pytest
import torch

from musicae import corruptions, registry
from musicae.errors import MusicaeError


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", registry.names("corruptions"))
@pytest.mark.parametrize("shape", [(4, 2, 16), (4, 1, 8, 8)])
def test_every_corruption_keeps_the_shape_and_repeats_with_its_seed(name, shape):
    corrupt = registry.build("corruptions", name)
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
    assert corruptions.downsample(2)(x, rng())[0, 0].tolist() == [0.5, 0.5, 2.5, 2.5, 4.5, 4.5, 6.5, 6.5]
    with pytest.raises(MusicaeError, match="does not divide"):
        corruptions.downsample(3)(x, rng())
    with pytest.raises(MusicaeError, match="2 or more"):
        corruptions.downsample(1)


def test_drop_notes_silences_whole_steps():
    dropped = corruptions.drop_notes(0.25)(torch.ones(10, 3, 1000), rng())
    assert (dropped.amax(1) == dropped.amin(1)).all()
    assert abs(1 - dropped.mean().item() - 0.25) < 0.02
