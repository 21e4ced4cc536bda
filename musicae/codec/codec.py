"""A codec: an adapter, a model, a likelihood and perhaps a prior, put together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from musicae import checkpoint, registry, threads
from musicae.codec.refining import refined
from musicae.core import Adapter, Corruption, Latent, Likelihood, Model, Prior, Sample, Spec, Stored, Windows
from musicae.errors import MusicaeError
from musicae.memory import give_back
from musicae.preset import Preset
from musicae.tensors import windows
from musicae.tensors.precision import coarse
from musicae.tensors.random import generator
from musicae.tensors.tiling import in_blocks, in_tiles

__all__ = ["Codec"]

Report = Callable[[int, int], None]
"""Called with how much is done, and how much there is in all."""


@dataclass
class Codec:
    """Files <-> tensors <-> codes. Make one with `load` or `build`; a model is in `eval` mode after `load`.

    Conditions `cond` are ``(N, K)`` or ``(N, K, T)``, a row for each window; None for a model that takes none.
    """

    preset: Preset
    adapter: Adapter
    model: Model
    likelihood: Likelihood
    prior: Prior | None = None
    step: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    path: Path | None = None
    """The checkpoint that it was loaded from."""

    @property
    def spec(self) -> Spec:
        """What one window looks like."""
        return self.adapter.spec

    def networks(self) -> nn.ModuleDict:
        """Return everything that has weights, as one module."""
        parts: dict[str, nn.Module] = {"model": self.model}
        if self.prior is not None:
            parts["prior"] = self.prior
        return nn.ModuleDict(parts)

    # --- windows ---------------------------------------------------------------------------------------------------

    def split(self, sample: Sample) -> Tensor:
        """Cut a sample into windows ``(N, C, *S)``, the last padded with blank steps."""
        return windows.split(sample.tensor, self.spec.shape[-1], sample.hop, self.blank_step())

    def split_cond(self, sample: Sample) -> Tensor | None:
        """Return a sample's condition for each of its windows: ``(N, K)``, or ``(N, K, T)`` cut as they are."""
        return windows.split_cond(sample, self.spec.shape[-1])

    def join(self, parts: Tensor, hop: int | None, length: int | None) -> Tensor:
        """Undo `split`; real values are averaged where windows overlap, discrete ones are not."""
        return windows.join_channels(parts, hop, length, self.likelihood.averaged(parts.shape[1]))

    def join_cond(self, cond: Tensor | None, hop: int | None, length: int | None) -> Tensor | None:
        """Undo `split_cond`."""
        return windows.join_cond(cond, hop, length)

    def blank_step(self) -> Tensor:
        """Return one step of nothing (a rest, silence), ``(C, 1 ..., 1)``: what `split` pads with."""
        return self.likelihood.blank(self.spec.channels).view(-1, *(1,) * len(self.spec.shape))

    # --- codes -----------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def encode(self, x: Tensor, cond: Tensor | None = None, batch: int = 1024, *, refine: bool = False) -> Latent:
        """Return the codes of windows ``(N, C, *S)``, on the CPU; with `refine` better ones, if the model has such."""
        parts = []
        with self._threads(x):
            for chosen, given in self._batches(batch, x, cond):
                latent = self.model.encode(chosen, given)
                if refine and self.model.refine_steps:
                    mean = refined(self.model, self.likelihood, chosen, latent, given)
                    latent = Latent(mean, latent.logvar)
                parts.append(latent)
        mean = torch.cat([part.mean for part in parts]).cpu()
        logvar = torch.cat([part.logvar for part in parts if part.logvar is not None] or [mean[:0]]).cpu()
        return Latent(mean, logvar if len(logvar) else None)

    @torch.no_grad()
    def decode(
        self, z: Tensor, temperature: float = 0.0, seed: int = 0, cond: Tensor | None = None, batch: int = 1024
    ) -> Tensor:
        """Return the windows ``(N, C, *S)`` of codes ``(N, D)``, on the CPU; temperature 0 takes the most probable.

        Raise MusicaeError for codes of another size.
        """
        if z.ndim != 2 or z.shape[1] != self.model.latent_size:
            raise MusicaeError(
                f"codes of '{self.preset.name}' are of shape (N, {self.model.latent_size}), not {tuple(z.shape)}"
            )
        rng = generator(seed)

        def choose(params: Tensor) -> Tensor:
            return self.likelihood.sample(params.float(), temperature, rng)

        parts = [torch.zeros(0, *self.spec.full_shape)]
        with self._threads(z):
            for codes, given in self._batches(batch, z, cond):
                parts.append(self.model.decode(cast(Tensor, codes), choose, given).cpu())
        return torch.cat(parts)

    @torch.no_grad()
    def params(self, z: Tensor, cond: Tensor | None = None, batch: int = 1024) -> Tensor:
        """Return the likelihood's parameters ``(N, C, *S)`` of codes ``(N, D)``, on the CPU."""
        with self._threads(z):
            parts = [
                self.model.params(codes, None, given).float().cpu() for codes, given in self._batches(batch, z, cond)
            ]
        return torch.cat([torch.zeros(0, *self.spec.full_shape), *parts])

    @torch.no_grad()
    def decode_with_nll(self, z: Tensor, cond: Tensor | None = None, batch: int = 1024) -> tuple[Tensor, Tensor]:
        """Return the most probable windows of codes ``(N, D)``, and their `nll` ``(N,)``, which is nearly free here."""
        steps: list[Tensor] = []

        def choose(params: Tensor) -> Tensor:
            value = self.likelihood.mode(params.float())
            steps.append(self.likelihood.nll(params.float(), value))
            return value

        parts, costs = [torch.zeros(0, *self.spec.full_shape)], [torch.zeros(0)]
        with self._threads(z):
            for codes, given in self._batches(batch, z, cond):
                parts.append(self.model.decode(cast(Tensor, codes), choose, given).cpu())
                costs.append(torch.stack(steps).sum(0).view(len(codes), -1).sum(1).cpu())
                steps.clear()
        return torch.cat(parts), torch.cat(costs)

    @torch.no_grad()
    def nll(self, z: Tensor, x: Tensor, cond: Tensor | None = None, batch: int = 1024) -> Tensor:
        """Return -log p(x|z) in nats of windows ``(N, C, *S)`` given codes ``(N, D)``: ``(N,)``."""
        parts = [torch.zeros(0)]
        with self._threads(x):
            for codes, chosen, given in self._batches(batch, z, x, cond):
                params = self.model.params(cast(Tensor, codes), chosen, given)
                parts.append(self.likelihood.nll(params.float(), cast(Tensor, chosen)).cpu())
        return torch.cat(parts)

    def _batches(self, batch: int, first: Tensor, *rest: Tensor | None) -> Iterator[tuple[Any, ...]]:
        """Go through tensors of one length side by side, `batch` rows at a time, on the codec's device."""
        for i in range(0, len(first), batch):
            yield tuple(None if x is None else x[i : i + batch].to(self.device) for x in (first, *rest))

    @contextmanager
    def _threads(self, x: Tensor) -> Iterator[None]:
        """Use as many threads as the work on a batch of windows or codes `x` is worth."""
        size = sum(parameter.numel() for parameter in self.model.parameters())
        with threads.suited(len(x) * math.prod(self.spec.full_shape) * size):
            yield

    # --- restoring -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def restore(self, x: Tensor, cond: Tensor | None = None, batch: int = 256) -> Tensor:
        """Return what the model makes of corrupted windows ``(N, C, *S)``, on the CPU.

        A model with a code reconstructs them from the code's mean; one without restores them.
        Raise MusicaeError for a model that can do neither (a language model).
        """
        if self.model.latent_size:
            return self.decode(self.encode(x, cond).mean, cond=cond)
        if not self.model.restores:
            raise MusicaeError(f"the preset '{self.preset.name}' cannot restore; use an autoencoder or a U-Net")
        parts = [torch.zeros(0, *x.shape[1:])]
        for chosen, given in self._batches(batch, x, cond):
            params = self.model.restore(cast(Tensor, chosen), given)
            parts.append(self.likelihood.mode(params.float()).cpu())
        return torch.cat(parts)

    def restore_any_size(self, x: Tensor, report: Report | None = None, *, in_place: bool = False) -> Tensor:
        """Restore ``(C, *S)`` of any size, block by block or in overlapping tiles, so that memory does not grow.

        `report` gets the tiles (or steps) done and their number. `in_place` overwrites `x` with the result (not where
        the model streams), which saves the memory of a second one. `x` may be bytes, uint8, whose 255 stands for 1, and
        so is the result then. Raise MusicaeError for a model with a code, whose size is fixed.
        """
        if not self.model.restores:
            raise MusicaeError(
                f"the preset '{self.preset.name}' has a code of fixed size; "
                f"it restores windows of {'x'.join(map(str, self.spec.shape))} only"
            )
        if self.model.streams:
            return self._restore_stream(x, report)
        with coarse(self.device) if x.dtype == torch.uint8 else nullcontext():
            made = in_tiles(x, self.restore, self.model.multiple, report, in_place=in_place)
        give_back()  # What the tiles took: the picture may be large, and be copied when it is written.
        return made

    @torch.no_grad()
    def _restore_stream(self, x: Tensor, report: Report | None) -> Tensor:
        """Restore ``(C, T)`` block by block."""
        state = self.model.initial_state()

        def work(block: Tensor) -> Tensor:
            nonlocal state
            params, state = self.model.stream(block[None].to(self.device), state)
            return self.likelihood.mode(params.float())[0].cpu()

        with threads.suited(0):  # Small steps, one after another: threads would only wait for each other.
            return in_blocks(x, work, self.model.multiple, self.model.delay, report)

    def corruption(self) -> Corruption | None:
        """Return what the preset was trained to undo, if anything."""
        part = self.preset.part("corruption")
        corruption: Corruption | None = registry.build("corruptions", part[0], **part[1]) if part else None
        return corruption and corruption.bind(self.spec)

    # --- conditions ------------------------------------------------------------------------------------------------

    def label_conditions(self, index: Tensor) -> Tensor:
        """Return the labels at `index` ``(N,)`` as conditions ``(N, K)``, one-hot.

        Raise MusicaeError for a model without classes, or a label that it does not have.
        """
        condition = self.model.condition
        if condition is None or not condition.classes:
            raise MusicaeError(f"the preset '{self.preset.name}' takes no label; use a conditional preset")
        if len(index) and not 0 <= int(index.min()) <= int(index.max()) < condition.channels:
            raise MusicaeError(f"the labels of '{self.preset.name}' are 0 to {condition.channels - 1}")
        return nn.functional.one_hot(index.long(), condition.channels).float()

    def conditions(self, windows: Windows, index: Tensor | None = None) -> Tensor | None:
        """Return the conditions of a data set's windows (those at `index`); None for a model that takes none.

        Raise MusicaeError for a data set without conditions, or with ones of another shape, where the model needs them.
        """
        condition = self.model.condition
        if condition is None:
            return None
        if condition.classes and windows.labels is not None:
            return self.label_conditions(windows.labels if index is None else windows.labels[index])
        if windows.cond is None and condition.optional:
            return None
        if windows.cond is None:
            what = "labels" if condition.classes else "conditions"
            raise MusicaeError(f"the preset '{self.preset.name}' is conditional, and its data set has no {what}")
        self.check_condition(windows.cond)
        return windows.cond[torch.arange(len(windows)) if index is None else index]

    def check_condition(self, cond: Tensor | Stored) -> None:
        """Raise MusicaeError for conditions ``(N, K)`` or ``(N, K, T)`` of another shape than the model takes."""
        condition = self.model.condition
        if condition is None:
            raise MusicaeError(f"the preset '{self.preset.name}' takes no condition; use a conditional preset")
        wanted = condition.shape(self.spec.shape[-1])
        if tuple(cond.shape[1:]) != wanted:
            raise MusicaeError(
                f"the conditions of '{self.preset.name}' are of shape {wanted} a window, not {tuple(cond.shape[1:])}"
            )

    # --- the prior -------------------------------------------------------------------------------------------------

    def noise(self, n: int, seed: int = 0, temperature: float = 1.0) -> Tensor:
        """Draw `n` points of N(0, 1), ``(n, D)``; `temperature` scales them.

        Numbers that the prior does not model (see `Prior.active_size`) are 0.
        """
        noise = torch.randn(n, self.model.latent_size, generator=generator(seed)) * temperature
        if self.prior is not None:
            noise[:, self.prior.active_size :] = 0.0
        return noise

    def to_noise(self, z: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Return where codes ``(N, D)`` lie in N(0, 1) as the prior sees them: the codes themselves without one.

        `given` are codes of windows with hidden parts (see `encode_known`), if the prior takes them.
        """
        if self.prior is None:
            return z
        with self._threads(z):
            return self.prior.to_noise(z.to(self.device), *self._beside(len(z), cond, given)).cpu()

    def from_noise(self, noise: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        """Return the codes ``(N, D)`` of points in N(0, 1), the inverse of `to_noise`."""
        if self.prior is None:
            return noise
        with self._threads(noise):
            return self.prior.from_noise(noise.to(self.device), *self._beside(len(noise), cond, given)).cpu()

    def _beside(self, n: int, cond: Tensor | None, given: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """Return what the prior is given besides `n` places: zeros for an optional condition that there is none of."""
        condition = self.model.condition
        if cond is None and condition is not None and condition.optional:
            cond = torch.zeros(n, *condition.shape(self.spec.shape[-1]))
        return cond if cond is None else cond.to(self.device), given if given is None else given.to(self.device)

    def encode_known(self, x: Tensor, channels: Tensor, cond: Tensor | None = None) -> Tensor | None:
        """Return the codes ``(N, D)`` of `channels` ``(C,)`` of windows ``(N, C, *S)`` alone, the others hidden.

        None where the prior takes none.
        """
        corruption = self.corruption()
        if self.prior is None or not self.prior.takes_given or corruption is None:
            return None
        return self.encode(corruption.hide(x, ~channels), cond).mean

    def under(self, z: Tensor, own: Tensor | None, asked: Tensor | None) -> Tensor:
        """Return the codes ``(N, D)`` of windows with the conditions `own` under those that are `asked` for.

        They keep their place in the noise of a prior that knows conditions. One that does not leaves them as they are.
        """
        if self.prior is None or not self.prior.cond_channels:
            return z
        place = self.to_noise(z, own)
        return z + self.from_noise(place, asked) - self.from_noise(place, own)

    def draw(self, n: int, seed: int = 0, temperature: float = 1.0, cond: Tensor | None = None) -> Tensor:
        """Draw `n` codes ``(n, D)`` from the trained prior, or N(0, 1) if there is none, under conditions `cond`."""
        return self.from_noise(self.noise(n, seed, temperature), cond)

    def save(
        self,
        path: Path,
        weights: str = "float16",
        tensors: Mapping[str, Tensor] | None = None,
        keep: Sequence[str] = (),
        also: Sequence[str] = (),
    ) -> None:
        """Write a checkpoint that `load` reads; `weights` and `keep` say how it is stored, see `checkpoint.write`.

        `tensors` replaces the networks' own weights, for example by their moving average. Buffers keep 16 bits, but for
        those whose name matches one of the patterns `also`. Raise MusicaeError for a pattern that matches none.
        """
        stored = self.networks().state_dict() if tensors is None else tensors
        buffers = sorted(stored.keys() - dict(self.networks().named_parameters()))
        smaller = {name for pattern in also for name in checkpoint.matching(buffers, pattern)}
        kept = [*keep, *(name for name in buffers if name not in smaller)]
        checkpoint.write(path, stored, {"preset": self.preset.as_dict(), "step": self.step}, weights, kept)
