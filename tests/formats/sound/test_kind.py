"""What a sound file holds."""

import numpy as np
import pytest

from musicae.errors import MusicaeError
from musicae.formats.sound import kind as sound


def test_facts_of_a_kind_are_checked():
    assert sound.kind_of({"rate": 8000, "channels": 1, "format": "WAV", "subtype": "FLOAT"}).exact
    for facts in ({"rate": 0, "channels": 1}, {"rate": 8000}, {"rate": 8000, "channels": 1, "format": 3}, {"size": 1}):
        with pytest.raises(MusicaeError, match="not a kind of sound file"):
            sound.kind_of(facts)


def test_channels_are_repeated_and_averaged_in_turn():
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    assert sound.fold_channels(x, 4) is x
    assert sound.fold_channels(x, 2).tolist() == [[1, 2], [5, 6]]
    assert sound.fold_channels(x, 1)[:, 0].tolist() == [1.5, 5.5]
    assert sound.fold_channels(x[:, :2], 3).tolist() == [[0, 1, 0], [4, 5, 4]]


def test_parts_of_any_length_become_blocks_of_one():
    parts = [np.full((n, 1), n, np.float32) for n in (3, 0, 1, 7, 2)]
    blocks = list(sound.in_blocks(parts, 4))
    assert [len(block) for block in blocks] == [4, 4, 4, 1]
    assert np.array_equal(np.concatenate(blocks), np.concatenate(parts))
    assert list(sound.in_blocks(iter(()), 4)) == []
