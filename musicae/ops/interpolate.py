"""Turn one file into another, step by step, or four into a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import File, Sample, Source
from musicae.errors import MusicaeError
from musicae.memory import check_memory
from musicae.ops.choose import codec_for
from musicae.ops.conditions import Label, labels_for
from musicae.ops.corners import Corner, Corners, encoded
from musicae.ops.inputs import check_number, check_temperature, name_of, read_all, rereadable
from musicae.ops.keys import in_key_of_first
from musicae.ops.made import Samples
from musicae.ops.notebook import Block, Shown, quietly
from musicae.ops.shift import held
from musicae.ops.walk import Report, WalkOptions, walk
from musicae.tensors import latent

__all__ = ["Interpolation", "check_inputs", "interpolate", "steps_between"]


_COPIES = 4  # How often each step is in memory: its windows, joined, and what is made of it.


@dataclass
class Interpolation:
    """What lies between the inputs: `parts`, one for each step (row by row for a grid).

    `codes` ``(inputs, N, D)`` are those of the inputs' windows, after the shorter was aligned;
    `distances` tell how far each part is from the first (see `Likelihood.distance`), 0 to 1 for discrete values;
    `notices` say what was done to inputs that do not fit together, `remarks` each choice in reading them. A grid has so
    many `columns`.
    """

    codec: Codec
    parts: list[Sample]
    codes: Tensor
    distances: list[float]
    notices: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    columns: int | None = None

    def joined(self) -> Sample:
        """Return all parts, one after another, as one sample."""
        return self.codec.adapter.concat(self.parts)

    def save(self, file: File | str) -> None:
        """Write all parts, one after another, as one file. Raise MusicaeError where it cannot be written."""
        self.codec.adapter.write(self.joined(), Path(file) if isinstance(file, str) else file)

    def _repr_html_(self) -> str | None:
        titles = [str(i) for i in range(1, len(self.parts) + 1)]
        block = Block(self.codec.adapter, self.parts, titles=titles, columns=self.columns)
        kind = f"A grid of {self.columns} x {self.columns}" if self.columns else f"A morph in {len(self.parts)} steps"
        return quietly(lambda: Shown(kind, self.codec.preset.name, [block], self.distances, self.notices))


def check_inputs(count: int, grid: bool) -> None:
    """Raise MusicaeError for a number of files that cannot be interpolated."""
    if count != (4 if grid else 2):
        raise MusicaeError(f"interpolate takes 2 files, or 4 for a grid, not {count}{' for a grid' * grid}")


def interpolate(
    a: Source,
    b: Source,
    *more: Source,
    preset: Codec | str | None = None,
    steps: int = 9,
    seed: int = 0,
    temperature: float = 0.0,
    spherical: bool = True,
    exact_endpoints: bool = False,
    even: bool = True,
    align: str | None = None,
    grid: bool = False,
    label: Label | Sequence[Label] | None = None,
    keep: Sequence[str] = (),
    chords: str | None = None,
    hold: Sequence[str] = (),
    same_key: bool | None = None,
    report: Report | None = None,
    **read_options: Any,
) -> Interpolation:
    """Turn one file into another in `steps` steps, or four into a grid of ``steps x steps``.

    Parameters
    ----------
    a, b, more : paths, binary streams or samples; 4 of them for a grid: top left, top right, bottom left, bottom right.
    preset : a name, a checkpoint's path, a `Codec`, or None for what fits `a`.
    steps : the inputs' reconstructions are the first and the last.
    seed, temperature : temperature 0 takes the most probable values, 1 draws them.
    spherical : along great circles of the prior's noise (of the codes, without a prior), not straight lines.
    exact_endpoints : put the inputs themselves in the place of their reconstructions.
    even : choose the moments by how far the output has come, window by window (not for a grid).
    align : what to do with inputs of different lengths: ``"loop"`` the shorter, ``"pad"`` it with
        nothing, or ``"trim"`` the longer; None for what suits: single sounds are padded, others looped.
    label : for a conditional preset, the inputs' class, or one for each; other conditions come with the samples.
        Conditions go from one input's to the other's in proportion.
    keep : parts that stay as they are in `a` all the way, as ``["melody"]``. The others go from those of `a` to those
        of `b`, over the chords of `a`; `b` is made as long as `a`.
    chords : a progression, as ``"C | G7 Am7 | F"``, repeated as often as needed; all that lies between the inputs is
        played over it. Without one, chords go over from those of one input to those of the other.
    hold : attributes that stay those of `a` all the way, as ``["density"]`` (see `musicae.shift`).
    same_key : move all inputs but `a` into its key; of major and minor, the key signatures become one. None does so for
        songs (a preset with parts) that are files, in which a key is clear, and not with `exact_endpoints`.
    report : called now and then with how many windows are done (not for a grid).
    read_options : the adapter's, for all inputs (``bars="5-8"``, ``track=2``).

    Raises
    ------
    MusicaeError : a file that cannot be read, a wrong number of files or steps, a preset that does not exist.
    """
    sources = [rereadable(source) for source in (a, b, *more)]
    check_inputs(len(sources), grid)
    check_number("steps", steps, at_least=2)
    check_temperature(temperature)
    codec = codec_for(preset, *sources)
    samples, remarks = read_all(codec, sources, read_options)
    notices: list[str] = []
    if same_key or (same_key is None and codec.spec.parts and not exact_endpoints):
        samples, notices = in_key_of_first(codec, samples, sources, read_options, asked=bool(same_key))
    named = zip(samples, map(name_of, sources), labels_for(label, len(samples)), strict=True)
    made = encoded(codec, [Corner(*one) for one in named], align, keep, chords)
    notices += made.notices
    if exact_endpoints and (made.kept or hold):
        other = "--keep" if made.kept else "--hold"
        raise MusicaeError(f"--exact-endpoints puts the other file itself at the end, {other} does not; leave one out")
    parts = steps_between(made, WalkOptions(steps, spherical, even, temperature, seed), grid, report)
    if hold:
        parts = held(codec, parts, hold, made.samples[0], seed)
    if made.kept:
        parts = [made.kept.in_sample(part) for part in parts]
    if exact_endpoints:
        ends = [0, steps - 1, steps * (steps - 1), steps**2 - 1] if grid else [0, steps - 1]
        for end, one in zip(ends, made.samples, strict=True):
            parts[end] = replace(one, remarks=[])
    distances = [_distance(codec, part, parts[0]) for part in parts]
    shown = Samples(codec, parts)
    return Interpolation(codec, shown, made.codes, distances, notices, remarks, steps if grid else None)


def steps_between(
    made: Corners, options: WalkOptions, grid: bool = False, report: Report | None = None
) -> list[Sample]:
    """Return the steps from the first corner to the second, or the grid between four, row by row.

    Parts that are to be kept, and attributes that are held, are not put back yet. Raise MusicaeError for a wrong number
    of steps, and where the steps take too much memory.
    """
    codec, first, steps = made.codec, made.samples[0], options.steps
    check_number("steps", steps, at_least=2)
    count = steps**2 if grid else steps
    check_memory(_COPIES * 4 * count * first.tensor.numel(), f"a walk of {count} steps")
    if grid:
        outputs, cond_at = _grid(
            codec, made.codes, made.conds, steps, options.spherical, options.temperature, options.seed
        )
        weights = _bilinear(steps)
    else:
        ends = (made.conds[0], made.conds[1]) if made.conds else None
        outputs, _, cond_at = walk(codec, made.codes[0], made.codes[1], options, ends, report)
        weights = [[1 - t, t] for t in torch.linspace(0, 1, steps).tolist()]
    hop, length, metas = first.hop, first.tensor.shape[-1], [one.meta for one in made.samples[: len(weights[0])]]
    parts = [
        Sample(codec.join(output, hop, length), codec.adapter.mix(metas, weight), hop)
        for output, weight in zip(outputs, weights, strict=True)
    ]
    if cond_at is not None:
        parts = [replace(part, cond=codec.join_cond(c, hop, length)) for part, c in zip(parts, cond_at, strict=True)]
    return parts


def _grid(
    codec: Codec, codes: Tensor, conds: list[Tensor], steps: int, spherical: bool, temperature: float, seed: int
) -> tuple[Tensor, Tensor | None]:
    """Return what lies between four inputs, ``(steps * steps, N, C, *S)``, and the conditions there."""
    corners = torch.stack(conds) if conds else None
    cond = None if corners is None else torch.einsum("sc,cn...->sn...", torch.tensor(_bilinear(steps)), corners)
    places = [codec.to_noise(code, conds[i] if conds else None) for i, code in enumerate(codes)]
    noise = latent.grid(torch.stack(places), steps, steps, spherical).flatten(0, 1)
    rows = codec.from_noise(noise.flatten(0, 1), None if cond is None else cond.flatten(0, 1)).view(noise.shape)
    outputs = [
        codec.decode(row, temperature, seed + i, None if cond is None else cond[i]) for i, row in enumerate(rows)
    ]
    return torch.stack(outputs), cond


def _bilinear(steps: int) -> list[list[float]]:
    moments = torch.linspace(0, 1, steps).tolist()
    return [[(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x] for y in moments for x in moments]


def _distance(codec: Codec, one: Sample, other: Sample) -> float:
    return codec.likelihood.distance(one.tensor[None], other.tensor[None]).item()
