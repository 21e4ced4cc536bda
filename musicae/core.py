"""The whole contract: what each kind of part promises, and (from `musicae.values`) the values that all parts share.

A part subclasses its base class here (attributes: `musicae.attribute`), implements what is abstract, and overrides the
defaults it can do better. What is not on this page is never looked for. Axes have the letters of `musicae.values`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from musicae.attribute import Attribute, Notes, Spectra
from musicae.errors import MusicaeError

from musicae.values import (  # isort: skip
    Candidate, Choose, ConditionSpec, Conditioned, File, Group, Latent, Packed, Roll, Sample,
    Sound, Source, Spec, State, Stored, Unpacked, Windows,
)  # fmt: skip

__all__ = ["Adapter", "Attribute", "Candidate", "Choose", "ConditionSpec", "Conditioned", "Corruption", "File",
    "Group", "Latent", "Likelihood", "Lower", "Model", "Notes", "Packed", "Prior", "Roll", "Sample", "Sound",
    "Source", "Spec", "Spectra", "State", "Stored", "Unpacked", "Windows"]  # fmt: skip


class Adapter(ABC):
    """Converts one kind of file to and from tensors. Its keywords are the preset's ``[adapter]`` settings."""

    suffixes: ClassVar[tuple[str, ...]]
    """File endings it reads, lower case, with the dot."""

    writes: ClassVar[tuple[str, ...]] = ()
    """File endings it writes, the usual one first; none means `suffixes`."""

    default_align: ClassVar[str] = "loop"
    """What `interpolate` does to the shorter input: ``"loop"``, ``"pad"`` or ``"trim"``."""

    free_settings: ClassVar[tuple[str, ...]] = ()
    """Settings in which a stack may differ from what it is built over: a window's length, what only training uses."""

    sample_rate: int = 0
    """In Hz, where the steps of a tensor are samples of a sound; else 0."""

    steps_per_second: float = 0.0
    """Steps of the last axis in a second, where they are evenly spaced in time; else 0."""

    steps_per_beat: int = 0
    """Steps of the last axis in a quarter note, where they are a grid of music; else 0."""

    packed_blank: NDArray[Any] | None = None
    """A step of nothing as `Packed` keeps it, ``(C', 1)``, where that is not as the likelihood packs it."""

    one_track: bool = False
    """Whether a tensor is a single line, from the one track that the option ``track`` of `read` names."""

    sound: Sound | None = None
    """What turns a window of samples into one of tensors and back, where it can."""

    plays: ClassVar[str] = ""
    """What it reads of a song, as ``--only`` names it, such as ``"melody"``; empty where it reads no songs."""

    any_size: bool = False
    """Whether `read` takes a picture at its own size, not the window's, and an option ``as_bytes=True``: uint8 then."""

    attributes: tuple[str, ...] = ()
    """Registered names of the attributes of a window; ``"drums.density"`` is that of a part."""

    @property
    @abstractmethod
    def spec(self) -> Spec:
        """What one window looks like."""

    def measure(self, attribute: Attribute, x: Tensor, part: str = "") -> Tensor:
        """Return one of its attributes for windows ``(B, C, *S)``, or for a part of them: ``(B,)``."""
        raise MusicaeError("this adapter's windows have no attributes")

    @abstractmethod
    def read(self, file: File, *args: Any, **options: Any) -> Sample:
        """Read a file; options are keywords of its own. Raise MusicaeError, one line, for what cannot be read."""

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

    def keep(self, made: dict[str, Any], of: dict[str, Any], parts: Collection[str]) -> dict[str, Any]:
        """Return the `meta` of something `made` whose `parts` come from what has the `meta` `of`; by default that."""
        return of

    @abstractmethod
    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Join samples end to end into one."""

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return `batch` ``(B, C, *S)`` changed at random in a way that keeps it real data (transposed, flipped)."""
        return batch

    def augment_with(self, batch: Tensor, cond: Tensor | None, generator: torch.Generator) -> Conditioned:
        """Return `augment` of a batch, and its conditions ``(B, K)`` or ``(B, K, T)``, changed alike (chords moved)."""
        return self.augment(batch, generator), cond

    def unpacked(self, windows: Windows) -> Windows:
        """Return the windows of a data set, which are kept as `Packed` has them, so that they give values."""
        return windows

    def canonical(self, data: Tensor) -> Tensor:
        """Map stored windows (see `Windows.data`) to one representative of all that `augment` makes; a row each."""
        return data

    @classmethod
    def sniff(cls, head: bytes, file: File) -> float:
        """Return how well it fits a file that begins with `head` (64 KiB at most), 0 to 1; the highest wins."""
        return 0.5 if isinstance(file, Path) and file.suffix.lower() in cls.suffixes else 0.0

    @classmethod
    def select(cls, file: File, candidates: Sequence[Candidate], scale: int = 1) -> Candidate:
        """Return which of several presets for a verb that enlarges by `scale` fits a file best; by default one."""
        return candidates[0]

    def onsets(self, x: Tensor) -> Tensor:
        """Return where something begins in ``(N, C, T)``: ``(N, C', T)``, 0 or 1."""
        return x

    def sounding(self, x: Tensor) -> Tensor:
        """Return at which steps of ``(N, C, T)`` something begins or goes on: ``(N, T)``, bool."""
        return x.bool().any(1)

    def chords(self, sample: Sample) -> Tensor | None:
        """Return the chords of a sample of notes, ``(24, L)`` as `musicae.tensors.chords` has them; None without."""
        return None

    def rolls(self, sample: Sample) -> list[Roll]:
        """Return the piano rolls of a sample of notes, one for each part; none for anything else."""
        return []

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

    An autoencoder implements `encode` and `params`; one without a code sets `restores`, perhaps `streams`, to True.
    """

    latent_size: int = 0
    """``D``, the numbers in a code; 0 where there is no code (a language model, a U-Net)."""

    why_no_code: str = "this model has no code"
    """The error message when a code is asked for and there is none."""

    code_frames: int = 1
    """Of how many frames, side by side in time, a code consists; 1 where its numbers are of the whole window."""

    condition: ConditionSpec | None = None
    """Its extra input; None for a model that is not conditional."""

    init_samples: int = 0
    """How many windows `init_from_data` needs."""

    refine_steps: int = 0
    """How many steps of gradient descent may improve a code (see `Codec.encode`)."""

    restores: bool = False
    """Whether it implements `restore`, for tensors of any size that `multiple` divides."""

    multiple: int = 1
    """The size of a restored tensor, or of a block of a stream, must be a multiple of this."""

    streams: bool = False
    """Whether it implements `initial_state` and `stream`."""

    delay: int = 0
    """How many steps the output of `stream` lags behind its input."""

    stepwise: bool = False
    """Whether `decode` writes step by step, from `features` by `step`."""

    channels_last: bool = True
    """Whether a CPU is faster at pictures with their channels last in memory; at group norms it is not."""

    def forward(
        self, given: Tensor, target: Tensor, cond: Tensor | None = None, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Latent]:
        """Return the parameters ``(B, C, *S)`` for `target` and the code of `given`, corrupted; `rng` draws codes."""
        latent = self.encode(given, cond)
        return self.params(latent.sample(rng), target, cond), latent

    def reconstruction(
        self, given: Tensor, target: Tensor, cond: Tensor | None, rng: torch.Generator | None, likelihood: Likelihood
    ) -> tuple[Tensor, dict[str, Tensor], Latent]:
        """Return what training minimises apart from the KL, in nats ``(B,)``, its parts by name, and the code."""
        params, latent = self(given, target, cond, rng)
        return likelihood.nll(params, target), likelihood.nll_parts(params, target), latent

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Return the code of `x` ``(B, C, *S)``. Raise MusicaeError where the model has none."""
        raise MusicaeError(self.why_no_code)

    def params(self, z: Tensor, x: Tensor | None = None, cond: Tensor | None = None) -> Tensor:
        """Return the likelihood's parameters ``(B, C, *S)`` of codes `z`; `x` is the target, for step-wise decoders."""
        raise MusicaeError(self.why_no_code)

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Return values ``(B, C, *S)`` from codes ``(B, D)``; `choose` picks them, step by step if needed."""
        return choose(self.params(z, None, cond).float())

    def features(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return what `step` is given of codes ``(B, D)``: ``(B, W, T, H)``, W windows of T steps side by side."""
        raise MusicaeError("this model writes all steps at once; use `decode`")

    def step(self, features: Tensor, previous: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the parameters ``(N, C)`` of a step after `previous` ``(N, C)``, given ``(N, H)``, and the state."""
        raise MusicaeError("this model writes all steps at once; use `decode`")

    def restore(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the likelihood's parameters ``(B, C, *S)`` for corrupted values `x` ``(B, C, *S)``."""
        raise MusicaeError("this model cannot restore; use an autoencoder or a U-Net")

    def initial_state(self, batch: int = 1) -> State:
        """Return the state before the first block, or step, of `batch` streams."""
        return ()

    def stream(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the output for a block ``(B, C, T)``, the same however a signal is cut, and the state for the next."""
        raise MusicaeError("this model cannot work on streams; use `restore`")

    def penalty(self, latent: Latent, rng: torch.Generator) -> Tensor | None:
        """Return an extra term of the loss, a scalar (for sparsity, or from a discriminator); None for none."""
        return None

    def init_from_data(self, x: Tensor) -> None:
        """Initialise from windows ``(N, C, *S)`` of the training data, augmented as in training."""


class Lower(NamedTuple):
    """A trained model with a code, over whose codes another is built, and what its windows look like."""

    model: Model
    spec: Spec


class Prior(nn.Module):
    """A distribution over codes, trained alongside the model. Built as ``factory(latent_size, **settings)``."""

    active_size: int
    """How many leading numbers of a code it models; the noise of the others is 0."""

    cond_channels: int = 0
    """``K`` of the model's condition `cond`, ``(B, K)`` or ``(B, K, T)``; a prior with 0 ignores it."""

    takes_given: bool = False
    """Whether it takes `given`, the codes ``(B, D)`` of windows with hidden parts (see `Corruption.hides`); 0: none."""

    def loss(self, z: Tensor, rng: torch.Generator, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Return what training minimises for codes ``(B, D)``, a scalar."""
        raise NotImplementedError

    def to_noise(self, z: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Return where codes ``(B, D)`` lie in the noise N(0, 1) that draws are made from; `from_noise` undoes it."""
        raise NotImplementedError

    def from_noise(self, noise: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
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
        """Return how far values ``(N, C, *S)`` lie apart, ``(N,)``: the share of places that differ, or the RMS."""
        apart = (x != y).any(dim=1).float() if self.discrete else (x - y).square()
        return apart.flatten(1).mean(1) if self.discrete else apart.flatten(1).mean(1).sqrt()

    def accuracy(self, x: Tensor, y: Tensor) -> Tensor:
        """Return how right `y` is for `x` ``(N, C, *S)``, ``(N,)``: share of places; real values: of the variance."""
        error = self.distance(x, y)
        return 1 - (error if self.discrete else error.square() / x.flatten(1).var(1, correction=0).clamp_min(1e-12))

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
    """Makes a task's input from its target ``(B, C, *S)`` and a generator only. Built as ``factory(**settings)``."""

    factor: int = 1
    """The factor by which it reduces each spatial axis; a model that undoes it enlarges by as much. 1: not at all."""

    hides: Corruption | None = None
    """What hides parts of windows from a prior that `takes_given`, in training; it implements `hide`."""

    @abstractmethod
    def __call__(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return the corrupted batch ``(B, C, *S)``."""

    def bind(self, spec: Spec) -> Corruption:
        """Return the corruption for tensors of `spec`: itself, unless it must know the groups."""
        return self

    def feed(self, windows: Windows, noises: Windows | None) -> None:  # noqa: B027 - most mix nothing in
        """Take the training data, and recorded noise (the preset's ``[noise]`` section), to mix in."""

    def hide(self, batch: Tensor, channels: Tensor) -> Tensor:
        """Return the batch with `channels` ``(C,)`` hidden, as unknown."""
        raise MusicaeError("this corruption hides no parts; use 'hide-parts'")

    def reduce(self, batch: Tensor) -> Tensor:
        """Return ``(B, C, *S / factor)``."""
        raise MusicaeError("this corruption does not reduce pictures; use 'downsample'")

    def enlarge(self, batch: Tensor) -> Tensor:
        """Return ``(B, C, *S * factor)``: the input of a model that undoes this."""
        raise MusicaeError("this corruption does not reduce pictures; use 'downsample'")
