"""Attributes of a codec's windows, and the directions in its code that change them: fitted, written, read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from musicae import checkpoint, hub, registry
from musicae.codec import Codec
from musicae.core import Attribute, Windows
from musicae.errors import WITH_PRESET, MusicaeError, did_you_mean, line_of
from musicae.ops.inputs import crop_windows
from musicae.tensors.random import generator

__all__ = ["Fitted", "Trait", "about", "check_able", "find", "fit", "has", "load", "measure", "save", "some_of"]

_MOST_AXES = 64  # Principal axes of the codes that are kept.
_FEWEST = 32  # Windows that an attribute must have a meaning for.
_RIDGE = 0.1  # Of the codes' mean variance, for each of their numbers and over the windows.
_FAINT = 0.1  # Of an attribute's variance: one of which less is linear in the code is not moved as far as that asks.
_FARTHEST = 3.0  # Standard deviations of the codes that one of an attribute may take.
_EXTREME = 0.001  # Share of the windows beyond the lowest and the highest value that is aimed at.
_VALUES_AT_ONCE = 15_000_000  # Of windows in memory.
_MOST_TRAITS = 1000


@dataclass(frozen=True)
class Trait:
    """An attribute of windows: over the training data its mean, its standard deviation, and how far it goes.

    `measured` are figures on held-out windows, by their names.
    """

    name: str
    unit: str
    mean: float
    spread: float
    low: float
    high: float
    measured: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitted:
    """The attributes of a codec's windows, and how its codes move.

    A code plus ``directions[k]`` ``(K, D)`` has one standard deviation more of the attribute ``traits[k]``, and of the
    others about as much as before. `axes` ``(R, D)`` are the codes' principal axes, each as long as a standard
    deviation along it. Values of attributes ``(N, K)`` are in standard deviations from the mean.
    """

    traits: tuple[Trait, ...]
    directions: Tensor
    axes: Tensor

    @property
    def names(self) -> list[str]:
        """The names of the attributes."""
        return [trait.name for trait in self.traits]

    def values(self, codec: Codec, x: Tensor) -> Tensor:
        """Return the attributes of windows ``(N, C, *S)``: ``(N, K)``, NaN where one has no meaning."""
        return (measure(codec, self.names, x) - self._row("mean")) / self._row("spread")

    def bounds(self) -> tuple[Tensor, Tensor]:
        """Return the lowest and the highest values that are aimed at, ``(K,)`` each."""
        return tuple((self._row(end) - self._row("mean")) / self._row("spread") for end in ("low", "high"))  # type: ignore[return-value]

    def only(self, numbers: Sequence[int]) -> Fitted:
        """Return some of the attributes, with the same axes."""
        return Fitted(tuple(self.traits[k] for k in numbers), self.directions[[*numbers]], self.axes)

    def _row(self, of: str) -> Tensor:
        return torch.tensor([float(asdict(trait)[of]) for trait in self.traits])


def measure(codec: Codec, names: Sequence[str], x: Tensor) -> Tensor:
    """Return attributes of windows ``(N, C, *S)`` in their units: ``(N, K)``, NaN where one has no meaning."""
    columns = [codec.adapter.measure(_attribute(name), x, name.rpartition(".")[0]).float() for name in names]
    return torch.where(torch.stack(columns, dim=1).isfinite(), torch.stack(columns, dim=1), torch.nan)


def _attribute(name: str) -> Attribute:
    found: Attribute = registry.build("attributes", name.rpartition(".")[2])
    return found


def about(name: str) -> str:
    """Return what an attribute is, in a few words."""
    return _attribute(name).about


def find(fitted: Fitted, name: str) -> int:
    """Return the number of an attribute. Raise MusicaeError for one that there is not, with what there is."""
    if name in fitted.names:
        return fitted.names.index(name)
    hint = did_you_mean(name, fitted.names)
    listed = f" There are {', '.join(fitted.names)}." if hint.startswith("; did") else ""
    raise MusicaeError(f"there is no attribute '{name}'{hint}{listed}")


# --- fitting -------------------------------------------------------------------------------------------------------


def some_of(codec: Codec, windows: Windows, count: int, seed: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Go through `count` random windows ``(B, C, *S)``, or all, and their conditions, as many at a time as fit well."""
    index = torch.randperm(len(windows), generator=generator(seed, 61))[:count]
    for part in torch.split(index, max(1, _VALUES_AT_ONCE // (4 * math.prod(codec.spec.full_shape)))):
        yield crop_windows(codec, windows.batch(part), codec.conditions(windows, part), seed)


def fit(codec: Codec, windows: Windows, count: int = 8192, seed: int = 0) -> Fitted | None:
    """Fit directions to `count` random training windows; None where no attribute has a meaning for them, or no code.

    Of attributes ``a`` and codes ``z``, both standardised, a ridge regression gives ``a = B' z``. Of all moves that
    change one attribute by one and the others by nothing, the one is taken that is shortest in the metric of the codes'
    covariance ``C``, and so leads to the most probable codes: ``C B (B' C B)^-1``.
    """
    names = list(codec.adapter.attributes)
    if not names or not codec.model.latent_size or not len(windows):
        return None
    codes: list[Tensor] = []
    found: list[Tensor] = []
    for x, cond in some_of(codec, windows, count, seed):
        codes.append(codec.encode(x, cond).mean)
        found.append(measure(codec, names, x))
    z, a = torch.cat(codes).double(), torch.cat(found).double()
    mean, spread = a.nanmean(0), (a - a.nanmean(0)).square().nanmean(0).sqrt()
    usable = ((~a.isnan()).sum(0) >= min(_FEWEST, len(a))) & (spread > 1e-6 * (1 + mean.abs()))
    if not usable.any():
        return None
    names = [name for name, use in zip(names, usable.tolist(), strict=True) if use]
    a, mean, spread = a[:, usable], mean[usable], spread[usable]
    directions, axes, shares = _directions(z, (a - mean) / spread)
    traits = []
    for k, name in enumerate(names):
        known = a[:, k][~a[:, k].isnan()]
        low, high = (known.quantile(share).item() for share in (_EXTREME, 1 - _EXTREME))
        measured = {"linear": shares[k].item()}
        traits.append(Trait(name, _attribute(name).unit, mean[k].item(), spread[k].item(), low, high, measured))
    return Fitted(tuple(traits), directions.float(), axes.float())


def _directions(z: Tensor, a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return directions ``(K, D)``, axes ``(R, D)`` and linear shares ``(K,)`` of codes and attributes; see `fit`."""
    z = z - z.mean(0)
    covariance = z.T @ z / len(z)
    known = ~a.isnan()
    together = torch.stack([(z[own].T @ column[own]) / own.sum() for column, own in zip(a.T, known.T, strict=True)], 1)
    ridge = _RIDGE * covariance.diagonal().mean() * (z.shape[1] / len(z)) + 1e-9
    weights = torch.linalg.solve(covariance + ridge * torch.eye(z.shape[1], dtype=z.dtype), together)
    shares = (weights * together).sum(0)
    effect = weights.T @ covariance @ weights
    directions = torch.linalg.solve(effect + _FAINT * torch.eye(a.shape[1], dtype=z.dtype), weights.T @ covariance)
    values, vectors = torch.linalg.eigh(covariance)
    values, vectors = values.flip(0).clamp_min(1e-12), vectors.flip(1)
    length = ((directions @ vectors).square() / (values + ridge)).sum(1).sqrt()
    directions = directions * (_FARTHEST / length).clamp_max(1)[:, None]
    kept = slice(min(_MOST_AXES, len(values)))
    return directions, (vectors[:, kept] * values[kept].sqrt()).T, shares


# --- files ---------------------------------------------------------------------------------------------------------


def save(codec: Codec, fitted: Fitted) -> None:
    """Write the attributes of a codec beside its checkpoint, whole or not at all."""
    assert codec.path is not None
    header = {"digest": checkpoint.digest(codec.path), "attributes": [asdict(trait) for trait in fitted.traits]}
    tensors = {"directions": fitted.directions, "axes": fitted.axes}
    checkpoint.write(hub.attributes_of(codec.path), tensors, header, "float16")


def check_able(codec: Codec) -> None:
    """Raise MusicaeError for a codec whose windows have no attributes, or that has no codes to move."""
    if not codec.adapter.attributes or not codec.model.latent_size:
        name = codec.preset.name
        raise MusicaeError(line_of(f"what '{name}' makes has no attributes; choose another preset ", WITH_PRESET))


def has(codec: Codec) -> bool:
    """Tell whether attributes were fitted to a codec's checkpoint, or to one that was there before."""
    return codec.path is not None and hub.attributes_of(codec.path).is_file()


def load(codec: Codec) -> Fitted:
    """Read the attributes of a codec. Raise MusicaeError, one line, where there are none, or others than its own."""
    check_able(codec)
    name = codec.preset.name
    path = None if codec.path is None else hub.attributes_of(codec.path)
    if codec.path is None or path is None or not path.is_file():
        called = name if codec.path is None or codec.path.stem == name else str(codec.path)
        raise MusicaeError(f"the attributes of '{name}' are not fitted yet; run: musicae attributes {called} --fit")
    header = checkpoint.read_header(path)
    if header.get("digest") != checkpoint.digest(codec.path):
        raise MusicaeError(
            f"{path} was fitted to other weights than {codec.path}; fit it again: musicae attributes --fit"
        )
    damaged = MusicaeError(f"{path} is damaged; fit it again: musicae attributes --fit")
    traits = tuple(_trait(one, damaged) for one in _list(header.get("attributes"), damaged))
    rows, size = len(traits), codec.model.latent_size
    shapes = checkpoint.shapes(path)
    axes = shapes.get("axes", ())
    if shapes.keys() != {"directions", "axes"} or shapes["directions"] != (rows, size) or not _fits(axes, size):
        raise damaged
    tensors = checkpoint.read(path)[1]
    if not all(tensor.is_floating_point() and tensor.isfinite().all() for tensor in tensors.values()):
        raise damaged
    known = set(registry.names("attributes"))
    if missing := [trait.name for trait in traits if trait.name.rpartition(".")[2] not in known]:
        raise MusicaeError(
            f"{path} has the attribute '{missing[0]:.60}', which no package provides; install its package"
        )
    return Fitted(traits, tensors["directions"].float(), tensors["axes"].float())


def _fits(axes: tuple[int, ...], size: int) -> bool:
    return len(axes) == 2 and 0 < axes[0] <= _MOST_AXES and axes[1] == size


def _list(found: Any, damaged: MusicaeError) -> list[Any]:
    if not isinstance(found, list) or not 0 < len(found) <= _MOST_TRAITS:
        raise damaged
    return found


def _trait(found: Any, damaged: MusicaeError) -> Trait:
    """Return an attribute as a file, which may be anybody's, describes it."""
    from msgspec import ValidationError, convert

    try:
        trait = convert(found, Trait)
    except (ValidationError, RecursionError, UnicodeError):
        raise damaged from None
    numbers: Mapping[str, float] = {**trait.measured, "mean": trait.mean, "low": trait.low, "high": trait.high}
    if not all(map(math.isfinite, numbers.values())) or not 0 < trait.spread < math.inf or trait.low > trait.high:
        raise damaged
    return trait
