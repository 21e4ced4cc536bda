"""One graph as an ONNX file."""

from __future__ import annotations

from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from musicae.errors import MusicaeError
from musicae.exports import onnx_file
from musicae.exports.graphs import Function, Graph


def linear(exact: bool = False, unrolled: bool = False) -> Graph:
    """Return a graph with a large and a small matrix; `exact` ones lose nothing in 8 bits."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(200, 150), nn.Tanh(), nn.Linear(150, 3)).requires_grad_(False)
    if exact:
        integers = torch.randint(-127, 128, (150, 200))
        integers[:, 0] = 127  # As in a checkpoint: the largest of each row.
        network[0].weight.copy_(integers * torch.rand(150, 1) * 0.01)
    function = Function(network, lambda x: [network(x)])
    return Graph("line", function, ("x",), ("y",), lambda n: (torch.randn(n, 200),), {"x": {0: "batch"}}, unrolled)


@pytest.mark.parametrize("unrolled", [False, True])
def test_a_file_gives_what_its_graph_gives_for_any_batch(tmp_path: Path, unrolled: bool) -> None:
    graph = linear(unrolled=unrolled)
    onnx_file.write(graph, tmp_path / "a.onnx")
    for batch in (1, 2, 7):
        (x,) = graph.example(batch)
        (made,) = onnx_file.run(tmp_path / "a.onnx", {"x": x.numpy()})
        np.testing.assert_allclose(made, graph.function(x)[0].numpy(), atol=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]
    stored = onnx.load(tmp_path / "a.onnx")
    assert stored.opset_import[0].version >= 18
    shapes = [[dim.dim_param or dim.dim_value for dim in one.type.tensor_type.shape.dim]
              for one in (*stored.graph.input, *stored.graph.output)]  # fmt: skip
    assert shapes == [["batch", 200], ["batch", 3]]


@pytest.mark.parametrize(("exact", "most"), [(True, 1e-5), (False, 2e-2)])
def test_in_8_bits_a_file_is_small_and_loses_little_or_nothing(tmp_path: Path, exact: bool, most: float) -> None:
    graph = linear(exact)
    for bits in (32, 8):
        onnx_file.write(graph, tmp_path / f"{bits}.onnx", bits)
    small, large = ((tmp_path / f"{bits}.onnx").stat().st_size for bits in (8, 32))
    assert small < 0.35 * large
    (x,) = graph.example(5)
    error = np.abs(onnx_file.run(tmp_path / "8.onnx", {"x": x.numpy()})[0] - graph.function(x)[0].numpy()).max()
    assert error < most
    assert exact or error > 1e-5


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    onnx_file.check_installed()
    found = util.find_spec

    def without(name: str, *args: Any) -> Any:
        return None if name == "onnxscript" else found(name, *args)

    monkeypatch.setattr(onnx_file, "find_spec", without)
    with pytest.raises(MusicaeError, match=r"onnxscript; run: pip install 'musicae\[onnx\]'"):
        onnx_file.check_installed()
