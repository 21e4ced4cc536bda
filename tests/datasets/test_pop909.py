"""POP909: the tracks named MELODY."""

import pytest
import torch

from musicae.adapters.melody import Melody
from musicae.core import Sample
from musicae.datasets.pop909 import pop909
from musicae.errors import MusicaeError
from musicae.tensors import melody_tokens


def test_songs_are_read_by_their_melody_and_split(tmp_path, monkeypatch):
    adapter = Melody()
    for i in range(30):
        line = torch.arange(32) % 12 + 20 + i
        sample = Sample(melody_tokens.one_hot(line, 90), adapter.blank())
        for track in ("MELODY", "PIANO"):
            path = tmp_path / "pop909" / track / f"{i:03}.mid"
            path.parent.mkdir(parents=True, exist_ok=True)
            adapter.write(Sample(sample.tensor, sample.meta | {"track": track}), path)
    splits = [pop909(adapter, split, tmp_path / "pop909", test=0.3, validation=0.3) for split in ("train", "test")]
    assert set(splits[0].names) == {f"MELODY/{i:03}.mid" for i in range(30)}
    assert all(len(split) for split in splits)
    assert not set(splits[0].pieces.tolist()) & set(splits[1].pieces.tolist())
    monkeypatch.setenv("MUSICAE_DATA", str(tmp_path))
    assert len(pop909(adapter, "test", None, test=0.3, validation=0.3)) == len(splits[1])


def test_where_to_get_it_is_said(tmp_path):
    with pytest.raises(MusicaeError, match=r"github.com/music-x-lab/POP909-Dataset .* --data pop909=DIR"):
        pop909(Melody(), "train", None)
    with pytest.raises(MusicaeError, match="no POP909 in"):
        pop909(Melody(), "train", tmp_path / "gone")
