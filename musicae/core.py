"""The whole contract: the values that all parts share, and what each kind of part promises.

A part subclasses its base class here, implements what is abstract, and overrides the defaults it can do better.
Nothing else is asked of a part: what is not on this page is never looked for.

Axes have the same letters everywhere: ``B`` examples, ``C`` channels, ``*S`` the spatial axes
(``T`` steps of a melody or a sound, ``H, W`` of a picture), ``D`` numbers of a code, ``K`` channels of a condition,
``L`` the length of a whole file along the last axis.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from musicae.errors import MusicaeError
from musicae.shared_batch import normal

__all__ = [
    "Adapter",
    "Candidate",
    "Choose",
    "ConditionSpec",
    "Corruption",
    "File",
    "Group",
    "Latent",
    "Likelihood",
    "Model",
    "Packed",
    "Prior",
    "Roll",
    "Sample",
    "Source",
    "Spec",
    "State",
    "Stored",
    "Windows",
]

Choose = Callable[[Tensor], Tensor]
"""Turns a likelihood's parameters ``(B, C, *S)`` into values ``(B, C, *S)``: their mode, or a draw."""

File = Path | BinaryIO
"""What adapters read and write: a path, or a binary stream (a seekable one to read from)."""

State = tuple[Tensor, ...]
"""What a streaming model carries from block to block."""


# --- values --------------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class ConditionSpec:
    """The extra input of a conditional model.

    `channels` is ``K``. With `along` a condition is ``(K, T)``, a column for each step of the last axis (chords), else
    ``(K,)``. With `classes` it is one-hot: a label.
    """

    channels: int
    along: bool = False
    classes: bool = False

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

    @abstractmethod
    def subset(self, index: Tensor) -> Stored:
        """Return the windows at `index` ``(n,)`` without reading them."""


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
    cond: Tensor | None = None

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
        cond = None if self.cond is None else self.cond[index]
        data = self.data[index] if isinstance(self.data, Tensor) else self.data.subset(index)
        return replace(self, data=data, pieces=self.pieces[index], labels=labels, cond=cond)

    def values(self) -> Tensor:
        """Return all windows as they are kept, `data` in memory."""
        return self.data if isinstance(self.data, Tensor) else self.data[torch.arange(len(self))]


@dataclass
class Roll:
    """The piano roll of a sample of notes.

    `notes` are ``(start, length, row)``, the first two in steps; `length` is the sample's, in steps. Rows are MIDI
    pitches, or, where `labels` name them, lanes from 0 up. `meters` are ``(step, numerator, denominator)``.
    """

    notes: list[tuple[int, int, int]]
    length: int
    steps_per_beat: int
    labels: tuple[str, ...] = ()
    meters: Sequence[Sequence[int]] = ((0, 4, 4),)


@dataclass(frozen=True)
class Packed:
    """A whole file of notes as training keeps it.

    `data` is ``(L,)`` classes or ``(C, L)`` values, as in `Windows.data`; `onset` and `sounding` ``(L,)``, bool, tell
    where a note begins, and where one sounds. The first bar has `bar` steps.
    """

    data: NDArray[Any]
    onset: NDArray[np.bool_]
    sounding: NDArray[np.bool_]
    bar: float


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


# --- parts ---------------------------------------------------------------------------------------------------------


class Adapter(ABC):
    """Converts one kind of file to and from tensors. Its keywords are the preset's ``[adapter]`` settings."""

    suffixes: ClassVar[tuple[str, ...]]
    """File endings it reads, lower case, with the dot."""

    writes: ClassVar[tuple[str, ...]] = ()
    """File endings it writes, the usual one first; none means `suffixes`."""

    default_align: ClassVar[str] = "loop"
    """What `interpolate` does to the shorter input: ``"loop"``, ``"pad"`` or ``"trim"``."""

    sample_rate: int = 0
    """In Hz, where the steps of a tensor are samples of a sound; else 0."""

    steps_per_second: float = 0.0
    """Steps of the last axis in a second, where they are evenly spaced in time; else 0."""

    any_size: bool = False
    """Whether `read` takes a picture at its own size, not the window's, and an option ``as_bytes=True``: uint8 then."""

    @property
    @abstractmethod
    def spec(self) -> Spec:
        """What one window looks like."""

    @abstractmethod
    def read(self, file: File, *args: Any, **options: Any) -> Sample:
        """Read a file. Raise MusicaeError, one line, for anything that cannot be read.

        Further options are keywords of its own, such as ``fit: str | None = None``.
        """

    def read_packed(self, file: File, *args: Any, **options: Any) -> Packed | Sample:
        """Read a file of notes for training: packed, where that is faster than `read`."""
        return self.read(file, *args, **options)

    @abstractmethod
    def write(self, sample: Sample, file: File) -> None:
        """Write a file. At a path it appears complete or not at all (through a temporary name)."""

    @abstractmethod
    def blank(self) -> dict[str, Any]:
        """Return the `meta` of something that came from no file, such as a draw from the prior."""

    def check_meta(self, meta: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a file of codes, which may be hostile, says of a sample: checked, and filled in from `blank`."""
        return {**self.blank(), **meta}

    @abstractmethod
    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Return the `meta` between several, mixed as the codes are; `weights` sum to one."""

    @abstractmethod
    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Join samples end to end into one."""

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return `batch` ``(B, C, *S)`` changed at random in a way that keeps it real data (transposed, flipped)."""
        return batch

    def augment_with(
        self, batch: Tensor, cond: Tensor | None, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Return `augment` of a batch, and its conditions ``(B, K)`` or ``(B, K, T)``, changed alike (chords moved)."""
        return self.augment(batch, generator), cond

    def canonical(self, data: Tensor) -> Tensor:
        """Map stored windows (see `Windows.data`) to one representative of all that `augment` makes of them."""
        return data

    @classmethod
    def sniff(cls, head: bytes, file: File) -> float:
        """Return how well this adapter fits a file, 0 (not at all) to 1; the highest of all adapters wins.

        `head` is how the file begins, up to 64 KiB. By default it is .5 for a path with one of the `suffixes`.
        """
        return 0.5 if isinstance(file, Path) and file.suffix.lower() in cls.suffixes else 0.0

    @classmethod
    def select(cls, file: File, candidates: Sequence[Candidate], scale: int = 1) -> Candidate:
        """Return which of several presets for one verb fits a file best; the first, by default.

        `scale` is the factor by which the verb enlarges the file.
        """
        return candidates[0]

    def onsets(self, x: Tensor) -> Tensor:
        """Return where something begins in ``(N, C, T)``: ``(N, C', T)``, 0 or 1."""
        return x

    def sounding(self, x: Tensor) -> Tensor:
        """Return at which steps of ``(N, C, T)`` something begins or goes on: ``(N, T)``, bool."""
        return x.bool().any(1)

    def roll(self, sample: Sample) -> Roll | None:
        """Return the piano roll of a sample of notes; None for anything else."""
        return None

    def picture(self, tensor: Tensor) -> Tensor | None:
        """Return a sample's tensor as a picture ``(1, H, W)``, 0 to 1 (a spectrogram); None if it has none."""
        return None

    def render(self, sample: Sample, file: File) -> str:
        """Write the sound of a sample as WAV; return a remark. Raise MusicaeError where it has none."""
        raise MusicaeError("--wav: the output of this preset has no sound; leave it out")

    def blocks(self, file: File) -> Iterator[NDArray[np.float32]]:
        """Go through a file of sound as ``(T,)`` samples at `sample_rate`, block by block."""
        raise MusicaeError("this data set holds samples of sound; use it with the adapter 'audio'")

    def round_trip(self, x: Tensor) -> Tensor:
        """Return ``(N, C, *S)`` as it would be after writing to files and reading back, apart from rounding."""
        return x


class Model(nn.Module):
    """A network over ``(B, C, *S)``. Built as ``factory(spec, **settings)``, settings from ``[model]``.

    An autoencoder implements `encode` and `params`. A network without a code that restores corrupted tensors sets
    `restores` and implements `restore`; one that streams sets `streams` too, with `initial_state` and `stream`.
    """

    latent_size: int = 0
    """``D``, the numbers in a code; 0 where there is no code (a language model, a U-Net)."""

    why_no_code: str = "this model has no code"
    """The error message when a code is asked for and there is none."""

    condition: ConditionSpec | None = None
    """Its extra input; None for a model that is not conditional."""

    init_samples: int = 0
    """How many windows `init_from_data` needs."""

    restores: bool = False
    """Whether it implements `restore`, for tensors of any size that `multiple` divides."""

    multiple: int = 1
    """The size of a restored tensor, or of a block of a stream, must be a multiple of this."""

    streams: bool = False
    """Whether it implements `stream`."""

    delay: int = 0
    """How many steps the output of `stream` lags behind its input."""

    channels_last: bool = True
    """Whether a CPU is faster at pictures with their channels last in memory; at group norms it is not."""

    def forward(
        self, given: Tensor, target: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Latent]:
        """Return the likelihood's parameters ``(B, C, *S)`` for `target`, and the code of `given`, for training.

        `given` is `target` after the preset's corruption; codes are drawn with `rng`.
        """
        latent = self.encode(given, cond)
        return self.params(latent.sample(rng), target, cond), latent

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Return the code of `x` ``(B, C, *S)``. Raise MusicaeError where the model has none."""
        self._refuse()

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        """Return the likelihood's parameters ``(B, C, *S)`` of codes `z`; `x` is the target, for step-wise decoders."""
        self._refuse()

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Return values ``(B, C, *S)`` from codes ``(B, D)``; `choose` picks them, step by step if needed."""
        return choose(self.params(z, None, cond).float())

    def restore(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the likelihood's parameters ``(B, C, *S)`` for corrupted values `x` ``(B, C, *S)``."""
        raise MusicaeError("this model cannot restore; use an autoencoder or a U-Net")

    def initial_state(self, batch: int = 1) -> State:
        """Return the state before the first block of `batch` streams."""
        return ()

    def stream(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the output ``(B, C, T)`` for the next block ``(B, C, T)``, and the state for the one after.

        However a signal is cut into blocks, the output is the same; `multiple` must divide the size of each block.
        """
        raise MusicaeError("this model cannot work on streams; use `restore`")

    def penalty(self, latent: Latent, rng: torch.Generator) -> Tensor | None:
        """Return an extra term of the loss, a scalar (for sparsity, or from a discriminator); None for none."""
        return None

    def init_from_data(self, x: Tensor) -> None:
        """Initialise from windows ``(N, C, *S)`` of the training data, augmented as in training."""

    def _refuse(self) -> NoReturn:
        raise MusicaeError(self.why_no_code)


class Prior(nn.Module):
    """A distribution over codes, trained alongside the model. Built as ``factory(latent_size, **settings)``.

    `cond` is the model's condition, ``(B, K)``, or ``(B, K, T)``, of which it takes the mean over time; a prior with
    `cond_channels` 0 ignores it.
    """

    active_size: int
    """How many leading numbers of a code it models; the noise of the others is 0."""

    cond_channels: int = 0
    """``K``; 0 for a prior that is not conditional."""

    def loss(self, z: Tensor, generator: torch.Generator, cond: Tensor | None = None) -> Tensor:
        """Return what training minimises for codes ``(B, D)``, a scalar."""
        raise NotImplementedError

    def to_noise(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return where codes ``(B, D)`` lie in the noise N(0, 1) that draws are made from; `from_noise` undoes it."""
        raise NotImplementedError

    def from_noise(self, noise: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the codes ``(B, D)`` of places in the noise."""
        raise NotImplementedError


class Likelihood(ABC):
    """Turns a model's output into a distribution and a loss. Built as ``factory(**settings)``."""

    discrete: bool = False
    """Whether values come from a finite set: they are then not averaged, and are either right or wrong."""

    probabilities: bool = False
    """Whether `nll` takes values between 0 and 1 as probabilities of a 1, as the greys of a picture may be."""

    def bind(self, spec: Spec) -> Likelihood:
        """Return the likelihood for tensors of `spec`: itself, unless it must know the groups."""
        return self

    @abstractmethod
    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the negative log-likelihood in nats of each example, ``(B,)``."""

    def nll_parts(self, params: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Return the parts of `nll` that are logged by their names, each ``(B,)``; none by default."""
        return {}

    @abstractmethod
    def mode(self, params: Tensor) -> Tensor:
        """Return the most probable values, ``(B, C, *S)``."""

    @abstractmethod
    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw values; temperature 0 is the mode."""

    def blank(self, channels: int) -> Tensor:
        """Return one step of nothing (a rest, silence), ``(C,)``."""
        return torch.zeros(channels)

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """Return how far values ``(N, C, *S)`` lie apart, ``(N,)``; an axis of 1 is repeated.

        Discrete ones: the share of places along ``*S`` where any channel differs; real ones: the root mean square.
        """
        if self.discrete:
            return (x != y).any(dim=1).float().flatten(1).mean(1)
        return (x - y).square().flatten(1).mean(1).sqrt()

    def likeness(self, x: Tensor, y: Tensor, other: Tensor) -> Tensor:
        """Return how much of `x` is left in `y`, ``(N,)``: equal places; real values: 1 less the way to `other`."""
        return 1 - (self.distance(x, y) / (1 if self.discrete else self.distance(x, other))).nan_to_num().clamp_max(1)

    def compact(self, x: Tensor) -> Tensor:
        """Return values in as few channels as possible, ``(N, C', *S)``, with the same `distance`."""
        return x

    def free_values(self, channels: int) -> int:
        """Return how many values at one place are free: all channels, or 1 where they are one-hot."""
        return channels

    def averaged(self, channels: int) -> Tensor:
        """Return which channels are averaged where windows overlap, bool ``(C,)``: those of real values."""
        return torch.full((channels,), not self.discrete)

    def pack(self, x: Tensor) -> Tensor:
        """Return values ``(N, C, *S)`` as data sets keep them (see `Windows.data`)."""
        return x.bool() if self.discrete else x

    def flaw(self, x: Tensor, axis: int) -> str:
        """Return what is wrong with values whose channels are at `axis`; an empty string if nothing is."""
        return ""


class Corruption(ABC):
    """Makes the input of a task from the clean batch ``(B, C, *S)``, which stays the target.

    Built as ``factory(**settings)``, settings from ``[corruption]``. The result depends only on the batch and the
    generator, so that resumed training gives the same bits.
    """

    factor: int = 1
    """The factor by which it reduces each spatial axis; a model that undoes it enlarges by as much. 1: not at all."""

    @abstractmethod
    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the corrupted batch ``(B, C, *S)``."""

    def feed(self, windows: Windows, noises: Windows | None) -> None:  # noqa: B027 - most mix nothing in
        """Take the training data, and recorded noise (the preset's ``[noise]`` section), to mix in."""

    def reduce(self, batch: Tensor) -> Tensor:
        """Return ``(B, C, *S / factor)``."""
        raise MusicaeError("this corruption does not reduce pictures; use 'downsample'")

    def enlarge(self, batch: Tensor) -> Tensor:
        """Return ``(B, C, *S * factor)``: the input of a model that undoes this."""
        raise MusicaeError("this corruption does not reduce pictures; use 'downsample'")
