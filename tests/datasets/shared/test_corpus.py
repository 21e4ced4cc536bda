"""A corpus: where it lies, what its index says, and its splits by song."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from musicae.adapters.drums import Drums
from musicae.adapters.melody import Melody
from musicae.core import Unpacked
from musicae.datasets.shared.corpus import Corpus, corpus_set, corpus_windows
from musicae.datasets.shared.split import SPLITS, split_of
from musicae.errors import MusicaeError
from musicae.registry import declared

CORPUS = Corpus("tunes", "example.org/tunes", grid=0.8)


def splits_of(folder, corpus=CORPUS, adapter=None):
    """Return the names of the files in each split."""
    assign = partial(split_of, test=0.3, validation=0.2)
    found = [corpus_windows(corpus, adapter or Melody(), split, folder, assign) for split in SPLITS]
    return [{windows.names[int(piece)] for piece in windows.pieces} for windows in found]


def unpack(files, folder):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_a_corpus_is_split_alike_as_it_is_downloaded_and_unpacked(download, corpus_files, tmp_path):
    folder = download("tunes")
    expected = splits_of(folder)
    index = (folder / "index.csv").read_text()
    beside = unpack(corpus_files, tmp_path / "one" / "tunes")
    (tmp_path / "one" / "index.csv").write_text(index)
    inside = unpack(corpus_files, tmp_path / "two" / "mine")
    (inside / "index.csv").write_text(index)
    above = unpack(corpus_files, tmp_path / "three" / "tunes").parent
    (above / "index.csv").write_text(index)
    for place in (beside, inside, above):
        assert splits_of(place) == expected
    assert sum(map(len, expected)) == 23


def test_the_same_melody_in_another_key_is_in_the_same_split(corpus_files, tmp_path):
    folder = unpack(corpus_files, tmp_path / "tunes")
    for split in (splits := splits_of(folder)):
        assert {name[2:] for name in split if name.startswith("a")} == {name[2:] for name in split if name[0] == "b"}
    assert sum(map(len, splits)) == 24
    assert splits[0]
    assert splits[2]


def test_the_column_song_counts_too(download):
    # Tunes 0 and 6 have one number, as the index of the fixture says, and so have 1 and 7 ...
    for split in splits_of(download("tunes")):
        numbers = {int(name[2:4]) for name in split} - {0, 6}
        assert {number % 6 for number in numbers if number < 6} == {number % 6 for number in numbers if number >= 6}


def test_a_file_that_the_index_does_not_know_is_used_and_told(download, corpus_files, tmp_path, caplog):
    folder = unpack(corpus_files, tmp_path / "tunes")
    (folder / "index.csv").write_text("file,song,grid\na/01.mid,5,0.2\nelsewhere.mid,5,\n")
    assert sum(map(len, splits_of(folder))) == 23
    assert caplog.text.count("23 of 24 files of tunes are not in index.csv (a/00.mid); they are used as they are") == 1
    (folder / "index.csv").write_text("file,grid\na/01.mid,\na/02.mid,high\n")
    assert sum(map(len, splits_of(folder))) == 24


def test_a_melody_of_chords_is_left_out_only_where_it_is_read(download, caplog):
    folder = download("tunes")
    strict = Corpus("tunes", "example.org/tunes", "Melody", 0.8, 0.95)
    assert sum(map(len, splits_of(folder, strict))) == 22
    assert (
        "2 of 24 files of tunes were left out: 1 whose notes keep to no grid (a/00.mid), 1 whose melody" in caplog.text
    )
    with pytest.raises(MusicaeError, match="it has no drums"):
        splits_of(folder, strict, Drums())


class Pair(Melody):
    """An adapter of two parts that are kept packed, the second silent in the files whose first note is high."""

    one_track = False
    packed_blank = np.zeros((2, 1), np.uint8)

    def pack_score(self, loaded, track):
        line = super().pack_score(loaded, track)
        low = line.data * (line.data[0] < 42)
        return replace(line, data=np.stack([line.data, low]), parts=np.stack([line.data, low]) > 0)

    def unpacked(self, windows):
        return replace(windows, data=Unpacked(windows.data, self.spec.full_shape, lambda x: x))

    def canonical(self, data):
        return data


@pytest.mark.parametrize("bars", [2, 4])
def test_a_band_is_used_where_two_parts_play_and_split_as_its_melody_is(download, bars):
    folder = download("tunes")
    corpus = Corpus("tunes", "example.org/tunes", "Melody", 0.8, 0.95)
    found = splits_of(folder, corpus, Pair(bars))
    assert 0 < sum(map(len, found)) < 23
    for split, whole in zip(found, splits_of(folder), strict=True):
        assert split <= whole


def test_a_second_run_reads_nothing_again(download, monkeypatch):
    from musicae.datasets.shared import prepare, songs

    folder = download("tunes")
    expected = splits_of(folder)
    monkeypatch.setattr(prepare, "save_shard", lambda *given: pytest.fail("prepared again"))
    monkeypatch.setattr(songs, "phrases", lambda *given: pytest.fail("compared again"))
    assert splits_of(folder) == expected


def test_what_is_wrong_is_said(download, tmp_path):
    with pytest.raises(MusicaeError, match=r"no MIDI files of tunes in .*gone; get example.org/tunes and name"):
        splits_of(tmp_path / "gone")
    folder = download("tunes")
    (folder / "index.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MusicaeError, match=r"index.csv is damaged"):
        splits_of(folder)
    for damaged in ("name,song\nx,1\n", "", "file,song\n"):
        (folder / "index.csv").write_text(damaged)
        with pytest.raises(MusicaeError, match="needs a column 'file'"):
            splits_of(folder)
    with pytest.raises(MusicaeError, match="did you mean 'train'"):
        corpus_windows(CORPUS, Melody(), "trian", folder, split_of)


def test_a_set_has_the_settings_of_its_corpus(download):
    plain, sung = (corpus_set("here", Corpus("a-set", "example.org", track)) for track in ("", "Melody"))
    assert (plain.__module__, plain.__name__) == ("here", "a_set")
    settings = ["seed", "test", "validation", "grid"]
    assert [name for name, one in declared(plain).items() if one.default is not one.empty] == settings
    assert [name for name, one in declared(sung).items() if one.default is not one.empty] == [*settings, "single"]
    assert declared(plain)["grid"] == declared(sung)["grid"]
    folder = download("a-set")
    assert len(plain(Melody(), "train", folder, test=0.0, validation=0.0, grid=0.0).names) == 24
