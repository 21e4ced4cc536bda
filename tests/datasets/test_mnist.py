"""MNIST: its files, and what its labels are called."""

from musicae import registry
from musicae.adapters.image import Image
from musicae.datasets.mnist import _MNIST, mnist


def test_every_file_has_a_size_and_a_sum():
    assert sorted(_MNIST.files) == ["t10k-images", "t10k-labels", "train-images", "train-labels"]
    assert all(len(bytes.fromhex(digest)) == 32 and size > 1000 for size, digest in _MNIST.files.values())
    assert len({digest for _, digest in _MNIST.files.values()}) == 4


def test_labels_are_called_as_the_setting_says(digit_files):
    default = registry.signature("datasets", "mnist")["classes"].default
    assert len(default) == 10
    assert (default[0], default[9]) == ("0", "9")
    windows = mnist(Image(), "test", digit_files)
    assert windows.names == list(default)
    assert windows.labels.tolist() == [*range(10), *range(10)]
    letters = tuple("abcdefghij")
    assert mnist(Image(), "test", digit_files, classes=letters).names == list(letters)
