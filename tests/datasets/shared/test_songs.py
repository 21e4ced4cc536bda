"""Which files are the same song."""

from itertools import pairwise

import numpy as np
import torch

from musicae.core import Windows
from musicae.datasets.shared.songs import alike, joined, phrases


def windows(*lines):
    """Return windows of two bars, one each bar, of lines of pitches in quavers."""
    cut, pieces = [], []
    for number, line in enumerate(lines):
        tokens = torch.tensor([token for pitch in line for token in (pitch, 1)], dtype=torch.uint8)
        parts = tokens.unfold(0, 32, 16)
        cut.append(parts)
        pieces += [number] * len(parts)
    return Windows(torch.cat(cut), torch.tensor(pieces), 90, [f"{i}" for i in range(len(lines))])


def melody(seed, notes=64):
    return np.random.default_rng(seed).integers(20, 40, notes)


def pairs(*lines):
    return {tuple(pair) for pair in alike(*phrases(windows(*lines))).tolist()}


def test_a_transposed_melody_is_the_same_song_and_another_is_not():
    assert pairs(melody(0), melody(1), melody(0) + 5, melody(2)) == {(0, 2)}


def test_it_does_not_matter_where_in_the_bar_it_begins():
    shifted = np.concatenate([melody(9, 3), melody(0)])[:64]
    assert pairs(melody(0), shifted) == {(0, 1)}


def test_an_excerpt_belongs_to_its_song_and_a_quotation_does_not():
    assert pairs(melody(0), melody(0)[16:48]) == {(0, 1)}
    quoting = np.concatenate([melody(0)[:16], melody(3)[:48]])
    assert pairs(melody(0), quoting) == set()


def test_repeated_notes_and_what_everybody_plays_tell_nothing():
    bass = np.repeat([20, 25], 32)
    assert len(phrases(windows(bass))[0]) == 0
    assert pairs(bass, bass + 2) == set()
    known = melody(0)
    assert pairs(known, known) == {(0, 1)}
    assert pairs(*[known] * 21) == set()


def test_a_phrase_counts_once_a_piece():
    hashes, pieces = phrases(windows(np.tile(melody(0, 16), 4), melody(0, 32)))
    assert len({*zip(hashes.tolist(), pieces.tolist(), strict=True)}) == len(hashes)
    assert sorted(set(pieces.tolist())) == [0, 1]


def test_nothing_is_alike_where_there_is_nothing():
    empty = Windows(torch.empty(0, 32, dtype=torch.uint8), torch.empty(0, dtype=torch.int32), 90)
    assert alike(*phrases(empty)).shape == (0, 2)
    assert alike(*phrases(windows(np.repeat(20, 32)))).shape == (0, 2)


def test_a_group_has_the_smallest_name():
    found = joined(["d", "c", "b", "a", "e"], [("d", "c"), ("b", "d"), ("e", "e")])
    assert found == {"a": "a", "b": "b", "c": "b", "d": "b", "e": "e"}
    chain = [f"{i:03}" for i in range(500)]
    assert set(joined(chain, pairwise(chain)).values()) == {"000"}
