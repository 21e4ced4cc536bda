"""The verbs as functions: interpolate, reconstruct, sample, vary (and in `musicae.codes` encode, decode).

They work on any adapter's tensors and print nothing: each choice they make is a line in `remarks`.
A `preset` is a name, a checkpoint's path, a `Codec`, or None for the one that fits the kind of file.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import codec as codecs
from . import latent, registry
from .codec import Codec
from .core import Sample
from .errors import MusicaeError

__all__ = [
    "Interpolation",
    "Reconstruction",
    "check_inputs",
    "check_number",
    "check_temperature",
    "codec_for",
    "differences",
    "interpolate",
    "preset_for",
    "read",
    "read_all",
    "reconstruct",
    "sample",
    "vary",
    "walk",
]

MOST = 1000
_DOUBT = 0.35  # What a stop costs where the decoder doubts its output, a nat a place; see `latent.even_stops`.
_AT_ONCE = 2048  # Windows decoded together: bounds the memory of a walk between long inputs.
_KNOTS = 9  # Places at which a long path through the prior's noise is followed to the codes.

Report = Callable[[int, int], None]
"""Told how many windows are done, of how many."""


@dataclass
class Interpolation:
    """What lies between the inputs: `parts`, one for each step (row by row for a grid).

    `codes` ``(inputs, N, D)`` are those of the inputs' windows, after the shorter was aligned;
    `distances` tell how far each part is from the first (see `differences`), 0 to 1 for values
    that are one-hot or binary; `notices` say what was done to inputs that do not fit together,
    `remarks` each choice in reading them.
    """

    codec: Codec
    parts: list[Sample]
    codes: Tensor
    distances: list[float]
    notices: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def joined(self) -> Sample:
        """Return all parts, one after another, as one sample."""
        return self.codec.adapter.concat(self.parts)


@dataclass
class Reconstruction:
    """An input after encoding and decoding; `accuracy` is the share of its places that came back the same."""

    codec: Codec
    sample: Sample
    accuracy: float
    remarks: list[str] = field(default_factory=list)


# --- tensors -------------------------------------------------------------------------------------------------------


def differences(x: Tensor, y: Tensor, likelihood: str = "categorical") -> Tensor:
    """Return how far windows or files ``(N, C, *S)`` lie apart, ``(N,)``; an axis of 1 is repeated.

    For one-hot and binary values (`likelihood` of the `Spec`) it is the share of the places along ``*S``
    at which any channel differs; for real ones the root of the mean square of the difference.
    """
    if likelihood == "gaussian":
        return (x - y).square().flatten(1).mean(1).sqrt()
    return (x != y).any(dim=1).float().flatten(1).mean(1)


def walk(
    codec: Codec, za: Tensor, zb: Tensor, steps: int, *,
    spherical: bool = True, even: bool = True, temperature: float = 0.0, seed: int = 0, report: Report | None = None,
) -> Tensor:  # fmt: skip
    """Decode `steps` points between codes `za` and `zb` ``(N, D)``: values ``(steps, N, C, *S)``.

    With `even` the moments are chosen for each pair so that the output changes by about as much at
    each step, and the decoder is sure of what it writes there (`latent.even_stops`), else they are
    equally far apart. Pairs are decoded in chunks; `report` gets the pairs done and their number.
    Raise MusicaeError for fewer than 2 steps or more than 1000.
    """
    check_number("steps", steps, least=2)
    fine, places = max(32, 4 * (steps - 1)) + 1, math.prod(codec.spec.shape)
    chunk = max(1, _AT_ONCE // fine)
    out = torch.empty(steps, len(za), *codec.spec.full_shape)
    for i in range(0, len(za), chunk):
        if report:
            report(i, len(za))
        a, b = za[i : i + chunk], zb[i : i + chunk]
        times = torch.linspace(0, 1, steps)
        if even:
            moments = torch.linspace(0, 1, fine)
            codes = _between(codec, a, b, moments, spherical)
            decoded, nll = codec.decode_and_doubt(codes.flatten(0, 1))
            path, doubt = decoded.view(*codes.shape[:2], *codec.spec.full_shape), nll.view(codes.shape[:2]) / places
            more = (doubt - torch.maximum(doubt[0], doubt[-1])).clamp_min(0)  # Than at the ends, which are as they are.
            stops = latent.even_stops(_apart_along(path, codec.spec.likelihood), steps, _DOUBT * more.T)
            if temperature <= 0:
                out[:, i : i + chunk] = path[stops, torch.arange(len(a))]
                continue
            times = moments[stops]
        out[:, i : i + chunk] = _decode_path(codec, _between(codec, a, b, times, spherical), temperature, seed + i)
    if report:
        report(len(za), len(za))
    return out


def _between(codec: Codec, a: Tensor, b: Tensor, times: Tensor, spherical: bool) -> Tensor:
    """Return codes ``(S, N, D)`` at `times` between `a` and `b`, by way of the noise that the prior draws from.

    A great circle there keeps to codes that the prior knows, where a line between the codes themselves
    leaves them. Following the flow there and back is not quite exact; what it adds at the two ends
    (the first and last of `times`) is taken off, in proportion along the way.
    """
    if codec.prior is not None and times.ndim == 1 and len(times) > _KNOTS:
        # The flow is smooth and dear: straight pieces between few places give (nearly) the same music.
        codes = _between(codec, a, b, torch.linspace(0, 1, _KNOTS), spherical)
        place = times * (_KNOTS - 1)
        before = place.long().clamp(max=_KNOTS - 2)
        return torch.lerp(codes[before], codes[before + 1], (place - before).view(-1, 1, 1))
    start, end = codec.to_noise(torch.cat([a, b])).chunk(2)
    noise = latent.path(start, end, times, spherical)
    codes = codec.from_noise(noise.flatten(0, 1)).view(noise.shape)
    return codes + latent.path(a - codes[0], b - codes[-1], times)


def _apart_along(path: Tensor, likelihood: str) -> Tensor:
    """Return how far all moments of each path lie apart: ``(F, N, C, *S)`` -> ``(N, F, F)``."""
    if likelihood == "categorical":
        path = path.argmax(2, keepdim=True)  # The same answer, from a fraction of the numbers.
    flat, shape = path.flatten(0, 1), path.shape[:2]
    return torch.stack(
        [differences(flat, one.expand_as(path).flatten(0, 1), likelihood).view(shape).T for one in path], dim=-1
    )


def _decode_path(codec: Codec, codes: Tensor, temperature: float = 0.0, seed: int = 0) -> Tensor:
    """Decode ``(S, N, D)`` to ``(S, N, C, *S)``."""
    decoded = codec.decode(codes.flatten(0, 1), temperature, seed)
    return decoded.view(*codes.shape[:2], *decoded.shape[1:])


# --- files ---------------------------------------------------------------------------------------------------------


def preset_for(path: Path) -> str:
    """Return the name of the preset that fits a file: by its suffix, then by what is in it.

    An adapter that can be chosen so has a `default_preset`, and `accepts` where its suffix does not say enough.
    Raise MusicaeError where no adapter takes the file.
    """
    if path.is_dir():
        raise MusicaeError(f"{path} is a folder; name a file in it")
    if not path.is_file():
        raise MusicaeError(f"there is no file {path}; check the name")
    readable: set[str] = set()
    fitting = []
    for name in registry.names("adapters"):
        try:
            adapter: Any = registry.lookup("adapters", name)
        except MusicaeError:  # A broken adapter of another package must not keep ours from a file.
            continue
        suffixes, default = getattr(adapter, "suffixes", ()), getattr(adapter, "default_preset", None)
        readable.update(suffixes)
        if default and path.suffix.lower() in suffixes:
            fitting.append((adapter, str(default)))
    for adapter, default in fitting:
        if len(fitting) == 1 or not hasattr(adapter, "accepts") or adapter.accepts(path):
            return default
    if fitting:
        raise MusicaeError(f"no preset suits what is in {path}; choose one with --preset")
    raise MusicaeError(f"{path} is of no kind that is read here ({', '.join(sorted(readable))}); convert it first")


def codec_for(preset: Codec | str | None, *paths: Path) -> Codec:
    """Return `preset` as a codec: loaded by its name, or the one that fits the first of `paths`."""
    if isinstance(preset, Codec):
        return preset
    if preset is None and not paths:
        raise MusicaeError("there is no file to choose a preset by; name one")
    return codecs.load(preset_for(paths[0]) if preset is None else preset)


def read(codec: Codec, path: Path, **options: Any) -> Sample:
    """Read a file by the codec's adapter. Options that are None are left out.

    Raise MusicaeError for a file that cannot be read, or an option that the adapter does not take.
    """
    options = {name: value for name, value in options.items() if value is not None}
    takes = [name for name in inspect.signature(codec.adapter.read).parameters if name != "path"]
    for name in options:
        if name not in takes and "options" not in takes:
            known = f"it takes {', '.join(takes)}" if takes else "it takes none"
            raise MusicaeError(f"the adapter of '{codec.preset.name}' has no option '{name}'; {known}")
    return codec.adapter.read(path, **options)


def read_all(codec: Codec, paths: Sequence[Path], options: dict[str, Any]) -> tuple[list[Sample], list[str]]:
    """Read files as `read` does; return them and all their remarks, each with its file's name."""
    samples = [read(codec, path, **options) for path in paths]
    said = [(path, remark) for path, one in zip(paths, samples, strict=True) for remark in one.remarks]
    return samples, [f"{path.name}: {remark}" for path, remark in said]


# --- verbs ---------------------------------------------------------------------------------------------------------


def interpolate(
    a: Path | str, b: Path | str, *more: Path | str, preset: Codec | str | None = None, steps: int = 9, seed: int = 0,
    temperature: float = 0.0, spherical: bool = True, exact_endpoints: bool = False, even: bool = True,
    align: str = "loop", grid: bool = False, report: Report | None = None, **read_options: Any,
) -> Interpolation:  # fmt: skip
    """Turn one file into another in `steps` steps, or four into a grid of ``steps x steps``.

    Parameters
    ----------
    a, b, more : the files; 4 of them for a grid: top left, top right, bottom left, bottom right.
    preset : a name, a checkpoint's path, a `Codec`, or None for what fits `a`.
    steps : the inputs' reconstructions are the first and the last.
    seed, temperature : temperature 0 takes the likeliest values, 1 draws them.
    spherical : along great circles of the prior's noise (of the codes, without a prior), not straight lines.
    exact_endpoints : put the inputs themselves in the place of their reconstructions.
    even : choose the moments by how far the output has come, window by window (not for a grid).
    align : what to do with inputs of different lengths: ``"loop"`` the shorter, ``"pad"`` it with
        nothing, or ``"trim"`` the longer.
    report : told now and then how many windows are done (not for a grid).
    read_options : the adapter's, for all inputs (``bars="5-8"``, ``track=2``).

    Raises
    ------
    MusicaeError : a file that cannot be read, a wrong number of files or steps, a preset that does not exist.
    """
    paths = [Path(path) for path in (a, b, *more)]
    check_inputs(len(paths), grid)
    check_number("steps", steps, least=2)
    check_temperature(temperature)
    codec = codec_for(preset, *paths)
    samples, remarks = read_all(codec, paths, read_options)
    notices: list[str] = []
    samples = _align(codec, samples, [path.name for path in paths], align, notices)
    hop, length = samples[0].hop, samples[0].tensor.shape[-1]
    codes = torch.stack([codec.encode(codec.split(one)).mean for one in samples])
    metas = [one.meta for one in samples]
    if grid:
        corner_noise = torch.stack([codec.to_noise(code) for code in codes])
        noise = latent.grid(corner_noise, steps, steps, spherical).flatten(0, 1)
        rows = codec.from_noise(noise.flatten(0, 1)).view(noise.shape)
        outputs = torch.stack([codec.decode(row, temperature, seed + i) for i, row in enumerate(rows)])
        corners, weights = [0, steps - 1, steps * (steps - 1), steps**2 - 1], _bilinear(steps)
    else:
        outputs = walk(
            codec, codes[0], codes[1], steps,
            spherical=spherical, even=even, temperature=temperature, seed=seed, report=report,
        )  # fmt: skip
        corners, weights = [0, steps - 1], [[1 - t, t] for t in torch.linspace(0, 1, steps).tolist()]
    parts = [
        Sample(codec.join(output, hop, length), codec.adapter.mix(metas, weight), hop)
        for output, weight in zip(outputs, weights, strict=True)
    ]
    if exact_endpoints:
        for corner, one in zip(corners, samples, strict=True):
            parts[corner] = replace(one, remarks=[])
    return Interpolation(codec, parts, codes, [_apart(codec, part, parts[0]) for part in parts], notices, remarks)


def _bilinear(steps: int) -> list[list[float]]:
    moments = torch.linspace(0, 1, steps).tolist()
    return [[(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x] for y in moments for x in moments]


def _apart(codec: Codec, one: Sample, other: Sample) -> float:
    return differences(one.tensor[None], other.tensor[None], codec.spec.likelihood).item()


def check_inputs(count: int, grid: bool) -> None:
    """Raise MusicaeError for a number of files that cannot be interpolated."""
    if count != (4 if grid else 2):
        raise MusicaeError(f"interpolate takes 2 files, or 4 for a grid, not {count}{' for a grid' * grid}")


def check_number(what: str, number: int, least: int) -> None:
    """Raise MusicaeError for a `number` of `what` out of `least`..1000."""
    if not least <= number <= MOST:
        raise MusicaeError(f"{what} must be between {least} and {MOST}, not {number}")


def check_temperature(temperature: float) -> None:
    """Raise MusicaeError for a temperature below 0, or that is no number."""
    if not 0 <= temperature < math.inf:
        raise MusicaeError(f"temperature must be 0 or more, not {temperature}")


def _align(codec: Codec, samples: Sequence[Sample], names: Sequence[str], how: str, notices: list[str]) -> list[Sample]:
    """Give all samples one length and one hop, and say how."""
    if how not in ("loop", "trim", "pad"):
        raise MusicaeError(f"align must be 'loop', 'trim' or 'pad', not '{how}'")
    size = codec.spec.shape[-1]
    hops = {one.hop or size for one in samples}
    hop = hops.pop() if len(hops) == 1 else size
    if hops:
        notices.append(f"the inputs have different bars; all are cut into windows of {size} steps")
    lengths = [one.tensor.shape[-1] for one in samples]
    length = min(lengths) if how == "trim" else max(lengths)
    aligned = []
    for one, name, own in zip(samples, names, lengths, strict=True):
        if own != length:
            done = {"loop": "it was looped", "trim": "it was cut", "pad": "silence was added"}[how]
            notices.append(f"{name} has {own} steps, not {length}; {done}")
        aligned.append(replace(_fit(codec, one, length, how), hop=hop))
    return aligned


def _fit(codec: Codec, one: Sample, length: int, how: str) -> Sample:
    own = one.tensor.shape[-1]
    if own < length and how == "loop":
        one = codec.adapter.concat([one] * math.ceil(length / own))
    elif own < length:
        rest = codec.blank_step().to(one.tensor).expand(*one.tensor.shape[:-1], length - own)
        one = replace(one, tensor=torch.cat([one.tensor, rest], dim=-1))
    return replace(one, tensor=one.tensor[..., :length])


def reconstruct(path: Path | str, *, preset: Codec | str | None = None, **read_options: Any) -> Reconstruction:
    """Encode a file and decode it again, to see what a preset keeps of it.

    `accuracy` is the share of the places along ``*S`` with all their channels right, over the file
    without its padding; for real values it is the share of the variance.
    Raise MusicaeError as `interpolate` does.
    """
    codec = codec_for(preset, Path(path))
    (one,), remarks = read_all(codec, [Path(path)], read_options)
    decoded = codec.decode(codec.encode(codec.split(one)).mean)
    tensor = codec.join(decoded, one.hop, one.tensor.shape[-1])
    if codec.spec.likelihood == "gaussian":
        error = (tensor - one.tensor).square().mean() / one.tensor.var(correction=0).clamp_min(1e-12)
        accuracy = 1.0 - error.item()
    else:
        accuracy = 1.0 - differences(tensor[None], one.tensor[None]).item()
    return Reconstruction(codec, replace(one, tensor=tensor, remarks=[]), accuracy, remarks)


def sample(preset: Codec | str, n: int = 1, *, seed: int = 0, temperature: float = 1.0) -> list[Sample]:
    """Draw `n` windows that no file gave from the preset's prior; `temperature` scales its noise.

    Raise MusicaeError for a preset that does not exist or has no codes.
    """
    check_number("the number of results", n, least=1)
    check_temperature(temperature)
    codec = codec_for(preset)
    if not codec.model.latent_size:
        raise MusicaeError(f"the preset '{codec.preset.name}' has no codes to draw; use one with an autoencoder")
    decoded = codec.decode(codec.draw(n, seed, temperature))
    return [Sample(window, codec.adapter.blank()) for window in decoded]


def vary(
    path: Path | str, similarity: float = 0.7, n: int = 1, *,
    preset: Codec | str | None = None, seed: int = 0, **read_options: Any,
) -> list[Sample]:  # fmt: skip
    """Return `n` variations of a file: between its own place in the prior's noise (similarity 1) and a draw (0).

    All windows of one variation move towards the same draw, so that they go on fitting together.
    The first variation's `remarks` say each choice. Raise MusicaeError as `interpolate` does.
    """
    check_number("the number of results", n, least=1)
    codec = codec_for(preset, Path(path))
    (one,), remarks = read_all(codec, [Path(path)], read_options)
    place = codec.to_noise(codec.encode(codec.split(one)).mean)
    variations = []
    for i, draw in enumerate(codec.noise(n, seed)):
        decoded = codec.decode(codec.from_noise(latent.near(place, similarity, draw.expand_as(place))))
        tensor = codec.join(decoded, one.hop, one.tensor.shape[-1])
        variations.append(replace(one, tensor=tensor, remarks=remarks if i == 0 else []))
    return variations
