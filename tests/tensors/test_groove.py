"""The tensor of grooves."""

import numpy as np
import torch
from groove_model import beat

from musicae.tensors import groove
from musicae.tensors.groove import HITS, OFFSETS, TAP, VELOCITIES


def many(n=500):
    return torch.stack([beat((0, 0, 0.8, 0.0), (0, 2, 0.4, 0.1), (20, 1, 0.5, -0.3), (30, 8, 0.6, 0.2))] * n)


def test_grooves_are_packed_and_unpacked():
    x = many(1)[0]
    packed = groove.pack(x.numpy(), np.full(32, 103.44))
    assert (packed.shape, packed.dtype) == ((groove.ROWS, 32), np.uint8)
    back = torch.from_numpy(packed)[None]
    assert torch.allclose(groove.unpack(back)[0], x, atol=1 / 250)
    assert groove.unpack(back)[0, HITS].equal(x[HITS])
    assert torch.allclose(groove.durations(back), torch.tensor(103.44), atol=0.011)
    assert groove.unpack(torch.zeros(1, groove.ROWS, 4, dtype=torch.uint8)).count_nonzero() == 0


def test_taps_know_no_drum():
    y = groove.tapped(many(1), torch.tensor([0.55]))
    assert y[0, HITS].unique().tolist() == [0, TAP]
    assert y[0, 0].nonzero().flatten().tolist() == [0, 30]
    assert groove.tapped(many(1), torch.tensor([0.99]))[0, 0].nonzero().flatten().tolist() == [0]


def test_grooves_are_varied_a_little_and_may_begin_with_another_bar():
    x = many()
    y = groove.varied(x, 16, torch.Generator().manual_seed(0))
    kept = y[:, HITS].sum((1, 2))
    assert kept.min() >= 2
    assert 0.05 < (kept < 4).float().mean() < 0.6
    # The snare is in the second bar, but for grooves that begin with that.
    turned = y[:, 1, 4] > 0
    assert 0.3 < turned.float().mean() < 0.55
    own = torch.where(turned.view(-1, 1, 1), x.roll(16, 2), x)[y[:, 1].any(1)]
    y = y[y[:, 1].any(1)]
    for rows, most in ((VELOCITIES, 0.3), (OFFSETS, 0.2)):
        off = (y - own)[:, rows][y[:, HITS] > 0]
        assert 0.005 < off.std() < most / 3
        assert off.abs().max() < most
