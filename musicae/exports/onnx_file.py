"""Writes one graph as an ONNX file, with weights of 32 or 8 bits, and runs it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from musicae.errors import MusicaeError
from musicae.exports.graphs import Graph
from musicae.tensors.quantize import dequantize, quantizable, quantize

__all__ = ["OPSET", "check_installed", "run", "session", "write"]

OPSET = 18
"""Of the operators that are used."""

_ROUNDING = 1e-10  # Share of the squares of a weight that counts as nothing.
_EXAMPLES = 2  # In the batch that a graph is traced with.


def check_installed() -> None:
    """Raise MusicaeError where a package is missing that exporting needs."""
    for name in ("onnx", "onnxruntime", "onnxscript"):
        if find_spec(name) is None:
            raise MusicaeError(f"export needs the package {name}; run: pip install 'musicae[onnx]'")


def write(graph: Graph, path: Path, bits: int = 32) -> None:
    """Write a graph as an ONNX file that is complete in itself; with `bits` 8 its large weights are stored in those."""
    import onnx

    with _quiet(), torch.no_grad():
        if graph.unrolled:
            _trace(graph, path)
        else:
            _export(graph, path)
    made = onnx.load(path)
    _name_axes(made, graph)
    if bits == 8:
        _shrink(made)
    onnx.checker.check_model(made)
    onnx.save(made, path)


def session(path: Path) -> Any:
    """Return an onnxruntime session of a file, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(path: Path, inputs: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Return what the graph in a file makes of its inputs."""
    made: list[NDArray[Any]] = session(path).run(None, inputs)
    return made


def _export(graph: Graph, path: Path) -> None:
    """Write a graph by `torch.export`."""
    inputs = tuple(one.clone() for one in graph.example(_EXAMPLES))  # A view's strides would count as given.
    axes = tuple({axis: torch.export.Dim.DYNAMIC for axis in graph.free[name]} for name in graph.inputs)
    program = torch.export.export(graph.function, inputs, dynamic_shapes=(axes,), strict=False)
    torch.onnx.export(
        program, (), path, input_names=list(graph.inputs), output_names=list(graph.outputs),
        opset_version=OPSET, dynamo=True, external_data=False, verbose=False,
    )  # fmt: skip


def _trace(graph: Graph, path: Path) -> None:
    """Write a graph by tracing: `torch.export` takes half a minute over a loop of hundreds of layers, this a second."""
    torch.onnx.export(
        graph.function, graph.example(_EXAMPLES), path, input_names=list(graph.inputs),
        output_names=list(graph.outputs), opset_version=OPSET, dynamo=False,
        dynamic_axes={name: dict(axes) for name, axes in graph.free.items()},
    )  # fmt: skip


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what the exporters say of their own parts, such as which packages they do without."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _name_axes(made: Any, graph: Graph) -> None:
    """Give the free axes of a model's inputs and outputs the names that the graph has for them."""
    names = {}
    for value in made.graph.input:
        for axis, name in graph.free[value.name].items():
            names[value.type.tensor_type.shape.dim[axis].dim_param] = name
    for value in (*made.graph.input, *made.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = names.get(dim.dim_param, dim.dim_param)
    del made.graph.value_info[:]  # Shapes inside, under the old names.


def _shrink(made: Any) -> None:
    """Store large weights in 8 bits, with a scale for each row or column, whichever is more exact.

    Weights that come from a checkpoint in 8 bits lose nothing by it. Where there are such, those that it has in 16 bits
    stay in 16: there 8 would cost too much.
    """
    from onnx import TensorProto, helper, numpy_helper

    tensors = {one.name: torch.from_numpy(np.array(numpy_helper.to_array(one))) for one in made.graph.initializer}
    small = {name: _best(tensor) for name, tensor in tensors.items() if quantizable(tensor)}
    exact = {name: one for name, one in small.items() if one[0] <= _ROUNDING * tensors[name].square().sum().item()}
    small = exact or small
    kept, nodes = [], []
    for weight in made.graph.initializer:
        name, tensor = weight.name, tensors[weight.name]
        if name in small:
            _, axis, integers, scales = small[name]
            stored = {f"{name}.int8": integers, f"{name}.scale": scales}
            nodes.append(helper.make_node("DequantizeLinear", list(stored), [name], f"{name}.wide", axis=axis))
        elif quantizable(tensor) and torch.equal(tensor.half().float(), tensor):
            stored = {f"{name}.half": tensor.half()}
            nodes.append(helper.make_node("Cast", list(stored), [name], f"{name}.wide", to=TensorProto.FLOAT))
        else:
            kept.append(weight)
            continue
        kept += [numpy_helper.from_array(one.numpy(), name) for name, one in stored.items()]
    del made.graph.initializer[:]
    made.graph.initializer.extend(kept)
    rest = list(made.graph.node)
    del made.graph.node[:]
    made.graph.node.extend([*nodes, *rest])


def _best(tensor: torch.Tensor) -> tuple[float, int, torch.Tensor, torch.Tensor]:
    """Return the squared error of a weight in 8 bits, the axis it is best scaled along, its integers and its scales."""
    found = []
    for axis in (0, 1):
        integers, scales = quantize(tensor.movedim(axis, 0))
        error = (dequantize(integers, scales).movedim(0, axis) - tensor).square().sum().item()
        found.append((error, axis, integers.movedim(0, axis).contiguous(), scales))
    return min(found, key=lambda one: one[0])
