"""Exports a trained codec as a folder of ONNX files and a description, each checked against PyTorch."""

from __future__ import annotations

import json
import os.path
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from musicae import codec as codecs
from musicae import threads
from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.exports import onnx_file
from musicae.exports.description import describe
from musicae.exports.graphs import Graph, graphs
from musicae.formats.atomic import atomic_folder

__all__ = ["DESCRIPTION", "Export", "export"]

DESCRIPTION = "spec.json"
"""The file that describes the others."""

_BATCH = 3  # Of the check; not the one that the graphs were traced with.
_TOLERANCE = 1e-3  # Of the largest number of an output; an export in 32 bits must not differ by more.
_FEW = 0.01  # A share of discrete values that may differ, where two are equally probable but for rounding.

Report = Callable[[int, int], None]
"""Called with how many graphs are done, and how many there are."""


@dataclass
class Export:
    """What was written: the `folder`, its `description` (see `describe`), and by how much each output differs.

    `differences` is ``{graph: {output: difference}}``: the largest from PyTorch's; of discrete values the share that
    differ. `sizes` are those of the files in bytes.
    """

    folder: Path
    description: dict[str, Any]
    differences: dict[str, dict[str, float]]
    sizes: dict[str, int]


def export(
    preset: Codec | str, folder: Path | str, bits: int = 32, force: bool = False, report: Report | None = None
) -> Export:
    """Write a trained preset as ONNX files in a new `folder`, with weights of 32 or 8 bits, and ``spec.json``.

    Every graph is run by onnxruntime on drawn input and compared with PyTorch. The folder appears complete or not at
    all; with `force` the files of one that exists are overwritten.

    Raises
    ------
    MusicaeError : a preset that cannot be exported or does not agree, a folder that exists or cannot be written, a
        package that is missing.
    """
    folder = Path(folder)
    if bits not in (8, 32):
        raise MusicaeError(f"bits must be 32 or 8, not {bits}")
    if os.path.lexists(folder) and not (force and folder.is_dir()):
        hint = "-f overwrites its files, -o names another" if folder.is_dir() else "name a folder with -o"
        raise MusicaeError(f"{folder} exists already; {hint}")
    onnx_file.check_installed()
    codec = codecs.load(preset) if isinstance(preset, str) else preset
    parts = graphs(codec)
    description = describe(codec, parts, bits)
    with atomic_folder(folder) as place, threads.suited(0):
        differences = {}
        for i, graph in enumerate(parts):
            if report:
                report(i, len(parts))
            path = place / f"{graph.name}.onnx"
            onnx_file.write(graph, path, bits)
            differences[graph.name] = _differences(codec, graph, path, check=bits == 32)
        if report:
            report(len(parts), len(parts))
        description["differences"] = differences
        (place / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
        sizes = {path.name: path.stat().st_size for path in sorted(place.iterdir())}
    return Export(folder, description, differences, sizes)


@torch.no_grad()
def _differences(codec: Codec, graph: Graph, path: Path, check: bool) -> dict[str, float]:
    """Return by how much each output of a file differs from that of its graph in PyTorch, for a drawn batch.

    Raise MusicaeError, with `check`, for one that differs by more than rounding.
    """
    inputs = graph.example(_BATCH)
    wanted = graph.function(*inputs)
    made = onnx_file.run(path, {name: x.numpy() for name, x in zip(graph.inputs, inputs, strict=True)})
    found = {}
    for name, want, got in zip(graph.outputs, wanted, made, strict=True):
        want, got = want.double().numpy(), got.astype(np.float64)
        flipped, limit = 0.0, _TOLERANCE * max(1.0, float(np.abs(want).max(initial=0.0)))
        if name == "values":
            real = codec.likelihood.averaged(want.shape[1]).numpy()
            flipped = float((want != got)[:, ~real].mean()) if not real.all() else 0.0
            want, got = want[:, real], got[:, real]
        off = float(np.abs(want - got).max(initial=0.0))
        found[name] = max(off, flipped)
        if check and not (off <= limit and flipped <= _FEW):
            raise MusicaeError(
                f"{path.name} of '{codec.preset.name}' does not agree with PyTorch ('{name}' differs by "
                f"{found[name]:.2g}); please report it, with the versions of torch, onnxscript and onnxruntime"
            )
    return found
