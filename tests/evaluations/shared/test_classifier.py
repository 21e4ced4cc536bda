import pytest
import torch

from musicae.datasets.shared import cache
from musicae.errors import MusicaeError
from musicae.evaluations.shared import classifier, common


def test_it_learns_is_kept_and_is_the_same_again(kit, monkeypatch):
    train, test = kit.drawn(640, 12, seed=1), kit.drawn(100, 12)
    net = classifier.trained(train, epochs=6)
    seen = net.features(common.all_of(test))
    assert seen.shape == (100, 128)
    assert not net.training
    assert (net.classes(seen) == test.labels).float().mean() > 0.95
    with monkeypatch.context() as patch:
        patch.setattr(classifier, "_train", None)
        kept = classifier.trained(train, epochs=6)
    assert kept.features(common.all_of(test)).allclose(seen, atol=1e-5)
    (path,) = cache.cache_folder().glob("classifier-*")
    path.write_bytes(b"damaged")
    again = classifier.trained(train, epochs=6)
    assert again.features(common.all_of(test)).allclose(seen, atol=1e-5)


def test_other_pictures_or_labels_are_another_classifier(kit):
    train = kit.drawn(20)
    keys = {classifier._key(train, 3, 0), classifier._key(train, 3, 1), classifier._key(kit.drawn(20, seed=1), 3, 0)}
    train.labels = train.labels.flip(0)
    assert len(keys | {classifier._key(train, 3, 0)}) == 4


def test_fewer_pictures_than_a_batch_are_enough_and_the_callers_noise_stays(kit):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    assert classifier.trained(kit.drawn(10), epochs=1).features(torch.zeros(2, 1, 8, 8)).shape == (2, 128)
    assert torch.rand(3).equal(expected)


def test_labels_are_needed(kit):
    train = kit.drawn(10)
    train.labels = None
    with pytest.raises(MusicaeError, match="needs labels"):
        classifier.trained(train)
