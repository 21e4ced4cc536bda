"""Folk tunes in ABC, split by title."""

import importlib.util
import io

import numpy as np
import pytest

from musicae.adapters.melody import Melody
from musicae.datasets import folk as module
from musicae.datasets.folk import folk
from musicae.datasets.shared import scores
from musicae.errors import MusicaeError

TUNE = "X:{n}\nT:{title}\nM:4/4\nL:1/8\nK:C\nCDEF GABc|cBAG F{note}D{note}|\n"


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.abc"
    tunes = [TUNE.format(n=i, title=f"The Tune, No. {i % 20}", note="EFGA"[i % 4]) for i in range(40)]
    path.write_text("% a book\n\n" + "\n".join(tunes) + "\nX:99\nT:No key\n\nX:100\nM:4/4\nL:1/8\nK:C\nCDEF|GABc|\n")
    return path


def test_variants_of_a_tune_stay_together(book):
    splits = {
        split: folk(Melody(), split, book.parent, test=0.3, validation=0.3) for split in ("train", "validation", "test")
    }
    names = {split: {w.names[int(p)] for p in w.pieces} for split, w in splits.items()}
    found = set().union(*names.values())
    assert found == {f"the tune no {i}" for i in range(20)} | {"book 41"}
    assert sum(map(len, names.values())) == len(found)
    assert sum(map(len, splits.values())) == 41


def test_a_window_is_that_of_its_tune(book):
    adapter = Melody()
    name, data, starts, _ = module._read_books(adapter, [book])[2]
    tune = TUNE.format(n=2, title="x", note="G")
    assert name == "the tune no 2"
    alone = scores.read_piece(adapter, "", io.BytesIO(tune.encode()))
    assert (data.tolist(), starts.tolist()) == (alone.data.tolist(), alone.starts.tolist())
    assert data[:4].tolist() == [2 + 60 - 21, 1, 2 + 62 - 21, 1]


def test_books_that_are_no_utf_8_are_read(tmp_path):
    path = tmp_path / "latin.abc"
    path.write_bytes(TUNE.format(n=1, title="Löve", note="E").encode("latin-1"))
    assert len(folk(Melody(), "train", tmp_path, test=0.0, validation=0.0)) == 1


@pytest.mark.skipif(importlib.util.find_spec("music21") is None, reason="needs music21's tunes")
def test_tunes_of_the_real_corpus_are_read():
    found = module._read_books(Melody(), [module._corpus() / "airdsAirs" / "book1.abc"])
    assert len(found) > 100
    assert all(piece.data.dtype == np.uint8 for piece in found if len(piece.starts))


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    with pytest.raises(MusicaeError, match="no ABC files under"):
        folk(Melody(), "train", tmp_path)
    with pytest.raises(MusicaeError, match="no split named"):
        folk(Melody(), "all", tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MusicaeError, match=r"pip install 'musicae\[folk\]'"):
        folk(Melody(), "train", None)
