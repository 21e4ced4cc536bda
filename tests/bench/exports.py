"""Exports every shipped preset, and measures streams: how exact the ONNX files are, how large, and how fast.

    python tests/bench/exports.py [NAME ...] [--quick] [-j 2]

Each is compared with PyTorch on drawn input; it exits with 1 where one fails or does not agree. A preset that has
nothing to export must say so in one line. Sizes are those of all files in MB, with weights of 32 and of 8 bits, and so
are the largest differences of any output. Then each model of streams takes turns with PyTorch over blocks of one hop:
milliseconds of CPU on one thread, the best of several turns, and how much faster than real time. `--quick` exports in
32 bits only, and measures nothing; `-j` says in how many processes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
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


@dataclass
class Row:
    """What there is to print of a preset, and whether it `failed`."""

    text: str
    failed: bool = False
    stream: str | None = None


def row(name: str, quick: bool) -> Row:
    """Export a preset and return its row of the first table, and of the second where it has one."""
    try:
        codec = musicae.load(name)
        try:
            graphs(codec)
        except MusicaeError as error:
            return Row(f"| {name} | {error} |", failed="\n" in str(error))
        with tempfile.TemporaryDirectory() as place:
            full = export(codec, Path(place) / "32")
            small = None if quick else export(codec, Path(place) / "8", bits=8)
            sizes = " | ".join([size(full), size(small), worst(full), worst(small)])
            stream = None if quick else stream_costs(name, full.folder)
        return Row(f"| {name} | {', '.join(full.differences)} | {sizes} |", stream=stream)
    except Exception as error:  # Of whatever kind: the others are still to be tried.
        return Row(f"| {name} | FAILED: {type(error).__name__}: {error} |", failed=True)


def weight(name: str) -> int:
    """Return the size of a preset's weights in bytes; those that take longest to export are among the largest."""
    return preset.find(name).with_suffix(".safetensors").stat().st_size


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="presets; all by default")
    parser.add_argument("--quick", action="store_true", help="export in 32 bits only")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="processes, with --quick")
    options = parser.parse_args()
    if not options.quick:
        say(f"{machine.describe()}\n")
    say("| preset | files | MB | MB, 8 bits | difference | difference, 8 bits |\n|---|---|---:|---:|---:|---:|")
    rows, names = [], options.names or sorted(shipped(), key=weight, reverse=True)
    with ProcessPoolExecutor(options.jobs if options.quick else 1, multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(row, name, options.quick) for name in names]):
            rows.append(done.result())
            say(rows[-1].text)
    if streams := [one.stream for one in rows if one.stream]:
        say("\n| stream | block, ms | torch, ms | onnxruntime, ms | ratio | torch, times real time | onnxruntime |")
        say("|---|---:|---:|---:|---:|---:|---:|\n" + "\n".join(streams))
    return 1 if any(one.failed for one in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
