"""The words that every part shares: Spec, Sample, Latent, Windows, and what adapters and models promise.

Axes are lettered the same way everywhere: ``B`` examples, ``C`` channels, ``*S`` the spatial axes
(``T`` steps of a melody or a sound, ``H, W`` of a picture), ``D`` numbers of a code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

__all__ = [
    "Adapter",
    "Autoencoder",
    "Choose",
    "Corruption",
    "Latent",
    "Likelihood",
    "Prior",
    "Restorer",
    "Sample",
    "Spec",
    "Streamer",
    "Windows",
]

Choose = Callable[[Tensor], Tensor]
"""Turns a likelihood's parameters ``(B, C, *S)`` into values ``(B, C, *S)``: its mode, or a draw."""


@dataclass(frozen=True)
class Spec:
    """The shape and the nature of one window of an adapter's tensors.

    `channels` is ``C``, `shape` the spatial axes ``*S`` of a window, `likelihood` the registered
    name of how its values are distributed (``"categorical"``: one-hot over ``C``;
    ``"bernoulli"``: each value 0 or 1; ``"gaussian"``: real numbers).
    """

    channels: int
    shape: tuple[int, ...]
    likelihood: str

    @property
    def full_shape(self) -> tuple[int, ...]:
        """``(C, *S)``."""
        return (self.channels, *self.shape)


@dataclass
class Sample:
    """What an adapter reads from one file, and what it writes to one.

    `tensor` is ``(C, *S)`` for the whole file, float32, its last axis as long as the file is.
    `meta` holds what the tensor does not but `write` restores (tempo, program, velocities ...); as
    JSON has it, for a model with a code, since files of codes hold it.
    `hop` is the step in which windows are cut along the last axis; None means the window's length.
    `remarks` says each choice the adapter made, a line each, for ``--verbose``.
    """

    tensor: Tensor
    meta: dict[str, Any] = field(default_factory=dict)
    hop: int | None = None
    remarks: list[str] = field(default_factory=list)


@dataclass
class Latent:
    """A diagonal Gaussian over codes, or a point: ``mean`` and ``logvar`` are ``(B, D)``.

    `logvar` is the natural logarithm of the *variance* (not of the standard deviation);
    None makes it a point, as a plain autoencoder gives: then `kl` is zero and `sample` the mean.
    """

    mean: Tensor
    logvar: Tensor | None = None

    def sample(self, generator: torch.Generator | None = None, temperature: float = 1.0) -> Tensor:
        """Draw ``mean + temperature * std * noise``, ``(B, D)`` (Kingma and Welling 2014, eq. 10)."""
        if self.logvar is None:
            return self.mean
        noise = torch.randn(self.mean.shape, generator=generator).to(self.mean)
        return self.mean + temperature * (0.5 * self.logvar).exp() * noise

    def kl(self) -> Tensor:
        """Return KL(q || N(0, 1)) in nats for each number of the code, ``(B, D)`` (same paper, app. B)."""
        if self.logvar is None:
            return torch.zeros_like(self.mean)
        return 0.5 * (self.mean.square() + self.logvar.exp() - 1.0 - self.logvar)


@dataclass
class Windows:
    """One split of a data set, in memory.

    `data` is ``(N, C, *S)`` values, or, for one-hot data, ``(N, *S)`` class indices (any integer type).
    With `levels` it is ``(N, C, *S)`` integers 0 .. `levels` that stand for values 0 .. 1 (255: bytes of a picture).
    `pieces` ``(N,)`` numbers the piece (tune, recording, speaker) each window comes from;
    `labels` ``(N,)`` are classes, where the set has them; `names` the pieces' names.
    """

    data: Tensor
    pieces: Tensor
    channels: int
    names: list[str] = field(default_factory=list)
    labels: Tensor | None = None
    levels: int = 0

    def __len__(self) -> int:
        return len(self.data)

    def batch(self, index: Tensor) -> Tensor:
        """Return the windows at `index` ``(B,)`` as float32 ``(B, C, *S)``."""
        chosen = self.data[index]
        if self.levels:
            return chosen.float() / self.levels
        if chosen.is_floating_point() or chosen.dtype == torch.bool:
            return chosen.float()
        one_hot = torch.nn.functional.one_hot(chosen.long(), self.channels)
        return one_hot.movedim(-1, 1).float()

    def subset(self, index: Tensor) -> Windows:
        """Return the windows at `index` ``(n,)`` as a split of their own."""
        labels = None if self.labels is None else self.labels[index]
        return replace(self, data=self.data[index], pieces=self.pieces[index], labels=labels)


@runtime_checkable
class Adapter(Protocol):
    """One modality's files <-> tensors. Its constructor's keywords are the preset's ``[adapter]`` settings."""

    suffixes: ClassVar[tuple[str, ...]]
    """File endings it reads, lower case, with the dot."""

    @property
    def spec(self) -> Spec:
        """What one window looks like."""

    def read(self, path: Path, **options: Any) -> Sample:
        """Read a file. Raise MusicaeError, one line, for anything that cannot be read."""

    def write(self, sample: Sample, path: Path) -> None:
        """Write a file, whole or not at all (through a temporary name)."""

    def blank(self) -> dict[str, Any]:
        """Return the `meta` of something that no file gave: a draw from the prior."""

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        """Return the `meta` between several, as the codes are mixed; `weights` sum to one."""

    def concat(self, parts: Sequence[Sample]) -> Sample:
        """Put samples one after another into one."""

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Return `batch` ``(B, C, *S)`` changed at random in a way that keeps it real data (transposed, flipped)."""

    def canonical(self, data: Tensor) -> Tensor:
        """Map stored windows (see `Windows.data`) to one representative of all that `augment` makes of them."""


class Autoencoder(Protocol):
    """A network over ``(B, C, *S)``. Built as ``factory(spec, **settings)``, settings from ``[model]``.

    It may also have ``penalty``, called as ``penalty(latent, generator)``: a scalar added to the loss, what it asks
    of its codes besides (sparsity, an adversary); ``prepare``, called before training with windows ``(N, C, *S)`` as
    training alters them, ``prepared`` of them (400 where it does not say); and, where it has no code, be a `Restorer`.
    """

    latent_size: int
    """``D``, the numbers in a code; 0 where there is no code (a language model, a U-Net)."""

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Return the code of `x` ``(B, C, *S)``. Raise MusicaeError where the model has none."""

    def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the likelihood's parameters ``(B, C, *S)``; `x` is the target, for step-wise decoders."""

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Return values ``(B, C, *S)`` from codes ``(B, D)``; `choose` picks them, step by step if need be."""


@runtime_checkable
class Restorer(Protocol):
    """A network without a code that makes a clean tensor of a corrupted one, of any size that `multiple` divides."""

    multiple: int

    def restore(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the likelihood's parameters ``(B, C, *S)`` for corrupted values `x` ``(B, C, *S)``."""


@runtime_checkable
class Streamer(Restorer, Protocol):
    """A `Restorer` along one axis that takes its input block by block, each a multiple of `multiple` steps."""

    delay: int
    """By how many steps the output is later than the input."""

    def stream(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return the output ``(B, C, T)`` for the next block ``(B, C, T)``, and the state to give with the one after.

        The state is None at the start. Blocks of any sizes give together what one block of all of them gives.
        """


class Likelihood(Protocol):
    """What turns decoder outputs into a distribution and a loss."""

    def nll(self, params: Tensor, target: Tensor) -> Tensor:
        """Return the negative log-likelihood in nats of each example, ``(B,)``."""

    def mode(self, params: Tensor) -> Tensor:
        """Return the likeliest values, ``(B, C, *S)``."""

    def sample(self, params: Tensor, temperature: float, generator: torch.Generator | None = None) -> Tensor:
        """Draw values; temperature 0 is the mode."""


class Prior(Protocol):
    """A distribution over codes, learned beside the model. Built as ``factory(latent_size, **settings)``.

    `cond` ``(B, classes)`` is given only where the model is conditional and the prior has a setting `classes` > 0:
    others may leave the parameter out. One over the first numbers of a code only has ``numbers``: how many; of the
    noise that draws are made from, the others are 0.
    """

    def loss(self, z: Tensor, generator: torch.Generator, cond: Tensor | None = None) -> Tensor:
        """Return what training minimises for codes ``(B, D)``, a scalar."""

    def sample(
        self, n: int, generator: torch.Generator | None = None, temperature: float = 1.0, cond: Tensor | None = None
    ) -> Tensor:
        """Draw ``(n, D)``; `temperature` scales the noise that the draws are made from."""

    def to_noise(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return where codes ``(B, D)`` lie in the noise N(0, 1) that draws are made from; `from_noise` undoes it."""

    def from_noise(self, noise: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the codes ``(B, D)`` of places in the noise."""


Corruption = Callable[[Tensor, torch.Generator], Tensor]
"""Makes the input of a denoising task from the clean batch ``(B, C, *S)``, which stays the target.

One that mixes other recordings in has a method ``feed(windows, noises)``: the training data, and those of the preset's
``[noise]`` section, or None.
"""
