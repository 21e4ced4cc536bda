"""Folders of pictures."""

import logging

import numpy as np
import PIL.Image
import pytest
import torch

from musicae import registry
from musicae.adapters.image import Image
from musicae.datasets import pictures as module
from musicae.datasets.pictures import pictures
from musicae.datasets.shared import prepare
from musicae.errors import MusicaeError

SPLITS = ("train", "validation", "test")


def photo(seed: int, height: int = 90, width: int = 120, channels: int = 3) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def put(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(values).save(path)


@pytest.fixture
def folder(tmp_path):
    for i in range(30):
        put(tmp_path / "photos" / f"{i % 3}" / f"photo{i}.{'png' if i % 2 else 'JPG'}", photo(i))
    return tmp_path / "photos"


@pytest.fixture
def whole():
    return Image(height=32, width=32, fit="whole", likelihood="gaussian")


def load(adapter, folder, split="train", **settings):
    return pictures(adapter, split, folder, test=0.2, validation=0.2, **settings)


def test_every_picture_is_in_one_split_only(whole, folder):
    found = {split: load(whole, folder, split, crops=5) for split in SPLITS}
    names = {split: {w.names[int(p)] for p in w.pieces} for split, w in found.items()}
    assert sum(map(len, names.values())) == 30
    assert len(set().union(*names.values())) == 30
    assert all(names.values())
    assert sum(map(len, found.values())) == 150


def test_crops_to_train_on_are_larger_and_others_as_large_as_the_window(whole, folder):
    train, test = load(whole, folder, crops=4), load(whole, folder, "test", crops=4)
    assert train.values().shape[1:] == (1, 48, 48)
    assert test.values().shape[1:] == (1, 32, 32)
    assert train.values().dtype == torch.uint8
    batch = whole.augment(train.batch(torch.arange(3)), torch.Generator().manual_seed(0))
    assert batch.shape == (3, 1, 32, 32)
    assert batch.max() <= 1
    assert load(whole, folder, crops=4, crop_size=40).data.shape[2:] == (40, 40)


def test_crops_are_pieces_of_their_picture(folder):
    adapter = Image(channels=3, height=32, width=32, fit="whole", likelihood="gaussian")
    windows = load(adapter, folder, crops=6)
    exact = 0
    for crop, piece in zip(windows.values(), windows.pieces, strict=True):
        picture = adapter.read(folder / windows.names[int(piece)]).tensor.mul(255).round().byte()
        spots = picture.unfold(1, 48, 1).unfold(2, 48, 1)[0]
        exact += bool((spots == crop[0]).flatten(2).all(2).any())
    assert 0 < exact < len(windows)  # The others are of the picture made smaller.


def test_an_adapter_that_fits_pictures_gets_one_window_of_each(folder):
    windows = load(Image(), folder)
    assert windows.values().shape[1:] == (1, 28, 28)
    assert len(windows) == len(windows.pieces.unique())


def test_the_same_seed_gives_the_same_crops(whole, folder, monkeypatch, tmp_path):
    first = load(whole, folder, crops=3)
    monkeypatch.setattr(prepare, "save_shard", lambda *a: pytest.fail("read again although nothing changed"))
    assert torch.equal(load(whole, folder, crops=3).values(), first.values())
    monkeypatch.undo()
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path / "other"))
    assert torch.equal(load(whole, folder, crops=3).values(), first.values())
    assert not torch.equal(load(whole, folder, crops=3, seed=5).values()[:5], first.values()[:5])


def test_there_are_never_more_windows_than_wanted(whole, folder):
    total = sum(len(load(whole, folder, split, crops=40, max_windows=60)) for split in SPLITS)
    assert total == 60
    windows = [load(whole, folder, split, max_windows=10) for split in SPLITS]
    assert sum(map(len, windows)) == 10
    assert len(set().union(*({w.names[int(p)] for p in w.pieces} for w in windows))) == 10


def test_what_cannot_be_used_is_passed_over_counted_and_named(whole, folder, caplog):
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "words.txt").write_text("no picture either")
    put(folder / "tiny.png", photo(0, 20, 20))
    put(folder / "flat.png", np.full((100, 100), 9, np.uint8))
    with caplog.at_level(logging.WARNING, "musicae"):
        windows = load(whole, folder, crops=2)
    assert "3 of 33 pictures" in caplog.text
    for reason in ("1 that cannot be read (", "1 smaller than 48 x 48 pixels (tiny.png)", "1 flat"):
        assert reason in caplog.text
    assert all(name in caplog.text for name in ("broken.png", "flat.png"))
    assert not {"broken.png", "tiny.png", "flat.png"} & set(windows.names)


def test_large_pictures_are_first_made_smaller():
    large = torch.rand(1, 40, 4200)
    crops = module._crops(large, module._Cropping(8, (16, 16), (1.0, 0.75, 0.5)), torch.Generator().manual_seed(0))
    assert crops.shape == (8, 1, 16, 16)
    assert crops.float().std() < 0.8 * (large * 255).std()  # Noise loses contrast where it is averaged.


def test_bad_folders_are_one_line(whole, tmp_path):
    with pytest.raises(MusicaeError, match="--data DIR"):
        pictures(whole, "train", None)
    with pytest.raises(MusicaeError, match="no folder"):
        pictures(whole, "train", tmp_path / "none")
    with pytest.raises(MusicaeError, match="no pictures"):
        pictures(whole, "train", tmp_path)
    put(tmp_path / "tiny.png", photo(0, 5, 5))
    with pytest.raises(MusicaeError, match="none of the 1 pictures"):
        pictures(whole, "train", tmp_path)
    with pytest.raises(MusicaeError, match="at least 1"):
        pictures(whole, "train", tmp_path, crops=0)
    with pytest.raises(MusicaeError, match="adapter 'image'"):
        pictures(registry.build("adapters", "melody"), "train", tmp_path)
