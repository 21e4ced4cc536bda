"""A codec: an adapter, a model, a likelihood and perhaps a prior, put together as a preset says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import checkpoint, preset, registry, windows
from .core import Adapter, Autoencoder, Corruption, Latent, Likelihood, Prior, Restorer, Sample, Spec, Streamer, Windows
from .errors import MusicaeError
from .preset import Preset

__all__ = ["Codec", "build", "generator", "load", "prior_labels", "weights_of"]

_STREAMED = 2**17  # Steps that a streaming model is given at once.
_TILE, _CONTEXT = 512, 64  # Places along an axis restored at once, and those around them that are seen as well.


def generator(*seeds: int) -> torch.Generator:
    """Return a CPU generator whose stream depends on every one of `seeds`."""
    mixed = 0
    for seed in seeds:
        mixed = (mixed * 6364136223846793005 + seed + 1442695040888963407) % 2**63
    return torch.Generator().manual_seed(mixed)


def prior_labels(prior: Any, cond: Tensor | None) -> tuple[Tensor, ...]:
    """Return the labels as a prior's last argument; nothing for one that is not a distribution for each class."""
    return (cond,) if cond is not None and getattr(prior, "classes", None) else ()


@dataclass
class Codec:
    """Files <-> tensors <-> codes. Make one with `load` or `build`; a model is in `eval` mode after `load`."""

    preset: Preset
    adapter: Adapter
    model: Autoencoder
    likelihood: Likelihood
    prior: Prior | None = None
    step: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def spec(self) -> Spec:
        """What one window looks like."""
        return self.adapter.spec

    def networks(self) -> nn.ModuleDict:
        """Return all that has weights, as one module."""
        parts: dict[str, Any] = {"model": self.model}
        if self.prior is not None:
            parts["prior"] = self.prior
        return nn.ModuleDict(parts)

    def split(self, sample: Sample) -> Tensor:
        """Cut a sample into windows ``(N, C, *S)``, the last padded with its adapter's blank step."""
        return windows.split(sample.tensor, self.spec.shape[-1], sample.hop, self.blank_step())

    def join(self, parts: Tensor, hop: int | None, length: int | None) -> Tensor:
        """Undo `split`; values that are not one-hot or binary are mixed where windows overlap."""
        return windows.join(parts, hop, length, fade=self.spec.likelihood == "gaussian")

    def blank_step(self) -> Tensor:
        """Return one step of nothing (a rest, silence), ``(C, 1 ..., 1)``: what `split` pads with."""
        step = torch.zeros(self.spec.channels, *(1,) * len(self.spec.shape))
        if self.spec.likelihood == "categorical":
            step[0] = 1.0
        return step

    @torch.no_grad()
    def encode(self, x: Tensor, cond: Tensor | None = None, batch: int = 1024) -> Latent:
        """Return the codes of windows ``(N, C, *S)``, on the CPU."""
        parts = []
        for i in range(0, len(x), batch):
            labels = None if cond is None else cond[i : i + batch].to(self.device)
            parts.append(self.model.encode(x[i : i + batch].to(self.device), labels))
        mean = torch.cat([part.mean for part in parts]).cpu()
        logvar = torch.cat([part.logvar for part in parts if part.logvar is not None] or [mean[:0]]).cpu()
        return Latent(mean, logvar if len(logvar) else None)

    @torch.no_grad()
    def decode(
        self, z: Tensor, temperature: float = 0.0, seed: int = 0, cond: Tensor | None = None, batch: int = 1024
    ) -> Tensor:
        """Return the windows ``(N, C, *S)`` of codes ``(N, D)``, on the CPU; temperature 0 takes the likeliest."""
        rng = generator(seed)

        def choose(params: Tensor) -> Tensor:
            return self.likelihood.sample(params.float(), temperature, rng)

        parts = []
        for i in range(0, len(z), batch):
            labels = None if cond is None else cond[i : i + batch].to(self.device)
            parts.append(self.model.decode(z[i : i + batch].to(self.device), choose, labels).cpu())
        return torch.cat(parts) if parts else torch.zeros(0, *self.spec.full_shape)

    @torch.no_grad()
    def decode_and_doubt(self, z: Tensor, batch: int = 1024) -> tuple[Tensor, Tensor]:
        """Return the likeliest windows of codes ``(N, D)``, and their `nll` ``(N,)``, which is nearly free here."""
        steps: list[Tensor] = []

        def choose(params: Tensor) -> Tensor:
            value = self.likelihood.mode(params.float())
            steps.append(self.likelihood.nll(params.float(), value))
            return value

        parts, doubts = [torch.zeros(0, *self.spec.full_shape)], [torch.zeros(0)]
        for i in range(0, len(z), batch):
            parts.append(self.model.decode(z[i : i + batch].to(self.device), choose).cpu())
            doubts.append(torch.stack(steps).sum(0).cpu())
            steps.clear()
        return torch.cat(parts), torch.cat(doubts)

    @torch.no_grad()
    def restore(self, x: Tensor, cond: Tensor | None = None, batch: int = 256) -> Tensor:
        """Return what the model makes of corrupted windows ``(N, C, *S)``, on the CPU.

        A model without a code restores them; of one with a code it is the reconstruction from the code's mean.
        Raise MusicaeError for a model that has neither (a language model).
        """
        model: Any = self.model
        if model.latent_size:
            return self.decode(self.encode(x, cond).mean, cond=cond)
        if not isinstance(model, Restorer):
            raise MusicaeError(f"the preset '{self.preset.name}' restores nothing; use an autoencoder or a U-Net")
        parts = [torch.zeros(0, *x.shape[1:])]
        for i in range(0, len(x), batch):
            labels = None if cond is None else cond[i : i + batch].to(self.device)
            params = model.restore(x[i : i + batch].to(self.device), labels)
            parts.append(self.likelihood.mode(params.float()).cpu())
        return torch.cat(parts)

    def restore_whole(self, x: Tensor, report: Callable[[int, int], None] | None = None) -> Tensor:
        """Restore ``(C, *S)`` of any size, in overlapping tiles: the memory of the network does not grow with it.

        `report` gets the tiles done and their number. Raise MusicaeError for a model with a code, whose size is fixed.
        """
        if not isinstance(self.model, Restorer):
            raise MusicaeError(
                f"the preset '{self.preset.name}' has a code of fixed size; "
                f"it restores windows of {'x'.join(map(str, self.spec.shape))} only"
            )
        if isinstance(self.model, Streamer):
            return self._streamed(x, self.model, report)
        grain, out = self.model.multiple, torch.empty_like(x)
        places = windows.tiles(x.shape[1:], _TILE, _CONTEXT, grain)
        for i, (context, inner, place) in enumerate(places):
            if report:
                report(i, len(places))
            tile = x[(slice(None), *context)]
            missing = [n for size in reversed(tile.shape[1:]) for n in (0, -size % grain)]
            # Noise that is drawn out to lines would be taken for lines.
            mirrored = all(-size % grain < size for size in tile.shape[1:])
            padded = nn.functional.pad(tile[None], missing, mode="reflect" if mirrored else "replicate")
            out[(slice(None), *place)] = self.restore(padded)[0][(slice(None), *inner)]
        if report:
            report(len(places), len(places))
        return out

    @torch.no_grad()
    def _streamed(self, x: Tensor, model: Streamer, report: Callable[[int, int], None] | None) -> Tensor:
        """Restore ``(C, T)`` block by block; what a block leaves behind goes on with the next."""
        size = -(-_STREAMED // model.multiple) * model.multiple
        parts, state, done = [], None, 0
        padded = nn.functional.pad(x, (0, model.delay + -(x.shape[-1] + model.delay) % model.multiple))
        for block in torch.split(padded, size, dim=-1):
            if report:
                report(min(done, x.shape[-1]), x.shape[-1])
            params, state = model.stream(block[None].to(self.device), state)
            parts.append(self.likelihood.mode(params.float())[0].cpu())
            done += block.shape[-1]
        if report:
            report(x.shape[-1], x.shape[-1])
        return torch.cat(parts, dim=-1)[..., model.delay : model.delay + x.shape[-1]]

    def corruption(self) -> Corruption | None:
        """Return what the preset was trained to undo, if anything."""
        part = self.preset.part("corruption")
        made: Corruption | None = registry.build("corruptions", part[0], **part[1]) if part else None
        return made

    def labels(self, index: Tensor) -> Tensor:
        """Return the labels at `index` ``(N,)`` as the `cond` ``(N, classes)`` of a conditional model, one-hot.

        Raise MusicaeError for a model without classes, or a label that it does not have.
        """
        classes = int(getattr(self.model, "classes", 0))
        if not classes:
            raise MusicaeError(f"the preset '{self.preset.name}' takes no label; use a conditional one")
        if len(index) and not 0 <= int(index.min()) <= int(index.max()) < classes:
            raise MusicaeError(f"the labels of '{self.preset.name}' are 0 to {classes - 1}")
        return nn.functional.one_hot(index.long(), classes).float()

    def labels_of(self, windows: Windows, index: Tensor | None = None) -> Tensor | None:
        """Return the `cond` ``(N, classes)`` of windows (those at `index`) for a conditional model, None for any other.

        Raise MusicaeError for windows without labels, where the model needs them.
        """
        if not getattr(self.model, "classes", 0):
            return None
        if windows.labels is None:
            raise MusicaeError(f"the preset '{self.preset.name}' is conditional, and its data set has no labels")
        return self.labels(windows.labels if index is None else windows.labels[index])

    @torch.no_grad()
    def nll(self, z: Tensor, x: Tensor, cond: Tensor | None = None, batch: int = 1024) -> Tensor:
        """Return -log p(x|z) in nats of windows ``(N, C, *S)`` given codes ``(N, D)``: ``(N,)``."""
        parts = [torch.zeros(0)]
        for i in range(0, len(z), batch):
            chosen = x[i : i + batch].to(self.device)
            labels = None if cond is None else cond[i : i + batch].to(self.device)
            params = self.model.params(z[i : i + batch].to(self.device), chosen, labels)
            parts.append(self.likelihood.nll(params.float(), chosen).cpu())
        return torch.cat(parts)

    def noise(self, n: int, seed: int = 0, temperature: float = 1.0) -> Tensor:
        """Draw `n` places in N(0, 1), ``(n, D)``; `temperature` scales them.

        What a prior has no distribution for (see its `numbers`) is 0.
        """
        noise = torch.randn(n, self.model.latent_size, generator=generator(seed)) * temperature
        noise[:, getattr(self.prior, "numbers", self.model.latent_size) :] = 0.0
        return noise

    def to_noise(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return where codes ``(N, D)`` lie in N(0, 1) as the prior sees them: the codes themselves without one."""
        if self.prior is None:
            return z
        return self.prior.to_noise(z.to(self.device), *self._prior_labels(cond)).cpu()

    def from_noise(self, noise: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the codes ``(N, D)`` of places in N(0, 1), the inverse of `to_noise`."""
        if self.prior is None:
            return noise
        return self.prior.from_noise(noise.to(self.device), *self._prior_labels(cond)).cpu()

    def _prior_labels(self, cond: Tensor | None) -> tuple[Tensor, ...]:
        """Return the labels as the prior's last argument; nothing for one that is not conditional."""
        return prior_labels(self.prior, None if cond is None else cond.to(self.device))

    def draw(self, n: int, seed: int = 0, temperature: float = 1.0, cond: Tensor | None = None) -> Tensor:
        """Draw `n` codes ``(n, D)`` from the trained prior, or from N(0, 1) where there is none.

        `cond` ``(n, classes)`` says of which class each is to be, for a conditional prior.
        """
        return self.from_noise(self.noise(n, seed, temperature), cond)

    def save(self, path: Path, half: bool = True, tensors: Mapping[str, Tensor] | None = None) -> None:
        """Write a checkpoint that `load` reads, in half precision unless told otherwise.

        `tensors` takes the place of the networks' own weights (their average, say).
        """
        header = {"preset": self.preset.as_dict(), "step": self.step, "version": _version()}
        checkpoint.write(path, self.networks().state_dict() if tensors is None else tensors, header, half=half)


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("musicae")
    except metadata.PackageNotFoundError:
        return "0"


def build(recipe: Preset, device: str | torch.device = "cpu") -> Codec:
    """Build an untrained codec from a preset; every setting is checked against its factory."""
    name, settings = recipe.part("adapter") or ("", {})
    adapter = registry.build("adapters", name, **settings)
    name, settings = recipe.part("model") or ("", {})
    model = registry.build("models", name, adapter.spec, **settings)
    name, settings = recipe.part("likelihood") or (adapter.spec.likelihood, {})
    likelihood = registry.build("likelihoods", name, **settings)
    prior = None
    if (part := recipe.part("prior")) is not None:
        prior = registry.build("priors", part[0], model.latent_size, **part[1])
    codec = Codec(recipe, adapter, model, likelihood, prior, device=torch.device(device))
    codec.networks().to(codec.device)
    return codec


@contextmanager
def _skip_initialisation() -> Iterator[None]:
    """Make layers without drawing their starting weights: a checkpoint fills them anyway."""
    names = ("kaiming_uniform_", "uniform_", "normal_", "zeros_", "ones_")
    kept = {name: getattr(nn.init, name) for name in names}
    try:
        for name in names:
            setattr(nn.init, name, lambda tensor, *args, **kwargs: tensor)
        yield
    finally:
        for name, function in kept.items():
            setattr(nn.init, name, function)


def weights_of(name: str) -> Path:
    """Return the checkpoint that `name` stands for: a file, or the weights beside a preset's TOML."""
    path = Path(name)
    if path.suffix == ".safetensors":
        return path
    found = preset.find(name).with_suffix(".safetensors")
    if not found.is_file():
        raise MusicaeError(f"the preset '{name}' has no trained weights yet; run: musicae train {name}")
    return found


def load(name: str, device: str | torch.device = "cpu") -> Codec:
    """Load a trained codec: a preset's name, or the path of a ``.safetensors`` file.

    Raise MusicaeError, one line, for a checkpoint that is missing, cut short, of a newer format,
    or whose tensors do not fit the model it names.
    """
    path = weights_of(name)
    header, tensors = checkpoint.read(path)
    try:
        recipe, step = Preset.from_dict(header["preset"]), int(header["step"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MusicaeError(f"{path} is not a whole musicae checkpoint: its header is damaged") from error
    with _skip_initialisation():
        codec = build(recipe, device)
    networks = codec.networks()
    try:
        networks.load_state_dict(tensors)
    except RuntimeError as error:
        raise MusicaeError(f"{path} does not fit the model its header names; it was damaged or changed") from error
    codec.step = step
    networks.eval()
    return codec
