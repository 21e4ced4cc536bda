import logging
import math

import pytest
import torch

from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.evaluations.shared import common


def test_a_mean_has_half_of_its_interval_beside_it():
    figures = {}
    common.mean(figures, "x", torch.tensor([1.0, 3.0]))
    assert figures == pytest.approx({"x": 2, "spread_x": 1.96 * math.sqrt(2) / math.sqrt(2)})
    common.mean(figures, "y", torch.tensor([4.0]))
    assert figures["spread_y"] == 0


def test_a_ratio_of_sums_has_the_spread_of_such_ratios():
    rng = torch.Generator().manual_seed(0)
    figures, ratios = {}, []
    for _ in range(300):
        bottom = torch.randint(0, 9, (200,), generator=rng)
        top = (torch.rand(200, generator=rng) * bottom).round()
        common.ratio(figures, "share", top, bottom)
        ratios.append(figures["share"])
    assert figures["share"] == pytest.approx(0.5, abs=0.05)
    assert figures["spread_share"] == pytest.approx(1.96 * torch.tensor(ratios).std().item(), rel=0.25)
    told = {}
    common.ratio(told, "share", torch.zeros(5), torch.zeros(5))
    assert told == {}
    common.ratio(told, "share", torch.tensor([1.0]), torch.tensor([2.0]))
    assert told == {"share": 0.5, "spread_share": 0.0}


def test_windows_are_chosen_at_random_with_all_that_belongs_to_them():
    data = torch.arange(100, dtype=torch.uint8).view(100, 1, 1, 1)
    windows = Windows(data, torch.arange(100), 1, labels=torch.arange(100) % 7, levels=255)
    some = common.choose(windows, 30, 0)
    assert len(some) == 30
    assert some.levels == 255
    assert some.pieces.tolist() != list(range(30))
    assert some.labels.tolist() == [piece % 7 for piece in some.pieces.tolist()]
    assert common.choose(windows, 30, 0).pieces.equal(some.pieces)
    assert not common.choose(windows, 30, 1).pieces.equal(some.pieces)
    assert sorted(common.choose(windows, 999, 0).pieces.tolist()) == list(range(100))


@pytest.mark.parametrize("n", [300, 12])
def test_components_hold_data_of_as_low_a_rank_exactly(n):
    rng = torch.Generator().manual_seed(0)
    mixing = torch.randn(3, 20, generator=rng)
    x = torch.randn(n, 3, generator=rng) @ mixing + 5
    centre, basis = common.pca(x, 3)
    assert basis.shape == (20, 3)
    assert torch.allclose(basis.T @ basis, torch.eye(3), atol=1e-5)
    fresh = torch.randn(50, 3, generator=rng) @ mixing + 5
    assert torch.allclose((fresh - centre) @ basis @ basis.T + centre, fresh, atol=1e-4)
    fewer = common.pca(x, 1)
    spread = ((x - fewer[0]) @ fewer[1]).var()
    assert spread == pytest.approx(torch.linalg.eigvalsh(torch.cov(x.T))[-1].item(), rel=1e-3)


def test_components_of_many_features_are_nearly_as_good(monkeypatch):
    monkeypatch.setattr(common, "_MAX_EXACT", 50)
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(200, 100, generator=rng) * torch.linspace(3, 0.1, 100) ** 2
    state = torch.get_rng_state()
    centre, basis = common.pca(x, 10)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.allclose(basis.T @ basis, torch.eye(10), atol=1e-4)
    best = torch.linalg.svdvals(x - centre)[:10].square().sum()
    assert ((x - centre) @ basis).square().sum() > 0.995 * best


def test_rivals_stand_by_their_names_and_the_best_by_the_figures():
    figures = {}
    common.rivals(figures, "psnr_set5_x2_y", {"bicubic": 30.0, "other": 31.0})
    assert figures == {"floor_bicubic_set5_x2_y": 30, "floor_other_set5_x2_y": 31, "floor_psnr_set5_x2_y": 31}
    common.rivals(figures, "psnr", {})
    assert "floor_psnr" not in figures


def test_a_conditional_model_needs_labels(kit):
    parts = kit.made(kit.Whole((1, 8, 8), classes=3))
    assert parts.conditions(kit.drawn(5)).shape == (5, 3)
    condition, parts.model.condition = parts.model.condition, None
    assert parts.conditions(kit.drawn(5)) is None
    parts.model.condition = condition
    unlabelled = kit.drawn(5)
    unlabelled.labels = None
    with pytest.raises(MusicaeError, match="has no labels"):
        parts.conditions(unlabelled)


def test_another_set_that_cannot_be_had_is_left_out_with_a_warning(kit, tmp_path, caplog):
    parts = kit.made(kit.Whole((1, 8, 8)))
    with caplog.at_level(logging.WARNING, "musicae"):
        assert common.other_set(parts, "no-such-set", {}) is None
    assert "--data no-such-set=DIR" in caplog.text
    with pytest.raises(MusicaeError, match="no-such-set"):
        common.other_set(parts, "no-such-set", {"no-such-set": tmp_path})
