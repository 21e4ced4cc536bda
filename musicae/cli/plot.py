"""The command plot: pictures of codes, of reconstructions, of a training, and of the notes of a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicae.cli.shared.data import data_option, folders_of
from musicae.cli.shared.options import preset_argument
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import say, show_path
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    import torch

    from musicae.codec import Codec
    from musicae.core import Windows

__all__ = ["latent", "losses", "notes", "plot", "reconstruction"]

_NOT_LOSSES = ("step", "steps", "lr", "beta", "examples_per_second")

force_option = click.option("-f", "--force", is_flag=True, help="Overwrite what exists.")
seed_option = click.option("--seed", type=int, default=0, show_default=True, help="Other examples for another number.")


@click.group()
def plot() -> None:
    """Draw codes, reconstructions, a training, or the notes of a file."""


@plot.command()
@preset_argument
@data_option
@click.option(
    "-n", "count", type=click.IntRange(min=2), default=5000, show_default=True, help="How many codes to draw."
)
@seed_option
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="By default the current folder.")
@force_option
def latent(name: str, data: tuple[str, ...], count: int, seed: int, output: Path | None, force: bool) -> None:
    """Draw the codes of held-out data, coloured by class.

    PRESET is a name or a .safetensors file.

    PRESET-codes.png has a point for each code: the code itself if it has two numbers, else its two principal
    components. For two numbers PRESET-plane.png shows what the decoder makes of each place, in even steps of
    probability.
    """
    folders, out = folders_of(data), output or Path()
    import torch

    from musicae import codec as codecs
    from musicae import plots
    from musicae.ops.conditions import class_names
    from musicae.ops.inputs import crop_windows
    from musicae.ops.plane import has_plane, plane

    codec = codecs.load(name)
    if not codec.model.latent_size:
        raise MusicaeError(f"the preset '{codec.preset.name}' has no codes to draw; use one with an autoencoder")
    draws_plane = has_plane(codec)
    targets = [out / f"{codec.preset.name}-{what}.png" for what in ("codes", "plane")[: 1 + draws_plane]]
    with staged(targets, force) as places:
        windows = _held_out(codec, folders, count, seed)
        given = windows.batch(torch.arange(len(windows)))
        points, axes = _points(codec.encode(*crop_windows(codec, given, codec.conditions(windows), seed)).mean)
        names = class_names(codec) or windows.names if windows.labels is not None else []
        title = f"{codec.preset.name}: {len(windows)} held-out examples"
        plots.scatter(points, places[targets[0]], windows.labels, names, axes=axes, title=title)
        if draws_plane:
            tiles, at, under = plane(codec)
            title = f"{codec.preset.name}{under}: the plane of its code, decoded"
            plots.plane(tiles, at, places[targets[1]], title)
    for target in targets:
        show_path(target)


def _held_out(codec: Codec, folders: Mapping[str, Path], count: int, seed: int) -> Windows:
    """Return `count` windows at random of the preset's test split."""
    import torch

    from musicae import splits
    from musicae.tensors.random import generator

    windows = splits.load(codec.preset, codec.adapter, "test", folders)
    if not len(windows):
        raise MusicaeError("the test split is empty; give more data with --data")
    return windows.subset(torch.randperm(len(windows), generator=generator(seed, 31))[:count])


def _points(codes: torch.Tensor) -> tuple[torch.Tensor, tuple[str, str]]:
    """Return codes ``(N, D)`` as points ``(N, 2)``, and what their axes are: two numbers, or principal components."""
    import torch

    size = codes.shape[1]
    if size == 2:
        return codes, ("first number of the code", "second number of the code")
    if size == 1:
        return torch.cat([codes, torch.zeros_like(codes)], dim=1), ("the code", "")
    centred = codes - codes.mean(0)
    variance, directions = torch.linalg.eigh(centred.T @ centred)
    share = (variance.flip(0)[:2] / variance.sum().clamp_min(1e-12)).tolist()
    axes = [f"principal component {i} of {size} ({part:.0%} of the variance)" for i, part in enumerate(share, start=1)]
    return centred @ directions.flip(1)[:, :2], (axes[0], axes[1])


@plot.command()
@preset_argument
@data_option
@click.option(
    "-n", "count", type=click.IntRange(min=1, max=40), default=10, show_default=True, help="How many examples to draw."
)
@seed_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="By default PRESET-reconstruction.png."
)
@force_option
def reconstruction(name: str, data: tuple[str, ...], count: int, seed: int, output: Path | None, force: bool) -> None:
    """Draw held-out pictures, what the preset makes of them, and the error.

    PRESET is a name or a .safetensors file. What the network is given is drawn too where the preset restores; the
    PSNR over all of them goes to stderr.
    """
    folders = folders_of(data)
    import torch

    from musicae import codec as codecs
    from musicae import plots
    from musicae.ops.inputs import crop_windows
    from musicae.tensors.metrics import psnr
    from musicae.tensors.random import generator

    codec = codecs.load(name)
    if len(codec.spec.shape) != 2:
        raise MusicaeError(f"'{codec.preset.name}' makes no pictures; musicae reconstruct --png draws what it makes")
    target = output or Path(f"{codec.preset.name}-reconstruction.png")
    with staged([target], force) as places:
        windows = _held_out(codec, folders, count, seed)
        given = windows.batch(torch.arange(len(windows)))
        clean, cond = crop_windows(codec, given, codec.conditions(windows), seed)
        lines = {"input": clean}
        if corruption := codec.corruption():
            lines["given"] = corruption(clean, generator(seed, 41))
        restored = codec.restore(lines.get("given", clean), cond).clamp(0, 1)
        lines |= {"output": restored, "error": (restored - clean).abs()}
        plots.rows(lines, places[target])
    # A picture that comes back without any error counts as 100 dB.
    say(f"PSNR {psnr(clean, restored).clamp_max(100).mean().item():.2f} dB")
    show_path(target)


@plot.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--bars", metavar="A-B", help="The bars to draw, such as 5-8 or 3, counted from 1; by default all.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="By default FILE, as .png.")
@force_option
def notes(file: Path, bars: str | None, output: Path | None, force: bool) -> None:
    """Draw a file of notes as a band reads it: melody, harmony, bass and drums, one above the other.

    FILE is a MIDI or ABC file; no trained preset is needed. Parts that do not play are left out.
    """
    from musicae import plots, registry
    from musicae.core import Adapter

    target = output or file.parent / f"{file.stem}.png"
    with staged([target], force) as places:
        adapter: Adapter = registry.build("adapters", "band")
        sample = adapter.read(file, bars=bars)
        plots.lanes([adapter.rolls(sample)], places[target], [file.name])
    show_path(target)


@plot.command()
@click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="By default DIR/losses.png.")
@force_option
def losses(run: Path, output: Path | None, force: bool) -> None:
    """Draw the curves of a training, from the folder that it was written to."""
    from musicae import plots

    curves = _curves(run / "metrics.jsonl")
    target = output or run / "losses.png"
    with staged([target], force) as places:
        plots.losses(curves, places[target], run.resolve().name)
    show_path(target)


def _curves(path: Path) -> dict[str, list[tuple[float, float]]]:
    """Read ``metrics.jsonl``: name -> points ``(step, value)``."""
    try:
        lines: list[dict[str, Any]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        curves: dict[str, list[tuple[float, float]]] = {}
        for values in lines:
            for name, value in values.items():
                if name not in _NOT_LOSSES:
                    curves.setdefault(name, []).append((float(values["step"]), float(value)))
    except OSError:
        raise MusicaeError(f"there is no {path}; name the folder of a training (musicae train -o DIR)") from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise MusicaeError(f"{path} is not the log of a training, or it is damaged; name the folder of one") from None
    if not curves:
        raise MusicaeError(f"{path} has no losses yet; train for longer")
    return curves
