"""Exports every shipped preset, and measures streams: how exact the ONNX files are, how large, and how fast.

    python tests/bench/exports.py [NAME ...] [--quick]

Each is compared with PyTorch on drawn input; it exits with 1 where one cannot be exported or does not agree. Sizes are
those of all files in MB, with weights of 32 and of 8 bits, and so are the largest differences of any output. Then each
model of streams takes turns with PyTorch over blocks of one hop: milliseconds of CPU on one thread, the best of several
turns, and how much faster than real time. `--quick` exports in 32 bits only, and measures nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import machine
import torch

import musicae
from musicae import preset
from musicae.errors import MusicaeError
from musicae.exports import onnx_file
from musicae.exports.graphs import graphs
from musicae.exports.run import Export, export

TURNS, BLOCKS = 7, 100


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def shipped() -> list[str]:
    """Return the names of the presets with weights beside them."""
    return [name for name in preset.listed() if preset.find(name).with_suffix(".safetensors").is_file()]


def worst(made: Export | None) -> str:
    """Return the largest difference of any output."""
    return f"{max(off for outputs in made.differences.values() for off in outputs.values()):.1g}" if made else ""


def size(made: Export | None) -> str:
    """Return the size of all files in MB."""
    return f"{sum(made.sizes.values()) / 1e6:.1f}" if made else ""


def best(turns: list[Callable[[], object]]) -> list[float]:
    """Return the CPU seconds that a call of each takes, taking turns: the best of `TURNS` times `BLOCKS` calls."""
    found = [float("inf")] * len(turns)
    for _ in range(TURNS):
        for i, call in enumerate(turns):
            started = time.process_time()
            for _ in range(BLOCKS):
                call()
            found[i] = min(found[i], (time.process_time() - started) / BLOCKS)
    return found


def stream_costs(name: str, folder: Path) -> str | None:
    """Return a row of the table of streams; None for a model that is none."""
    codec = musicae.load(name)
    model = codec.model
    if not model.streams:
        return None
    codec.networks().requires_grad_(False)
    torch.set_num_threads(1)
    (graph,) = (one for one in graphs(codec) if one.name == "stream")
    session, (x, *state) = onnx_file.session(folder / "stream.onnx"), graph.example(1)
    feed = {key: value.numpy() for key, value in zip(graph.inputs, (x, *state), strict=True)}
    model.initial_state()

    @torch.inference_mode()
    def in_torch() -> None:
        codec.likelihood.mode(model.stream(x, tuple(state))[0])

    onnx, plain = best([lambda: session.run(None, feed), in_torch])
    block = model.multiple / codec.adapter.sample_rate
    times = f"{1e3 * block:.1f} | {1e3 * plain:.2f} | {1e3 * onnx:.2f} | {plain / onnx:.2f}"
    return f"| {name} | {times} | {block / plain:.0f} | {block / onnx:.0f} |"


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="presets; all by default")
    parser.add_argument("--quick", action="store_true", help="export in 32 bits only")
    options = parser.parse_args()
    rows, failed = [], 0
    if not options.quick:
        say(f"{machine.describe()}\n")
    say("| preset | files | MB | MB, 8 bits | difference | difference, 8 bits |\n|---|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as place:
        for name in options.names or shipped():
            try:
                full = export(name, Path(place) / name)
                small = None if options.quick else export(name, Path(place) / f"{name}-8", bits=8)
            except MusicaeError as error:
                say(f"| {name} | {error} |")
                failed += 1
                continue
            sizes = " | ".join([size(full), size(small), worst(full), worst(small)])
            say(f"| {name} | {', '.join(full.differences)} | {sizes} |")
            row = None if options.quick else stream_costs(name, full.folder)
            rows += [row] if row else []
    if rows:
        say("\n| stream | block, ms | torch, ms | onnxruntime, ms | ratio | torch, times real time | onnxruntime |")
        say("|---|---:|---:|---:|---:|---:|---:|\n" + "\n".join(rows))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
