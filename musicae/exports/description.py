"""Describes exported graphs so that a program that knows nothing of this package can feed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.exports.graphs import Graph
from musicae.preset import resolve

__all__ = ["FORMAT", "describe"]

FORMAT = 1
"""Of the description; a later one may add keys."""

_TYPES = {"torch.float32": "float32", "torch.float64": "float64", "torch.int64": "int64", "torch.bool": "bool"}


def describe(codec: Codec, graphs: Sequence[Graph], bits: int) -> dict[str, Any]:
    """Return what ``spec.json`` says of a codec and its graphs. Raise MusicaeError for a state that is not zeros."""
    model, adapter, spec = codec.model, codec.adapter, codec.spec
    full = resolve(codec.preset)
    if any(bool(one.any()) for one in model.initial_state()):
        raise MusicaeError(f"'{codec.preset.name}' cannot be exported: its streams do not start from zeros")
    found: dict[str, Any] = {
        "format": FORMAT,
        "musicae": version("musicae"),
        "preset": codec.preset.name,
        "description": codec.preset.description,
        "bits": bits,
        "adapter": _section(full.sections.get("adapter")),
        "likelihood": _section(full.sections.get("likelihood")) or {"name": spec.likelihood},
        "model": {"name": full.sections["model"]["name"]},
        "prior": _section(full.sections.get("prior")),
        "window": {
            "channels": spec.channels,
            "shape": list(spec.shape),
            "likelihood": spec.likelihood,
            "groups": [
                {"name": one.name, "channels": one.channels, "likelihood": one.likelihood} for one in spec.groups
            ],
        },
        "latent_size": model.latent_size,
        "condition": _condition(codec),
        "sample_rate": adapter.sample_rate,
        "steps_per_second": adapter.steps_per_second,
        "multiple": model.multiple,
        "graphs": {graph.name: _graph(graph) for graph in graphs},
    }
    if model.streams:
        found["stream"] = {"block_size": model.multiple, "delay": model.delay}
    if model.stepwise:
        found["steps"] = _steps(codec)
    if codec.prior is not None:
        found["prior"] |= {"active_size": codec.prior.active_size, "takes_given": codec.prior.takes_given}
    return found


def _section(keys: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if keys is None else dict(keys)


def _condition(codec: Codec) -> dict[str, Any] | None:
    condition = codec.model.condition
    if condition is None:
        return None
    shape = list(condition.shape(codec.spec.shape[-1]))
    return {"shape": shape, "classes": condition.classes, "zeros_mean_none": condition.optional}


def _steps(codec: Codec) -> dict[str, int]:
    """Return into how many windows of how many steps a step-wise model divides what it writes."""
    import torch

    with torch.no_grad():
        cond = codec.model.condition
        given = None if cond is None else torch.zeros(1, *cond.shape(codec.spec.shape[-1]))
        shape = codec.model.features(torch.zeros(1, codec.model.latent_size), given).shape
    return {"windows": shape[1], "steps": shape[2], "features": shape[3]}


def _graph(graph: Graph) -> dict[str, Any]:
    """Return the file of a graph, and its inputs and outputs with their shapes; axes that may be of any size are named.

    A state is fed back: the output ``next_0`` of one call is the input ``state_0`` of the next. It begins as zeros.
    """
    inputs = [
        {
            "name": name,
            "shape": [graph.free[name].get(axis, size) for axis, size in enumerate(one.shape)],
            "type": _TYPES[str(one.dtype)],
        }
        for name, one in zip(graph.inputs, graph.example(1), strict=True)
    ]
    return {"file": f"{graph.name}.onnx", "inputs": inputs, "outputs": list(graph.outputs)}
