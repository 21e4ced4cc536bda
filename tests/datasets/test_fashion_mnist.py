"""Fashion-MNIST: its files, and what its labels are called."""

import gzip
import struct

import numpy as np

from musicae import registry
from musicae.adapters.image import Image
from musicae.datasets.fashion_mnist import _FASHION_MNIST, fashion_mnist


def write(folder):
    for part in ("train", "t10k"):
        pictures, labels = np.zeros((20, 28, 28), np.uint8), (np.arange(20) % 10).astype(np.uint8)
        for stem, values in (("images", pictures), ("labels", labels)):
            content = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()
            (folder / f"{part}-{stem}-idx{values.ndim}-ubyte.gz").write_bytes(gzip.compress(content))
    return folder


def test_every_file_has_a_size_and_a_sum():
    assert sorted(_FASHION_MNIST.files) == ["t10k-images", "t10k-labels", "train-images", "train-labels"]
    assert all(len(bytes.fromhex(digest)) == 32 and size > 1000 for size, digest in _FASHION_MNIST.files.values())
    assert len({digest for _, digest in _FASHION_MNIST.files.values()}) == 4


def test_labels_are_called_as_the_setting_says(tmp_path):
    default = registry.signature("datasets", "fashion-mnist")["classes"].default
    assert len(default) == 10
    assert (default[0], default[9]) == ("t-shirt", "ankle boot")
    windows = fashion_mnist(Image(), "test", write(tmp_path))
    assert windows.names == list(default)
    assert windows.labels.tolist() == [*range(10), *range(10)]
    letters = tuple("abcdefghij")
    assert fashion_mnist(Image(), "test", tmp_path, classes=letters).names == list(letters)
