"""Builds codecs from presets, and loads trained ones from checkpoints."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from musicae import checkpoint, hub, registry
from musicae.codec.codec import Codec
from musicae.core import Adapter, Likelihood, Lower, Model, Prior
from musicae.errors import MusicaeError
from musicae.memory import VARIABLE, check_memory, in_bytes, memory_limit
from musicae.preset import Preset
from musicae.tensors.allocation import AllocationLimit, skip_initialisation

__all__ = ["build", "load"]

_COPIES = 2  # Of a file of weights: those read, and those of the network.
_BYTES = 4  # Of a number in a network.
_NETWORK_SHARE = 0.5  # Of the memory allowed, for a network that is built; the rest is for building it.
_EXTRA_NUMBERS = 2**24  # That a network may create besides its weights: tables, windows.


@dataclass(frozen=True)
class _File:
    """A checkpoint as its header describes it, and the one that it is built over, if it is a stack.

    Its tensors have `numbers` in all. Loading it, with what it is built over, takes `needed` bytes; `title` names both.
    """

    path: Path
    title: str
    recipe: Preset
    step: int
    numbers: int
    needed: int
    below: _File | None


def build(recipe: Preset, device: str | torch.device = "cpu") -> Codec:
    """Build an untrained codec. Raise MusicaeError for settings out of range, at odds, or that take too much memory.

    A stack is built over a codec that is loaded, whose digest its preset has from then on (see `load`).
    """
    recipe, file = _lower(recipe)
    below, free, of = None, memory_limit(), "allowed"
    if file is not None:
        check_memory(file.needed, file.title)
        below, of = _load(file, device), "that [lower] leaves"
        free -= file.needed // _COPIES
    limit = int(_NETWORK_SHARE * free)
    size = f"the network of '{recipe.name}' takes more than {in_bytes(limit)}, half of the memory {of}"
    most = AllocationLimit(limit // _BYTES, f"{size}; set {VARIABLE}=8G to allow more")
    return _assemble(recipe, below, torch.device(device), most)


def load(name: str, device: str | torch.device = "cpu") -> Codec:
    """Load a trained codec: a preset's name, or the path of a ``.safetensors`` file.

    Raise MusicaeError, one line, for a checkpoint that is missing, cut short, of a newer format,
    or whose tensors do not fit the model it names; for a stack also where what it was trained over is not as it was.
    """
    file = _examine(hub.weights(name))
    check_memory(file.needed, file.title)
    return _load(file, device)


def _examine(path: Path) -> _File:
    """Read and check the header of a checkpoint, and of those that it is built over."""
    header = checkpoint.read_header(path)
    try:
        recipe, step = Preset.from_dict(header["preset"]), header["step"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MusicaeError(f"{path} is not a complete musicae checkpoint: its header is damaged") from error
    if (below := recipe.part("lower")) is not None and not below[1].get("digest"):
        raise MusicaeError(f"{path} is not a complete musicae checkpoint: its header names no digest of [lower]")
    if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step < 2**63:
        raise MusicaeError(f"{path} is not a complete musicae checkpoint: the step in its header is damaged")
    numbers = sum(map(math.prod, checkpoint.shapes(path).values()))
    title, needed, lower = str(path), _COPIES * max(_BYTES * numbers, path.stat().st_size), _lower(recipe, path)[1]
    if lower is not None:
        title, needed = f"{title} over {lower.title}", needed + lower.needed
    return _File(path, title, recipe, step, numbers, needed, lower)


def _lower(recipe: Preset, above: Path | None = None) -> tuple[Preset, _File | None]:
    """Return a preset with the digest of the weights that its model is built over, and these, if there are any.

    Those beside the stack's own weights, `above`, come first.

    Raise MusicaeError where they are missing, or others than before. Since a file cannot hold its own digest, none is
    built over itself.
    """
    if (part := recipe.part("lower")) is None:
        return recipe, None
    name, settings = part
    path = hub.lower_weights(name, above)
    digest = checkpoint.digest(path)
    if settings.get("digest") not in ("", None, digest):
        raise MusicaeError(f"'{recipe.name}' was trained over other weights of '{name}'; train it again over these")
    section = {"name": name, "digest": digest}
    return replace(recipe, sections={**recipe.sections, "lower": section}), _examine(path)


def _load(file: _File, device: str | torch.device) -> Codec:
    """Load a checkpoint, after what it is built over, which has a limit of its own."""
    below = _load(file.below, device) if file.below else None
    misfit = f"{file.path} does not fit the model its header names; it was damaged or changed"
    # A header may name a model of any size: no more is built than the file has weights for.
    with skip_initialisation():
        most = AllocationLimit(file.numbers + _EXTRA_NUMBERS, misfit)
        codec = _assemble(file.recipe, below, torch.device(device), most)
    networks = codec.networks()
    tensors = checkpoint.read(file.path)[1]
    if not checkpoint.fits(tensors, networks.state_dict()):
        raise MusicaeError(misfit)
    networks.load_state_dict(tensors)
    codec.step, codec.path = file.step, file.path
    networks.eval()
    return codec


def _assemble(recipe: Preset, below: Codec | None, device: torch.device, limit: AllocationLimit) -> Codec:
    """Build a codec within `limit`, over `below` if it is a stack, and move it to its device."""
    try:
        with limit:
            codec = _parts(recipe, below, device)
    except (RuntimeError, ValueError, TypeError, ArithmeticError, MemoryError) as error:  # From inside PyTorch.
        raise MusicaeError(f"the settings of '{recipe.name}' do not go together ({error!s:.300})") from error
    codec.networks().to(codec.device)
    return codec


def _parts(recipe: Preset, below: Codec | None, device: torch.device) -> Codec:
    name, settings = recipe.part("adapter") or ("", {})
    adapter: Adapter = registry.build("adapters", name, **settings)
    lower = []
    if below is not None:
        _check_steps(recipe, adapter, below.preset)
        lower = [Lower(below.model, below.spec)]
    name, settings = recipe.part("model") or ("", {})
    model: Model = registry.build("models", name, adapter.spec, *lower, **settings)
    name, settings = recipe.part("likelihood") or (adapter.spec.likelihood, {})
    likelihood: Likelihood = registry.build("likelihoods", name, **settings).bind(adapter.spec)
    prior: Prior | None = None
    if (part := recipe.part("prior")) is not None:
        prior = registry.build("priors", part[0], model.latent_size, **part[1])
        channels = model.condition.channels if model.condition else 0
        if prior.cond_channels not in (0, channels):
            raise MusicaeError(f"[prior] cond_channels must be 0, or the model's {channels}, not {prior.cond_channels}")
    return Codec(recipe, adapter, model, likelihood, prior, device=device)


def _check_steps(recipe: Preset, adapter: Adapter, below: Preset) -> None:
    """Raise MusicaeError unless the windows of a stack are made of the same steps as those that it is built over."""
    (name, settings), (lower_name, lower_settings) = (one.part("adapter") or ("", {}) for one in (recipe, below))
    if name != lower_name:
        raise MusicaeError(f"[lower] has the adapter '{lower_name}', not '{name}'; choose a preset of the same adapter")
    own, lower = (registry.resolve("adapters", name, one) for one in (settings, lower_settings))
    for key in own:
        if key not in adapter.free_settings and own[key] != lower[key]:
            raise MusicaeError(f"[adapter] {key} must be {lower[key]!r}, as in [lower], not {own[key]!r}")
