"""The state of a training goes to disk and back to the bit."""

import pytest
import torch
from torch import nn

from musicae import codec as codecs
from musicae.errors import MusicaeError
from musicae.preset import Preset
from musicae.training.optimizers import make_optimizers
from musicae.training.options import TrainingOptions
from musicae.training.state import MODEL, STATE, TrainingState

PRESET = Preset("tiny", {"adapter": {"name": "melody"}, "model": {"name": "lm", "width": 8}})


@pytest.fixture
def made():
    def make(seed, optimizer="adamw"):
        torch.manual_seed(seed)
        codec = codecs.build(PRESET)
        networks = codec.networks()
        parameters = dict(networks.named_parameters())
        optimizers = make_optimizers(TrainingOptions(optimizer=optimizer), parameters)
        return codec, TrainingState(networks, parameters, optimizers)

    return make


def step(state, skip=()):
    for name, parameter in state.parameters.items():
        parameter.grad = None if name in skip else torch.ones_like(parameter)
    for optimizer in state.optimizers:
        optimizer.step()
    state.average(0.75)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_what_was_written_comes_back_and_goes_on_to_the_bit(made, tmp_path, optimizer):
    codec, state = made(0, optimizer)
    untouched = next(iter(state.parameters))
    for _ in range(3):
        step(state, skip={untouched})
    codec.step = 3
    state.write(tmp_path, codec)
    _, other = made(1, optimizer)
    assert not same(other.networks.state_dict(), state.networks.state_dict())
    assert other.read(tmp_path) == 3
    for _ in range(2):
        assert same(other.networks.state_dict(), state.networks.state_dict())
        assert same(other.averaged, state.averaged)
        step(state, skip={untouched})
        step(other, skip={untouched})
    assert codecs.load(str(tmp_path / MODEL)).step == 3


def test_the_average_follows_the_weights_and_counters_are_copied():
    networks = nn.ModuleDict({"model": nn.BatchNorm1d(2)})
    state = TrainingState(networks, dict(networks.named_parameters()), [])
    norm = networks["model"]
    with torch.no_grad():
        norm.weight.add_(4.0)
        norm.num_batches_tracked.add_(3)
    state.average(0.75)
    assert state.averaged["model.weight"].tolist() == [2.0, 2.0]
    assert state.averaged["model.num_batches_tracked"] == 3
    state.use_average()
    assert norm.weight.tolist() == [2.0, 2.0]


def test_the_state_of_another_preset_or_optimizer_is_refused(made, tmp_path):
    codec, state = made(0, "muon")
    step(state)
    state.write(tmp_path, codec)
    with pytest.raises(MusicaeError, match="another preset"):
        made(0)[1].read(tmp_path)
    state.networks["model"] = nn.Linear(2, 2)
    with pytest.raises(MusicaeError, match="another preset"):
        state.read(tmp_path)
    (tmp_path / STATE).unlink()
    with pytest.raises(MusicaeError, match="no checkpoint"):
        state.read(tmp_path)
