"""Grooves as they are tapped."""

import pytest
import torch
from groove_model import beat

from musicae.corruptions.tap import Tap
from musicae.errors import MusicaeError
from musicae.tensors import groove
from musicae.tensors.groove import DRUMS, HITS, OFFSETS, TAP, VELOCITIES

X = torch.stack([beat((0, 0, 0.9, 0.1), (0, 2, 0.5, -0.2), (4, 1, 0.2, 0.0), (9, 3, 0.6, -0.4))] * 400)


def test_a_tap_is_as_loud_and_as_late_as_the_loudest_hit(rng):
    y = Tap()(X, rng())
    for rows, values in ((HITS, (TAP, TAP, TAP)), (VELOCITIES, (0.9, 0.2, 0.6)), (OFFSETS, (0.1, 0.0, -0.4))):
        wanted = torch.zeros(32)
        wanted[[0, 4, 9]] = torch.tensor(values)
        assert y[:, rows].equal(wanted.expand(400, DRUMS, 32))


def test_soft_hits_may_not_be_tapped_but_some_always_are(rng):
    taps = Tap(sparse=1.0)(X, rng())[:, 0] > 0
    kept = taps[:, [0, 4, 9]].float().mean(0)
    assert kept[0] == 1.0
    assert kept[1].item() == pytest.approx(0.2, abs=0.06)
    assert kept[2].item() == pytest.approx(0.6, abs=0.08)


def test_loudness_is_rough_but_what_is_not_known_stays_so(rng):
    y = Tap(loudness=0.05)(X, rng())
    assert y[:, VELOCITIES][:, :, 4].std().item() == pytest.approx(0.05, abs=0.01)
    assert y[:, VELOCITIES][:, 0].equal(y[:, VELOCITIES][:, 8])
    flat = Tap(loudness=0.05)(groove.flattened(X), rng())
    assert flat[:, HITS.stop :].count_nonzero() == 0


def test_impossible_shares_are_refused():
    with pytest.raises(MusicaeError, match="sparse must be 0 to 1"):
        Tap(sparse=1.5)
