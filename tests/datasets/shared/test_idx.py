"""MNIST and its kin, from small files of the same kind."""

import gzip
import hashlib
import logging
import struct
import tracemalloc

import numpy as np
import pytest
import torch

from musicae import registry
from musicae import splits as data
from musicae.adapters.image import Image
from musicae.datasets.fashion_mnist import fashion_mnist
from musicae.datasets.mnist import mnist
from musicae.datasets.shared import fetch, idx
from musicae.errors import MusicaeError

RANDOM = np.random.default_rng(0)
PICTURES = {
    "train": RANDOM.integers(0, 256, (200, 28, 28), np.uint8),
    "t10k": RANDOM.integers(0, 256, (50, 28, 28), np.uint8),
}
LABELS = {part: (np.arange(len(pictures)) % 10).astype(np.uint8) for part, pictures in PICTURES.items()}


def packed(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def write(folder, zipped=True, dot=False, parts=("train", "t10k")):
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        for stem, values in (("images", PICTURES[part]), ("labels", LABELS[part])):
            name = f"{part}-{stem}{'.' if dot else '-'}idx{values.ndim}-ubyte{'.gz' if zipped else ''}"
            content = packed(values)
            (folder / name).write_bytes(gzip.compress(content) if zipped else content)
    return folder


@pytest.mark.parametrize(("zipped", "dot"), [(True, False), (False, False), (False, True)])
def test_every_way_to_store_it_is_read(tmp_path, zipped, dot):
    folder = write(tmp_path / "some" / "where", zipped, dot).parent
    windows = mnist(Image(), "test", folder)
    assert torch.equal(windows.data, torch.from_numpy(PICTURES["t10k"])[:, None])
    assert windows.labels.tolist() == LABELS["t10k"].tolist()
    assert windows.names == list("0123456789")
    assert torch.equal(windows.batch(torch.tensor([3]))[0, 0], torch.from_numpy(PICTURES["t10k"][3]) / 255)


def test_splits_part_the_training_files_by_a_seed(tmp_path):
    write(tmp_path)
    found = {split: mnist(Image(), split, tmp_path, validation=0.2) for split in ("train", "validation", "test")}
    places = {split: set(windows.pieces.tolist()) for split, windows in found.items()}
    assert places["train"] | places["validation"] == set(range(200))
    assert not places["train"] & places["validation"]
    assert 20 < len(places["validation"]) < 60
    assert len(found["test"]) == 50
    for windows in (found["train"], found["validation"]):
        assert torch.equal(windows.data[:, 0], torch.from_numpy(PICTURES["train"])[windows.pieces.long()])
        assert torch.equal(windows.labels, windows.pieces.long() % 10)
    other = mnist(Image(), "validation", tmp_path, validation=0.2, seed=1)
    assert set(other.pieces.tolist()) != places["validation"]
    with pytest.raises(MusicaeError, match="did you mean 'train'"):
        mnist(Image(), "trian", tmp_path)


def test_other_windows_are_padded_or_cut(tmp_path):
    write(tmp_path)
    large = mnist(Image(3, 32, 30), "test", tmp_path).data
    assert large.shape == (50, 3, 32, 30)
    assert torch.equal(large[:, 1, 2:30, 1:29], torch.from_numpy(PICTURES["t10k"]))
    assert not large[:, :, :2].any()
    small = mnist(Image(1, 20, 28), "test", tmp_path).data
    assert torch.equal(small[:, 0], torch.from_numpy(PICTURES["t10k"])[:, 4:24])


def test_a_folder_of_both_sets_is_told_apart(tmp_path):
    write(tmp_path / "mnist")
    write(tmp_path / "fashion-mnist")
    assert len(fashion_mnist(Image(), "test", tmp_path)) == 50
    assert fashion_mnist(Image(), "test", tmp_path).names[0] == "t-shirt"
    write(tmp_path / "two" / "a")
    write(tmp_path / "two" / "b")
    with pytest.raises(MusicaeError, match="several"):
        mnist(Image(), "test", tmp_path / "two")


def test_damaged_or_missing_files_are_one_line(tmp_path):
    write(tmp_path)
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    good = path.read_bytes()
    damages = (good[:500], b"", b"no gzip at all, but long enough", gzip.compress(packed(PICTURES["t10k"])[:-1]))
    for content in (*damages, gzip.compress(packed(LABELS["t10k"]))):
        path.write_bytes(content)
        with pytest.raises(MusicaeError, match="idx3-ubyte"):
            mnist(Image(), "test", tmp_path)
    path.write_bytes(gzip.compress(packed(PICTURES["t10k"][:7])))
    with pytest.raises(MusicaeError, match="7 pictures and 50 labels"):
        mnist(Image(), "test", tmp_path)
    path.unlink()
    with pytest.raises(MusicaeError, match=r"no t10k-images-idx3-ubyte\.gz"):
        mnist(Image(), "test", tmp_path)
    with pytest.raises(MusicaeError, match="no folder"):
        mnist(Image(), "test", tmp_path / "none")
    with pytest.raises(MusicaeError, match="adapter 'image'"):
        mnist(registry.build("adapters", "melody"), "test", tmp_path)


def test_no_more_is_unpacked_than_the_header_says(tmp_path, monkeypatch):
    folder = write(tmp_path, parts=("t10k",))
    name = folder / "t10k-images-idx3-ubyte.gz"
    name.write_bytes(gzip.compress(packed(PICTURES["t10k"]) + bytes(50_000_000)))  # 50 KB that stand for 50 MB.
    tracemalloc.start()
    with pytest.raises(MusicaeError, match="not a complete IDX file"):
        mnist(Image(), "test", folder)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    name.write_bytes(gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 60_000, 28_000, 28_000)))
    with pytest.raises(MusicaeError, match=r"takes 94\.1 TB of memory"):
        mnist(Image(), "test", folder)


def test_the_users_data_folder_is_used_or_filled(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("MUSICAE_DATA", str(tmp_path))
    write(tmp_path / "mnist", parts=("t10k",))
    assert len(mnist(Image(), "test", None)) == 50
    asked = []

    def serve(url, sha256, path, report):
        asked.append((url, sha256))
        part = path.name.partition("-")[0]
        content = packed((PICTURES if "images" in path.name else LABELS)[part])
        path.write_bytes(content)
        for done in (0, len(content) // 2, len(content)):
            report(done, len(content))
        return path

    monkeypatch.setattr(idx, "fetch", serve)
    with caplog.at_level(logging.WARNING, "musicae"):
        assert len(mnist(Image(), "train", None)) > 150
    assert [url.rsplit("/", 1)[1] for url, _ in asked] == ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
    assert all(len(bytes.fromhex(digest)) == hashlib.sha256().digest_size for _, digest in asked)
    assert "downloading mnist: train-images" in caplog.text


def test_without_a_network_a_line_says_what_to_do(monkeypatch):
    monkeypatch.setattr(fetch, "_download", lambda *a: (_ for _ in ()).throw(OSError("no way out")))
    with pytest.raises(MusicaeError, match="--data"):
        fashion_mnist(Image(), "test", None)


def test_the_same_picture_is_not_in_two_splits(tmp_path, monkeypatch):
    monkeypatch.setitem(PICTURES, "t10k", np.concatenate([PICTURES["train"], PICTURES["t10k"]]))
    monkeypatch.setitem(LABELS, "t10k", np.zeros(250, np.uint8))
    write(tmp_path)
    from musicae.preset import Preset

    recipe = Preset("x", {"dataset": {"name": "mnist", "validation": 0.5}})
    test = data.load(recipe, Image(), "test", {"": tmp_path})
    train = mnist(Image(), "train", tmp_path, validation=0.5)
    assert len(test) == 250 - len(train)
    assert test.labels is not None
    assert test.levels == 255


def test_labels_must_be_of_the_classes(tmp_path):
    write(tmp_path)
    with pytest.raises(MusicaeError, match="labels of mnist go up to 9, but there are 3 classes"):
        mnist(Image(), "test", tmp_path, classes=("a", "b", "c"))
