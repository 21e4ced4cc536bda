"""What humanize and drumify share."""

import pytest
import torch
from groove_model import LATE, LOUD, beat, drummer
from mirror_model import exact

from musicae.errors import MusicaeError
from musicae.ops import grooves
from musicae.ops.grooves import Widening, check_amount, check_grooves, example, played, style, widening
from musicae.tensors.groove import HITS, OFFSETS, VELOCITIES, flattened

X = torch.stack([beat((0, 0, 0.9, 0.25), (4, 1, 0.7, 0.0), (20, 2, 0.3, -0.125))])


def test_hits_are_played_where_they_are():
    made, struck = played(drummer(), X), X[:, HITS] > 0
    assert made[:, HITS].equal(X[:, HITS])
    assert made[:, VELOCITIES].equal(LOUD * struck)
    assert made[:, OFFSETS].equal(LATE * struck)


def test_a_style_is_what_flattening_takes_away():
    codec = drummer()
    added = style(codec, torch.cat([X, torch.zeros_like(X)]), flattened)
    assert torch.allclose(played(codec, X, added), X, atol=1e-6)
    assert example(codec, None, flattened) is None


def test_windows_of_taps_get_the_same_drums():
    """What two of three windows are answered with, the third is as well; what one has, the others are not."""
    codec, snare, ride = drummer(), (0, 1, 0.9, 0.0), (0, 8, 0.9, 0.0)
    windows = torch.stack([beat(snare), beat(snare, ride), beat(snare, ride)])
    made = grooves.steady(codec, windows.flatten(1))
    assert made[:, HITS][:, 8, 0].tolist() == [1.0, 1.0, 1.0]
    assert grooves.steady(codec, windows[[0, 0, 1]].flatten(1))[0, HITS].equal(windows[0, HITS])
    assert grooves.steady(codec, windows[:1].flatten(1)).equal(codec.decode(windows[:1].flatten(1)))
    assert grooves.style(codec, torch.zeros(2, 27, 32), flattened).count_nonzero() == 0


def test_what_is_far_from_the_mean_is_played_further_from_it():
    wider = Widening(torch.tensor([0.0, 1.0]), torch.zeros(2, 9), torch.tensor([1.0, 0.1]))
    made = wider.apply(X)
    assert made[:, VELOCITIES].equal(X[:, VELOCITIES])
    offsets = made[:, OFFSETS][X[:, HITS] > 0]
    assert offsets.tolist() == pytest.approx([0.49, 0.0, -0.125 - 10 * 0.125**2])
    assert Widening.none().apply(X).equal(X)


def test_the_widening_gives_drawn_grooves_their_spread_back(monkeypatch):
    """A model that says half of what is so, and draws grooves that are known."""
    rng = torch.Generator().manual_seed(0)
    hits = (torch.rand(200, 9, 32, generator=rng) < 0.2).float()
    loud = (0.5 + 0.15 * torch.randn(hits.shape, generator=rng)).clamp(0.05, 1) * hits
    offset = (0.1 * torch.randn(hits.shape, generator=rng)).clamp(-0.5, 0.5) * hits
    drawn = torch.cat([hits, loud, offset], dim=1)
    tight = torch.cat([hits, (0.5 + 0.5 * (loud - 0.5)) * hits, 0.5 * offset], dim=1)
    codec = drummer()
    monkeypatch.setattr(codec, "decode", lambda *_, **__: drawn)
    monkeypatch.setattr(grooves, "played", lambda *_: tight)
    made = widening(codec).apply(tight)
    for rows in (VELOCITIES, OFFSETS):
        spread = made[:, rows][hits > 0].std() / drawn[:, rows][hits > 0].std()
        assert spread.item() == pytest.approx(grooves._TIGHT if rows == OFFSETS else 1.0, abs=0.05)
    monkeypatch.setattr(codec, "decode", lambda *_, **__: torch.zeros(5, 27, 32))
    assert widening(codec).share.tolist() == [0.0, 0.0]


def test_other_presets_and_amounts_are_refused():
    with pytest.raises(MusicaeError, match="humanize: the preset 'mirror' is not for grooves"):
        check_grooves(exact(), "humanize")
    for amount in (-0.1, 1.1, float("nan")):
        with pytest.raises(MusicaeError, match="amount must be between 0 and 1"):
            check_amount(amount)
