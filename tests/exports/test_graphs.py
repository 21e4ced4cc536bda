"""Which graphs a codec has, and that their parts make up what the codec does."""

from __future__ import annotations

import pytest
import torch

import musicae
from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.exports.graphs import graphs

GRAPHS = {
    "mnist-ae": "encoder decoder",
    "mnist-cvae": "encoder decoder to_noise from_noise",
    "melody-2bar": "encoder decoder step to_noise from_noise",
    "band-2bar": "encoder decoder to_noise from_noise",
    "drums-lm": "step",
    "denoise-speech": "stream",
    "mnist-upscale": "restore",
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_codec_has_a_graph_for_each_thing_that_it_can_do(name: str) -> None:
    found = graphs(musicae.load(name))
    assert " ".join(graph.name for graph in found) == GRAPHS[name]
    for graph in found:
        inputs = graph.example(2)
        assert len(inputs) == len(graph.inputs)
        assert set(graph.free) == set(graph.inputs)
        with torch.no_grad():
            assert len(graph.function(*inputs)) == len(graph.outputs)


def by_steps(codec: Codec, z: torch.Tensor) -> torch.Tensor:
    """Return what the graph `step` writes from the features of `decoder`, as another program would call them."""
    made = {graph.name: graph.function for graph in graphs(codec)}
    whole, features = made["decoder"](z)
    batch, windows, steps = features.shape[:3]
    rows = features.flatten(0, 1)
    value, state = torch.zeros(len(rows), codec.spec.channels), codec.model.initial_state(len(rows))
    values = []
    for step in range(steps):
        value, _, *state = made["step"](rows[:, step], value, *state)
        values.append(value)
    parts = torch.stack(values, 2).view(batch, windows, codec.spec.channels, steps)
    assert torch.equal(parts.movedim(1, 2).flatten(2), whole)
    return whole


@pytest.mark.parametrize("name", ["melody-2bar", "drums-16bar"])
def test_a_decoder_and_its_steps_write_what_the_codec_decodes(name: str) -> None:
    codec = musicae.load(name)
    z = codec.draw(3, seed=1)
    with torch.no_grad():
        assert torch.equal(by_steps(codec, z), codec.decode(z))


def test_steps_of_a_language_model_write_what_it_decodes() -> None:
    codec = musicae.load("drums-lm")
    (step,) = graphs(codec)
    value, state, values = torch.zeros(1, codec.spec.channels), codec.model.initial_state(1), []
    with torch.no_grad():
        for _ in range(codec.spec.shape[0]):
            value, _, *state = step.function(value, *state)
            values.append(value)
        assert torch.equal(torch.stack(values, 2), codec.model.decode(torch.zeros(1, 0), codec.likelihood.mode))


def test_a_model_that_writes_all_at_once_has_no_steps() -> None:
    model = musicae.load("mnist-ae").model
    assert not model.stepwise
    with pytest.raises(MusicaeError, match="all steps at once"):
        model.step(torch.zeros(1, 1), torch.zeros(1, 1), ())


def test_axes_of_a_state_that_grow_with_the_batch_are_free() -> None:
    (stream,) = graphs(musicae.load("denoise-speech"))
    assert stream.free["x"] == {0: "batch"}
    assert stream.free["state_0"] == {0: "batch"}
    assert stream.free["state_8"] == {1: "40*batch"}
