"""Which graphs a codec exports: one for each thing that its parts declare that they can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from musicae.codec import Codec
from musicae.core import Prior, State
from musicae.errors import MusicaeError
from musicae.exports.pairs import pairs
from musicae.tensors.random import generator

__all__ = ["Function", "Graph", "graphs"]

_LEVEL = 0.1  # RMS of the noise that is put through a model of sound to check it.
_GRAINS = (9, 11)  # Height and width of a picture to restore, in the smallest sizes that the model takes.


class Function(nn.Module):
    """A function of tensors, which returns several, and the networks whose weights it uses."""

    def __init__(self, networks: nn.Module, call: Callable[..., Sequence[Tensor]]) -> None:
        super().__init__()
        self.networks, self.call = networks, call

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return what it makes of its inputs."""
        return tuple(self.call(*inputs))


@dataclass(frozen=True)
class Graph:
    """A function of tensors to be written as one file.

    `example` gives tensors to call it with, for a batch of so many examples. `free` names the axes whose size is not
    fixed, by the name of the input: ``{"x": {0: "batch"}}``. `unrolled` says that it is a loop of many steps.
    """

    name: str
    function: Function
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    example: Callable[[int], tuple[Tensor, ...]]
    free: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    unrolled: bool = False


def graphs(codec: Codec) -> list[Graph]:
    """Return the graphs of a trained codec on the CPU. Raise MusicaeError where there is nothing to export."""
    model = codec.model
    found: list[Graph] = []
    if model.latent_size:
        found.append(_encoder(codec))
    if model.stepwise:
        found += [_features(codec)] if model.latent_size else []
        found.append(_step(codec))
    elif model.latent_size:
        found.append(_decoder(codec))
    if codec.prior is not None:
        found += _prior(codec, codec.prior)
    if model.streams:
        found.append(_stream(codec))
    elif model.restores:
        found.append(_restorer(codec))
    if not found:
        raise MusicaeError(f"the preset '{codec.preset.name}' has no code and restores nothing: it cannot be exported")
    return found


def _encoder(codec: Codec) -> Graph:
    def call(x: Tensor, cond: Tensor | None = None) -> list[Tensor]:
        found = codec.model.encode(x, cond)
        return [found.mean] if found.logvar is None else [found.mean, found.logvar]

    def example(batch: int) -> tuple[Tensor, ...]:
        cond = _cond(codec, batch)
        return codec.decode(codec.draw(batch, cond=cond), cond=cond), *_conds(codec, batch)

    with torch.no_grad():
        outputs = ("mean", "logvar")[: len(call(*example(1)))]
    return _graph("encoder", codec.model, call, ("x", *_cond_name(codec)), outputs, example)


def _decoder(codec: Codec) -> Graph:
    def call(z: Tensor, cond: Tensor | None = None) -> list[Tensor]:
        kept: list[Tensor] = []

        def choose(params: Tensor) -> Tensor:
            kept.append(params.float())
            return codec.likelihood.mode(params.float())

        return [codec.model.decode(z, choose, cond), *kept]

    def example(batch: int) -> tuple[Tensor, ...]:
        return codec.draw(batch, cond=_cond(codec, batch)), *_conds(codec, batch)

    return _graph("decoder", codec.model, call, ("z", *_cond_name(codec)), ("values", "params"), example)


def _features(codec: Codec) -> Graph:
    def call(z: Tensor, cond: Tensor | None = None) -> list[Tensor]:
        return [codec.model.decode(z, codec.likelihood.mode, cond), codec.model.features(z, cond)]

    def example(batch: int) -> tuple[Tensor, ...]:
        return codec.draw(batch, cond=_cond(codec, batch)), *_conds(codec, batch)

    names = ("z", *_cond_name(codec))
    return _graph("decoder", codec.model, call, names, ("values", "features"), example, unrolled=True)


def _step(codec: Codec) -> Graph:
    model, count = codec.model, len(codec.model.initial_state())
    size = _step_features(codec).shape[-1]

    def call(*given: Tensor) -> list[Tensor]:
        features, previous, *state = given if size else (given[0].new_zeros(given[0].shape[0], 0), *given)
        params, after = model.step(features, previous, tuple(state))
        params = params.float()
        return [codec.likelihood.mode(params[..., None])[..., 0], params, *after]

    def example(batch: int) -> tuple[Tensor, ...]:
        features = _step_features(codec, batch)[:, 0, -1]
        previous = torch.zeros(batch, codec.spec.channels)
        value, _, *state = call(*((features,) if size else ()), previous, *model.initial_state(batch))
        return *((features,) if size else ()), value, *state

    inputs = (*(("features",) if size else ()), "previous", *_numbered("state", count))
    outputs = ("values", "params", *_numbered("next", count))
    free = {name: {0: "batch"} for name in inputs} | _free_state(model.initial_state)
    return Graph("step", Function(model, call), inputs, outputs, example, free)


def _prior(codec: Codec, prior: Prior) -> list[Graph]:
    conditional, size = bool(prior.cond_channels), codec.model.latent_size

    def beside(rest: Sequence[Tensor]) -> tuple[Tensor | None, Tensor | None]:
        left = list(rest)
        return left.pop(0) if conditional else None, left.pop(0) if prior.takes_given else None

    def to_noise(z: Tensor, *rest: Tensor) -> list[Tensor]:
        return [prior.to_noise(z, *beside(rest))]

    def from_noise(noise: Tensor, *rest: Tensor) -> list[Tensor]:
        return [prior.from_noise(noise, *beside(rest))]

    def given(batch: int) -> tuple[Tensor, ...]:
        known = torch.randn(batch, size, generator=generator(1)) * (torch.arange(batch) % 2)[:, None]
        return *(_conds(codec, batch) if conditional else ()), *((known,) if prior.takes_given else ())

    names = (*(_cond_name(codec) if conditional else ()), *(("given",) if prior.takes_given else ()))
    noise, z = ("noise", *names), ("z", *names)
    there = _graph("to_noise", prior, to_noise, z, ("noise",), lambda n: (codec.noise(n), *given(n)), unrolled=True)
    back = _graph("from_noise", prior, from_noise, noise, ("z",), lambda n: (codec.noise(n), *given(n)), unrolled=True)
    return [there, back]


def _stream(codec: Codec) -> Graph:
    model, count = codec.model, len(codec.model.initial_state())

    def call(x: Tensor, *state: Tensor) -> list[Tensor]:
        with pairs():
            params, after = model.stream(x, state)
        return [codec.likelihood.mode(params.float()), *after]

    def example(batch: int) -> tuple[Tensor, ...]:
        blocks = _LEVEL * torch.randn(3, batch, codec.spec.channels, model.multiple, generator=generator(0))
        state = model.initial_state(batch)
        for block in blocks[:-1]:
            _, *after = call(block, *state)
            state = tuple(after)
        return blocks[-1], *state

    inputs, outputs = ("x", *_numbered("state", count)), ("values", *_numbered("next", count))
    free = {"x": {0: "batch"}} | _free_state(model.initial_state)
    return Graph("stream", Function(model, call), inputs, outputs, example, free)


def _restorer(codec: Codec) -> Graph:
    model, axes = codec.model, len(codec.spec.shape)

    def call(x: Tensor, cond: Tensor | None = None) -> list[Tensor]:
        return [codec.likelihood.mode(model.restore(x, cond).float())]

    def example(batch: int) -> tuple[Tensor, ...]:
        sizes = [grains * model.multiple for grains in _GRAINS[-axes:]]
        return torch.rand(batch, codec.spec.channels, *sizes, generator=generator(0)), *_conds(codec, batch)

    names = ("x", *_cond_name(codec))
    free = {name: {0: "batch"} for name in names}
    free["x"] |= {2 + i: ("height", "width")[-axes:][i] for i in range(axes)}
    return Graph("restore", Function(model, call), names, ("values",), example, free)


def _graph(
    name: str,
    networks: nn.Module,
    call: Callable[..., Sequence[Tensor]],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    example: Callable[[int], tuple[Tensor, ...]],
    unrolled: bool = False,
) -> Graph:
    """Return a graph all of whose inputs have the batch as their first axis."""
    free = {name: {0: "batch"} for name in inputs}
    return Graph(name, Function(networks, call), inputs, outputs, example, free, unrolled)


def _numbered(name: str, count: int) -> list[str]:
    return [f"{name}_{i}" for i in range(count)]


def _free_state(initial: Callable[[int], State]) -> dict[str, dict[int, str]]:
    """Return the axes of each tensor of a state that grow with the batch, and by how much."""
    pairs = zip(initial(1), initial(2), strict=True)
    return {
        f"state_{i}": {
            axis: "batch" if one == 1 else f"{one}*batch"
            for axis, (one, two) in enumerate(zip(small.shape, large.shape, strict=True))
            if one != two
        }
        for i, (small, large) in enumerate(pairs)
    }


def _step_features(codec: Codec, batch: int = 1) -> Tensor:
    """Return what the steps of `batch` drawn codes are given, ``(batch, W, T, H)``."""
    with torch.no_grad():
        z = codec.draw(batch, cond=_cond(codec, batch)) if codec.model.latent_size else torch.zeros(batch, 0)
        return codec.model.features(z, _cond(codec, batch))


def _cond(codec: Codec, batch: int) -> Tensor | None:
    """Return conditions to call a model with: each example of another class, or with another channel set."""
    condition = codec.model.condition
    if condition is None:
        return None
    found = torch.zeros(batch, *condition.shape(codec.spec.shape[-1]))
    for i in range(batch):
        found[i, i % condition.channels] = 1.0
    return found


def _conds(codec: Codec, batch: int) -> tuple[Any, ...]:
    cond = _cond(codec, batch)
    return () if cond is None else (cond,)


def _cond_name(codec: Codec) -> tuple[str, ...]:
    return () if codec.model.condition is None else ("cond",)
