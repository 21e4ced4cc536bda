"""The values that all parts share: samples, windows, codes, and what describes them.

Axes have the same letters everywhere: ``B`` examples, ``C`` channels, ``*S`` the spatial axes
(``T`` steps of a melody or a sound, ``H, W`` of a picture), ``D`` numbers of a code, ``K`` channels of a condition,
``L`` the length of a whole file along the last axis.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from musicae.errors import MusicaeError
from musicae.shared_batch import normal

__all__ = [
    "Candidate",
    "Choose",
    "ConditionSpec",
    "Conditioned",
    "File",
    "Group",
    "Latent",
    "Packed",
    "Roll",
    "Sample",
    "Sound",
    "Source",
    "Spec",
    "State",
    "Stored",
    "Unpacked",
    "Windows",
]

Choose = Callable[[Tensor], Tensor]
"""Turns a likelihood's parameters ``(B, C, *S)`` into values ``(B, C, *S)``: their mode, or a draw."""

Conditioned = tuple[Tensor, Tensor | None]
"""Windows ``(B, C, *S)`` and their conditions, ``(B, K)`` or ``(B, K, T)``, if there are any."""

File = Path | BinaryIO
"""What adapters read and write: a path, or a binary stream (a seekable one to read from)."""

State = tuple[Tensor, ...]
"""What a streaming model carries from block to block."""


@dataclass(frozen=True)
class Group:
    """Channels of a tensor that belong together; `likelihood` is a registered name."""

    name: str
    channels: int
    likelihood: str


@dataclass(frozen=True)
class Spec:
    """The shape and the kind of one window of an adapter's tensors.

    `channels` is ``C``, `shape` the spatial axes ``*S`` of a window, `likelihood` the registered name of how its values
    are distributed (``"categorical"``: one-hot over ``C``; ``"bernoulli"``: each value 0 or 1; ``"gaussian"``: real
    numbers; ``"joint"``: each of `groups`, in their order along the channel axis, by its own).
    Most specs have one group, filled in from the other fields; `joint` makes a spec with several.
    """

    channels: int
    shape: tuple[int, ...]
    likelihood: str
    groups: tuple[Group, ...] = ()

    def __post_init__(self) -> None:
        if not self.groups:
            object.__setattr__(self, "groups", (Group("", self.channels, self.likelihood),))
        names = [group.name for group in self.groups]
        if len(set(names)) < len(names) or sum(group.channels for group in self.groups) != self.channels:
            raise MusicaeError(
                f"a spec's groups must have different names and {self.channels} channels together, not {self.groups}"
            )

    @classmethod
    def joint(cls, shape: tuple[int, ...], groups: Sequence[Group]) -> Spec:
        """Return the spec of a tensor with several parts."""
        return cls(sum(group.channels for group in groups), shape, "joint", tuple(groups))

    @property
    def full_shape(self) -> tuple[int, ...]:
        """``(C, *S)``."""
        return (self.channels, *self.shape)

    @property
    def slices(self) -> dict[str, slice]:
        """The channels of each group, by its name."""
        starts = accumulate((group.channels for group in self.groups), initial=0)
        return {group.name: slice(i, i + group.channels) for group, i in zip(self.groups, starts, strict=False)}

    @property
    def parts(self) -> dict[str, Tensor]:
        """Which channels each part has, bool ``(C,)``: those of the group ``"x"``, ``"x_velocity"`` and ``"x_offset"``.

        A tensor without named groups has no parts.
        """
        found: dict[str, Tensor] = {}
        for name, channels in self.slices.items():
            part = name.removesuffix("_velocity").removesuffix("_offset")
            if name and (part == name or part not in self.slices):
                found[name] = torch.zeros(self.channels, dtype=torch.bool)
                for own in (name, f"{name}_velocity", f"{name}_offset"):
                    found[name][self.slices.get(own, channels)] = True
        return found


@dataclass(frozen=True)
class ConditionSpec:
    """The extra input of a conditional model.

    `channels` is ``K``. With `along` a condition is ``(K, T)``, a column for each step of the last axis (chords), else
    ``(K,)``. With `classes` it is one-hot: a label. With `optional` the model does without one, or with zeros, as well;
    in training so does a share `dropout` of the examples.
    """

    channels: int
    along: bool = False
    classes: bool = False
    optional: bool = False
    dropout: float = 0.0

    def shape(self, steps: int) -> tuple[int, ...]:
        """Return the shape of the condition of a window of `steps` steps: ``(K,)`` or ``(K, steps)``."""
        return (self.channels, steps) if self.along else (self.channels,)


@dataclass
class Sample:
    """What an adapter reads from one file, and what it writes to one.

    `tensor` is ``(C, *S)`` for the whole file, float32, its last axis as long as the file is.
    `meta` holds what the tensor lacks and `write` restores (tempo, program ...), JSON-able for a model with a code,
    since files of codes store it; `metadata` is what they do not (tags, covers, EXIF), in any form that can be pickled.
    `hop` is the distance from one window to the next, in steps of the last axis (None: a window's length). `remarks`
    explains the adapter's choices, a line each. `cond` is the condition: ``(K,)``, or ``(K, L)`` along the last axis.
    """

    tensor: Tensor
    meta: dict[str, Any] = field(default_factory=dict)
    hop: int | None = None
    remarks: list[str] = field(default_factory=list)
    cond: Tensor | None = None
    metadata: Any = None


Source = str | Path | BinaryIO | Sample
"""What the verbs take: a file's path, a binary stream of its bytes, or a sample that has been read already."""


@dataclass(frozen=True)
class Sound:
    """How an adapter turns samples ``(B, size)`` at `rate` Hz into windows ``(B, C, *S)``, and windows into samples."""

    rate: int
    size: int
    analyse: Callable[[Tensor], Tensor]
    synthesise: Callable[[Tensor], Tensor]


@dataclass
class Latent:
    """A diagonal Gaussian over codes, or a point: ``mean`` and ``logvar`` are ``(B, D)``.

    `logvar` is the natural logarithm of the *variance* (not of the standard deviation);
    None means a point, as from a plain autoencoder: `kl` is then zero, and `sample` returns the mean.
    """

    mean: Tensor
    logvar: Tensor | None = None

    @classmethod
    def none(cls, x: Tensor) -> Latent:
        """Return empty codes ``(B, 0)`` for a batch `x`, for a model that has no code."""
        return cls(x.new_zeros(len(x), 0))

    def sample(self, generator: torch.Generator | None = None, temperature: float = 1.0) -> Tensor:
        """Draw ``mean + temperature * std * noise``, ``(B, D)`` (Kingma and Welling 2014, eq. 10)."""
        if self.logvar is None:
            return self.mean
        return self.mean + temperature * (0.5 * self.logvar).exp() * normal(self.mean.shape, generator).to(self.mean)

    def kl(self) -> Tensor:
        """Return KL(q || N(0, 1)) in nats for each number of the code, ``(B, D)`` (same paper, app. B)."""
        if self.logvar is None:
            return torch.zeros_like(self.mean)
        return 0.5 * (self.mean.square() + self.logvar.exp() - 1.0 - self.logvar)


class Stored(ABC):
    """The windows of a data set that stay in files until they are asked for; they may be more than memory holds."""

    shape: tuple[int, ...]
    """``(N, C, *S)``, or ``(N, *S)``; see `Windows.data`."""

    key: str = ""
    """Tells these windows from others, without reading them; empty where that cannot be told."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: Tensor) -> Tensor:
        """Return the windows at `index` ``(B,)``, the only ones that are read."""

    def kept(self, index: Tensor) -> Tensor:
        """Return the windows at `index` as they are kept, which may be packed."""
        return self[index]

    @abstractmethod
    def subset(self, index: Tensor) -> Stored:
        """Return the windows at `index` ``(n,)`` without reading them."""


class Unpacked(Stored):
    """Windows that are kept packed; `unpack` turns packed ones into values ``(B, *shape)``."""

    def __init__(self, packed: Tensor | Stored, shape: tuple[int, ...], unpack: Callable[[Tensor], Tensor]) -> None:
        self.packed, self.unpack = packed, unpack
        self.shape = (len(packed), *shape)
        self.key = packed.key if isinstance(packed, Stored) else ""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Tensor) -> Tensor:
        """Return the values of the windows at `index`."""
        return self.unpack(self.kept(index))

    def kept(self, index: Tensor) -> Tensor:
        """Return the windows at `index`, packed."""
        return self.packed.kept(index) if isinstance(self.packed, Stored) else self.packed[index]

    def subset(self, index: Tensor) -> Unpacked:
        """Return the windows at `index` ``(n,)`` without reading them."""
        packed = self.packed.subset(index) if isinstance(self.packed, Stored) else self.packed[index]
        return Unpacked(packed, self.shape[1:], self.unpack)


@dataclass
class Windows:
    """One split of a data set, in memory or in files.

    `data` is ``(N, C, *S)`` values, or, for one-hot data, ``(N, *S)`` class indices (any integer type).
    With `levels` it is ``(N, C, *S)`` integers 0 .. `levels` for values 0 .. 1 (255: the bytes of a picture).
    `pieces` ``(N,)`` numbers the piece (tune, recording, speaker) each window comes from; `names` holds their names.
    `labels` ``(N,)`` are classes, `cond` ``(N, K)`` or ``(N, K, T)`` other conditions, where the set has them.
    """

    data: Tensor | Stored
    pieces: Tensor
    channels: int
    names: list[str] = field(default_factory=list)
    labels: Tensor | None = None
    levels: int = 0
    cond: Tensor | Stored | None = None

    def __len__(self) -> int:
        return len(self.data)

    def batch(self, index: Tensor) -> Tensor:
        """Return the windows at `index` ``(B,)`` as float32 ``(B, C, *S)``."""
        chosen = self.data[index]
        if self.levels:
            return chosen.float() / self.levels
        if chosen.is_floating_point() or chosen.dtype == torch.bool:
            return chosen.float()
        return nn.functional.one_hot(chosen.long(), self.channels).movedim(-1, 1).float()

    def subset(self, index: Tensor) -> Windows:
        """Return the windows at `index` ``(n,)`` as a split of their own."""
        labels = None if self.labels is None else self.labels[index]
        cond = None if self.cond is None else _subset(self.cond, index)
        return replace(self, data=_subset(self.data, index), pieces=self.pieces[index], labels=labels, cond=cond)

    def values(self) -> Tensor:
        """Return all windows as they are kept, `data` in memory."""
        return self.data if isinstance(self.data, Tensor) else self.data.kept(torch.arange(len(self)))


def _subset(rows: Tensor | Stored, index: Tensor) -> Tensor | Stored:
    return rows[index] if isinstance(rows, Tensor) else rows.subset(index)


@dataclass
class Roll:
    """The piano roll of a sample of notes, or of one part of a band.

    `notes` are ``(start, length, row)``, the first two in steps; `length` is the sample's, in steps. Rows are MIDI
    pitches, or, where `labels` name them, lanes from 0 up. `meters` are ``(step, numerator, denominator)``. `name` is
    that of the part, where there are several; `loudness` has a number from 0 to 1 for each note, or nothing. `chords`
    are names of chords, each with the step where it begins; they stand above. The first bar has number `first`.
    """

    notes: list[tuple[int, int, int]]
    length: int
    steps_per_beat: int
    labels: tuple[str, ...] = ()
    meters: Sequence[Sequence[int]] = ((0, 4, 4),)
    name: str = ""
    loudness: Sequence[float] = ()
    chords: Sequence[tuple[int, str]] = ()
    first: int = 1


@dataclass(frozen=True)
class Packed:
    """A whole file of notes as training keeps it.

    `data` is ``(L,)`` classes or ``(C, L)`` values, as in `Windows.data`; `onset` and `sounding` ``(L,)``, bool, tell
    where a note begins, and where one sounds. The first bar has `bar` steps. `parts` ``(P, L)``, bool,
    tells where each of several parts sounds: a window is used where two of them do for a quarter of it or more.
    """

    data: NDArray[Any]
    onset: NDArray[np.bool_]
    sounding: NDArray[np.bool_]
    bar: float
    parts: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Candidate:
    """A preset that may fit a file, as `Adapter.select` sees it.

    `settings` are its adapter's; `content` is what it is for, if that is special (``"speech"``); `suits` gives the
    log-odds that samples ``(T,)`` with a rate in Hz are that. `doubt` is a line for the user, if it may not fit.
    """

    name: str
    settings: Mapping[str, Any]
    content: str
    suits: Callable[[NDArray[np.float32], int], float]
    doubt: str = ""
