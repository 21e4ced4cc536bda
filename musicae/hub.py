"""Where a preset, its weights and its attributes are: in a file, with the package, or at the Hugging Face hub."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from musicae import preset, remote
from musicae.errors import MusicaeError
from musicae.preset import Preset

__all__ = ["attributes_of", "find_weights", "lower_of", "lower_weights", "recipe", "weights"]


def recipe(name: str, overrides: Sequence[str] = ()) -> Preset:
    """Read the preset `name` as `preset.load` does; ``hf:user/name`` is one at the hub.

    A stack from there is built over the weights that came with it.
    """
    if not remote.is_remote(name):
        return preset.load(name, overrides)
    path = remote.fetch(name)
    found, below = preset.load(str(path), overrides), lower_of(path)
    lower = found.sections.get("lower")
    if lower is None or not below.is_file() or any(text.strip().startswith("lower.") for text in overrides):
        return found
    return replace(found, sections={**found.sections, "lower": {**lower, "name": str(below)}})


def weights(name: str) -> Path:
    """Return the checkpoint that `name` means: a ``.safetensors`` file, or the weights beside a preset's TOML.

    Raise MusicaeError for a preset that does not exist, or has no weights.
    """
    path = find_weights(name)
    if path is None:
        raise MusicaeError(f"the preset '{name}' has no trained weights yet; run: musicae train {name}")
    return path


def find_weights(name: str) -> Path | None:
    """Return the checkpoint as `weights` does, but None for a preset that has none."""
    path = Path(name)
    if remote.is_remote(name):
        beside = remote.fetch(name).with_suffix(".safetensors")
        return beside if beside.is_file() else None
    if path.suffix == ".safetensors":
        return path
    try:
        beside = preset.find(name).with_suffix(".safetensors")
    except MusicaeError:
        if os.path.isfile(f"{name}.safetensors"):  # noqa: PTH113, since Path.is_file raises for a name too long.
            raise MusicaeError(f"no preset is named '{name}'; for the file here, name {name}.safetensors") from None
        raise
    return beside if beside.is_file() else None


def attributes_of(weights: Path) -> Path:
    """Return where the attributes lie that were fitted to a checkpoint: beside it."""
    return weights.with_suffix(".attributes.safetensors")


def lower_of(weights: Path) -> Path:
    """Return where the weights may lie that a stack's were trained over: beside them."""
    return weights.with_suffix(".lower.safetensors")


def lower_weights(name: str, above: Path | None = None) -> Path:
    """Return the checkpoint under a stack: beside the stack's own weights, `above`, or else what `name` means.

    The name stands in a file, so nothing is fetched for it: of the hub only what is in the cache is taken.
    Raise MusicaeError where there is none.
    """
    if above is not None and lower_of(above).is_file():
        return lower_of(above)
    if not remote.is_remote(name):
        return weights(name)
    found = remote.cached(name)
    if found is None:
        raise MusicaeError(f"this stack lies over {name}, which is not in the cache; fetch it: musicae show {name}")
    return weights(str(found))
