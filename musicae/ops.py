"""The verbs as functions: interpolate, reconstruct, sample, vary, denoise, upscale.

Beside them are `encode` and `decode` in `musicae.codes` and `score` in `musicae.scoring`.
They work on any adapter's tensors and print nothing: each choice they make is a line in `remarks`.
A `preset` is a name, a checkpoint's path, a `Codec`, or None for the one that fits the kind of file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import latent
from .codec import Codec
from .core import Restorer, Sample, Streamer
from .errors import MusicaeError
from .inputs import (
    check_inputs,
    check_number,
    check_temperature,
    class_names,
    codec_for,
    condition,
    preset_for,
    read,
    read_all,
    unconditional,
    upscaling_preset,
)
from .walks import Report, differences, measure, walk

__all__ = [
    "Interpolation",
    "Reconstruction",
    "Report",
    "Restored",
    "check_inputs",
    "check_number",
    "check_temperature",
    "codec_for",
    "denoise",
    "differences",
    "interpolate",
    "preset_for",
    "read",
    "read_all",
    "reconstruct",
    "sample",
    "upscale",
    "vary",
    "walk",
]

_LARGEST = 500_000_000  # Values of a result: some gigabytes, as much as a usual machine holds.


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
    """An input after encoding and decoding; `accuracy` is the share of its places that came back the same.

    `psnr` is in decibels over a range of 0 to 1, for pictures only.
    """

    codec: Codec
    sample: Sample
    accuracy: float
    remarks: list[str] = field(default_factory=list)
    psnr: float | None = None


@dataclass
class Restored:
    """An input with its corruption taken off: `sample`, and `given`, what the network was shown."""

    codec: Codec
    sample: Sample
    given: Sample
    remarks: list[str] = field(default_factory=list)


def interpolate(
    a: Path | str, b: Path | str, *more: Path | str, preset: Codec | str | None = None, steps: int = 9, seed: int = 0,
    temperature: float = 0.0, spherical: bool = True, exact_endpoints: bool = False, even: bool = True,
    align: str | None = None, grid: bool = False, report: Report | None = None, **read_options: Any,
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
        nothing, or ``"trim"`` the longer; None for what suits: single sounds are padded, others looped.
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
    codec = unconditional(codec_for(preset, *paths))
    samples, remarks = read_all(codec, paths, read_options)
    notices: list[str] = []
    how: str = getattr(codec.adapter, "default_align", "loop") if align is None else align
    samples = _align(codec, samples, [path.name for path in paths], how, notices)
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
    return differences(one.tensor[None], other.tensor[None], measure(codec)).item()


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
            notices.append(f"{name} has {_long(codec, own)}, not {_long(codec, length, bare=True)}; {done}")
        aligned.append(replace(_fit(codec, one, length, how), hop=hop))
    return aligned


def _long(codec: Codec, length: int, bare: bool = False) -> str:
    """Return a length in words: of sound in seconds, of others in steps."""
    if rate := getattr(codec.adapter, "steps_per_second", 0):
        return f"{length / rate:.1f} s"
    return f"{length}" if bare else f"{length} steps"


def _fit(codec: Codec, one: Sample, length: int, how: str) -> Sample:
    own = one.tensor.shape[-1]
    if own < length and how == "loop":
        one = codec.adapter.concat([one] * math.ceil(length / own))
    elif own < length:
        rest = codec.blank_step().to(one.tensor).expand(*one.tensor.shape[:-1], length - own)
        one = replace(one, tensor=torch.cat([one.tensor, rest], dim=-1))
    return replace(one, tensor=one.tensor[..., :length])


def reconstruct(
    path: Path | str, *, preset: Codec | str | None = None, label: int | str | None = None, **read_options: Any
) -> Reconstruction:
    """Encode a file and decode it again, to see what a preset keeps of it.

    `accuracy` is the share of the places along ``*S`` with all their channels right, over the file
    without its padding; for real values, and for pictures, it is the share of the variance.
    `label` is the file's class, a number or a name, which a conditional preset must know.
    Raise MusicaeError as `interpolate` does.
    """
    codec = codec_for(preset, Path(path))
    (one,), remarks = read_all(codec, [Path(path)], read_options)
    given = codec.split(one)
    cond = condition(codec, label, len(given))
    decoded = codec.decode(codec.encode(given, cond).mean, cond=cond)
    tensor = codec.join(decoded, one.hop, one.tensor.shape[-1])
    psnr = None
    if measure(codec) == "gaussian":
        error = (tensor - one.tensor).square().mean()
        accuracy = 1.0 - (error / one.tensor.var(correction=0).clamp_min(1e-12)).item()
        psnr = -10 * math.log10(max(error.item(), 1e-10)) if len(codec.spec.shape) > 1 else None
    else:
        accuracy = 1.0 - differences(tensor[None], one.tensor[None]).item()
    return Reconstruction(codec, replace(one, tensor=tensor, remarks=[]), accuracy, remarks, psnr)


def sample(
    preset: Codec | str, n: int = 1, *, seed: int = 0, temperature: float = 1.0, label: int | str | None = None
) -> list[Sample]:
    """Draw `n` windows that no file gave from the preset's prior; `temperature` scales its noise.

    A conditional preset makes the class `label` (a number or a name), or without one every class in turn.
    Raise MusicaeError for a preset that does not exist or has no codes, and a label that it does not have.
    """
    check_number("the number of results", n, least=1)
    check_temperature(temperature)
    codec = codec_for(preset)
    if not codec.model.latent_size:
        raise MusicaeError(f"the preset '{codec.preset.name}' has no codes to draw; use one with an autoencoder")
    classes = len(class_names(codec))
    cond = codec.labels(torch.arange(n) % classes) if classes and label is None else condition(codec, label, n)
    decoded = codec.decode(codec.draw(n, seed, temperature, cond), cond=cond)
    return [Sample(window, codec.adapter.blank()) for window in decoded]


def vary(
    path: Path | str, similarity: float = 0.7, n: int = 1, *, preset: Codec | str | None = None, seed: int = 0,
    label: int | str | None = None, **read_options: Any,
) -> list[Sample]:  # fmt: skip
    """Return `n` variations of a file: between its own place in the prior's noise (similarity 1) and a draw (0).

    All windows of one variation move towards the same draw, so that they go on fitting together.
    `label` is the file's class, which a conditional preset must know. The first variation's `remarks`
    say each choice. Raise MusicaeError as `interpolate` does.
    """
    check_number("the number of results", n, least=1)
    codec = codec_for(preset, Path(path))
    (one,), remarks = read_all(codec, [Path(path)], read_options)
    given = codec.split(one)
    cond = condition(codec, label, len(given))
    place = codec.to_noise(codec.encode(given, cond).mean, cond)
    variations = []
    for i, draw in enumerate(codec.noise(n, seed)):
        code = codec.from_noise(latent.near(place, similarity, draw.expand_as(place)), cond)
        tensor = codec.join(codec.decode(code, cond=cond), one.hop, one.tensor.shape[-1])
        variations.append(replace(one, tensor=tensor, remarks=remarks if i == 0 else []))
    return variations


# --- restoration ---------------------------------------------------------------------------------------------------


def denoise(
    path: Path | str, *, preset: Codec | str | None = None, report: Report | None = None, **read_options: Any
) -> Restored:
    """Take the noise off a file, or whatever corruption the preset was trained to undo.

    A preset without a code takes a file of any size, tile by tile (`report` gets the tiles done and their
    number). Recordings are for `musicae.denoise_recording`. Raise MusicaeError as `interpolate` does, and for a preset
    that was trained without a corruption.
    """
    codec = codec_for(preset, Path(path), verb="denoise")
    _refuse_recordings(codec, path, "denoise_recording")
    undone, _ = _corruption(codec)
    (one,), remarks = read_all(codec, [Path(path)], read_options)
    return _restored(codec, one, [*remarks, f"the preset undoes {undone}"], report)


def upscale(
    path: Path | str, *, scale: int | None = None, preset: Codec | str | None = None, report: Report | None = None,
    **read_options: Any,
) -> Restored:  # fmt: skip
    """Enlarge a file along all its spatial axes, and put in the detail that is likely there.

    `scale` is the factor of the preset if there is one, else 2. The file is enlarged as its corruption does,
    and the preset makes it sharp, as `denoise` does. Recordings are for `musicae.upscale_recording`.
    Raise MusicaeError as `denoise` does, and for a factor for which there is no preset.
    """
    if preset is None:
        preset = upscaling_preset(Path(path), 2 if scale is None else scale)
    codec = codec_for(preset, Path(path))
    _refuse_recordings(codec, path, "upscale_recording")
    name, corruption = _corruption(codec)
    if not hasattr(corruption, "enlarge"):
        raise MusicaeError(f"the preset '{codec.preset.name}' undoes {name}, it does not upscale; choose another")
    if scale not in (None, corruption.factor):
        raise MusicaeError(
            f"the preset '{codec.preset.name}' upscales by {corruption.factor}, not by {scale}; choose another"
        )
    (one,), remarks = read_all(codec, [Path(path)], read_options)
    size = one.tensor.numel() * corruption.factor ** len(codec.spec.shape)
    if size > _LARGEST:
        raise MusicaeError(f"{path} would have {size / 1e6:.0f} million values after that; cut it into pieces first")
    large = replace(one, tensor=corruption.enlarge(one.tensor[None])[0])
    return _restored(codec, large, remarks, report)


def _refuse_recordings(codec: Codec, path: Path | str, verb: str) -> None:
    """Raise MusicaeError for a codec that works on recordings: as one tensor their channels and rate would be lost."""
    if isinstance(codec.model, Streamer):
        raise MusicaeError(f"{path} is a recording; musicae.{verb}(codec, source, target) works on it block by block")


def _corruption(codec: Codec) -> tuple[str, Any]:
    """Return the name of what a preset was trained to undo, and a function that does it."""
    part, corruption = codec.preset.part("corruption"), codec.corruption()
    if part is None:
        raise MusicaeError(
            f"the preset '{codec.preset.name}' was trained without a corruption and restores nothing; "
            "use one that was trained with one"
        )
    return part[0], corruption


def _restored(codec: Codec, one: Sample, remarks: list[str], report: Report | None) -> Restored:
    if isinstance(codec.model, Restorer):
        tensor = codec.restore_whole(one.tensor, report)
    else:
        given = codec.split(one)
        tensor = codec.join(codec.restore(given, condition(codec, None, len(given))), one.hop, one.tensor.shape[-1])
    return Restored(codec, replace(one, tensor=tensor, remarks=[]), one, remarks)
