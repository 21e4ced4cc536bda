"""Where the weights of a preset are, and its attributes."""

from __future__ import annotations

import os
from pathlib import Path

from musicae import preset
from musicae.errors import MusicaeError

__all__ = ["attributes_of", "find_weights", "weights"]


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
