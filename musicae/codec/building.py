"""Builds codecs from presets, and loads trained ones from checkpoints."""

from __future__ import annotations

import math
from dataclasses import replace

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


def build(recipe: Preset, device: str | torch.device = "cpu") -> Codec:
    """Build an untrained codec. Raise MusicaeError for settings out of range, at odds, or that take too much memory."""
    limit = int(_NETWORK_SHARE * memory_limit())
    size = f"the network of '{recipe.name}' takes more than {in_bytes(limit)}, half of the memory allowed"
    return _limited(recipe, device, AllocationLimit(limit // _BYTES, f"{size}; set {VARIABLE}=8G to allow more"))


def _limited(recipe: Preset, device: str | torch.device, limit: AllocationLimit) -> Codec:
    try:
        with limit:
            codec = _build(recipe, torch.device(device))
    except (RuntimeError, ValueError, TypeError, ArithmeticError, MemoryError) as error:  # From inside PyTorch.
        raise MusicaeError(f"the settings of '{recipe.name}' do not go together ({error!s:.300})") from error
    codec.networks().to(codec.device)
    return codec


def _build(recipe: Preset, device: torch.device) -> Codec:
    name, settings = recipe.part("adapter") or ("", {})
    adapter: Adapter = registry.build("adapters", name, **settings)
    recipe, below = _lower(recipe, adapter, device)
    name, settings = recipe.part("model") or ("", {})
    model: Model = registry.build("models", name, adapter.spec, *below, **settings)
    name, settings = recipe.part("likelihood") or (adapter.spec.likelihood, {})
    likelihood: Likelihood = registry.build("likelihoods", name, **settings).bind(adapter.spec)
    prior: Prior | None = None
    if (part := recipe.part("prior")) is not None:
        prior = registry.build("priors", part[0], model.latent_size, **part[1])
        channels = model.condition.channels if model.condition else 0
        if prior.cond_channels not in (0, channels):
            raise MusicaeError(f"[prior] cond_channels must be 0, or the model's {channels}, not {prior.cond_channels}")
    return Codec(recipe, adapter, model, likelihood, prior, device=device)


def _lower(recipe: Preset, adapter: Adapter, device: torch.device) -> tuple[Preset, list[Lower]]:
    """Return the preset, with the digest of the weights that its model is built over, and these.

    Raise MusicaeError where they are missing, others than before, or of another kind of window.
    """
    if (part := recipe.part("lower")) is None:
        return recipe, []
    name, settings = part
    digest = checkpoint.digest(hub.weights(name))
    if settings.get("digest") not in ("", None, digest):
        raise MusicaeError(f"'{recipe.name}' was trained over other weights of '{name}'; train it again over these")
    below = load(name, device)
    if type(below.adapter) is not type(adapter) or below.spec.groups != adapter.spec.groups:
        raise MusicaeError(f"[lower] '{name}' is for other tensors than [adapter]; choose a preset of the same adapter")
    section = {"name": name, "digest": digest}
    return replace(recipe, sections={**recipe.sections, "lower": section}), [Lower(below.model, below.spec)]


def load(name: str, device: str | torch.device = "cpu") -> Codec:
    """Load a trained codec: a preset's name, or the path of a ``.safetensors`` file.

    Raise MusicaeError, one line, for a checkpoint that is missing, cut short, of a newer format,
    or whose tensors do not fit the model it names.
    """
    path = hub.weights(name)
    header = checkpoint.read_header(path)
    try:
        recipe, step = Preset.from_dict(header["preset"]), header["step"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MusicaeError(f"{path} is not a complete musicae checkpoint: its header is damaged") from error
    if (below := recipe.part("lower")) is not None and not below[1].get("digest"):
        raise MusicaeError(f"{path} is not a complete musicae checkpoint: its header names no digest of [lower]")
    if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step < 2**63:
        raise MusicaeError(f"{path} is not a complete musicae checkpoint: the step in its header is damaged")
    misfit = f"{path} does not fit the model its header names; it was damaged or changed"
    shapes = checkpoint.shapes(path)
    numbers = sum(map(math.prod, shapes.values()))
    check_memory(_COPIES * max(_BYTES * numbers, path.stat().st_size), str(path))
    # A header may name a model of any size: no more is built than the file has weights for.
    with skip_initialisation():
        codec = _limited(recipe, device, AllocationLimit(numbers + _EXTRA_NUMBERS, misfit))
    networks = codec.networks()
    tensors = checkpoint.read(path)[1]
    if not checkpoint.fits(tensors, networks.state_dict()):
        raise MusicaeError(misfit)
    networks.load_state_dict(tensors)
    codec.step = step
    networks.eval()
    return codec
