"""Optimizers and the schedule of the learning rate."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from musicae.errors import MusicaeError
from musicae.training import optimizers
from musicae.training.options import TrainingOptions


@pytest.fixture
def parameters():
    net = nn.Sequential(nn.Linear(3, 4), nn.Conv1d(2, 2, 3))
    return dict(net.named_parameters())


def rates(steps, **settings):
    options = TrainingOptions(lr=1.0, warmup=10, **settings)
    return [optimizers.learning_rate(step, steps, options) for step in range(101)]


def test_cosine_rises_and_falls_to_zero():
    found = rates(100)
    assert found[0] == pytest.approx(0.1)
    assert max(found) == found[10] == pytest.approx(1.0)
    assert found[55] == pytest.approx(0.5)
    assert found[100] == pytest.approx(0.0, abs=1e-6)


def test_one_cycle_rises_for_three_tenths():
    found = rates(100, schedule="one-cycle")
    assert found.index(max(found)) in (29, 30)


def test_constant_stays():
    assert set(rates(100, schedule="constant")[10:]) == {1.0}


def test_wsd_falls_at_the_end_so_that_a_longer_run_begins_the_same():
    stable = rates(100, schedule="wsd")
    assert set(stable[10:81]) == {1.0}
    assert stable[85] == pytest.approx(0.5)
    assert stable[100] == 0.0
    assert stable[:81] == rates(200, schedule="wsd")[:81]


@given(st.integers(1, 500), st.integers(0, 600), st.sampled_from(["cosine", "one-cycle", "wsd", "constant"]), st.data())
def test_rates_lie_between_zero_and_the_largest(steps, warmup, schedule, data):
    options = TrainingOptions(lr=0.3, warmup=warmup, schedule=schedule)
    step = data.draw(st.integers(0, steps - 1))
    assert 0 <= optimizers.learning_rate(step, steps, options) <= 0.3 * (1 + 1e-9)


def test_adamw_takes_all(parameters):
    (adamw,) = optimizers.make_optimizers(TrainingOptions(weight_decay=0.02), parameters)
    assert not optimizers.is_muon(adamw)
    assert optimizers.moment_keys(adamw) == ("exp_avg", "exp_avg_sq")
    assert adamw.param_groups[0]["weight_decay"] == 0.02
    assert len(adamw.param_groups[0]["params"]) == 4


def test_muon_takes_the_matrices_at_twice_the_rate(parameters):
    muon, adamw = optimizers.make_optimizers(TrainingOptions(optimizer="muon"), parameters)
    assert optimizers.is_muon(muon)
    assert optimizers.moment_keys(muon) == ("momentum_buffer",)
    assert [tuple(one.shape) for one in muon.param_groups[0]["params"]] == [(4, 3)]
    assert len(adamw.param_groups[0]["params"]) == 3
    optimizers.set_learning_rate([muon, adamw], 0.25)
    assert [one.param_groups[0]["lr"] for one in (muon, adamw)] == [0.5, 0.25]


def test_what_an_optimizer_remembers_has_the_names_that_are_said(parameters):
    for kind in ("adamw", "muon"):
        for optimizer in optimizers.make_optimizers(TrainingOptions(optimizer=kind), parameters):
            for parameter in optimizer.param_groups[0]["params"]:
                parameter.grad = torch.ones_like(parameter)
            optimizer.step()
            kept = optimizer.state[optimizer.param_groups[0]["params"][0]]
            assert set(kept) - {"step"} == set(optimizers.moment_keys(optimizer))


def test_an_older_torch_has_no_muon(parameters, monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.8.1+cpu")
    with pytest.raises(MusicaeError, match=r"torch 2\.9 or later"):
        optimizers.make_optimizers(TrainingOptions(optimizer="muon"), parameters)
    assert optimizers.make_optimizers(TrainingOptions(), parameters)
