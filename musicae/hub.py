"""Where a preset's weights lie."""

from __future__ import annotations

from pathlib import Path

from musicae import preset
from musicae.errors import MusicaeError

__all__ = ["find_weights", "weights"]


def weights(name: str) -> Path:
    """Return the checkpoint that `name` stands for: a ``.safetensors`` file, or the weights beside a preset's TOML.

    Raise MusicaeError for a preset that does not exist, or has no weights.
    """
    found = find_weights(name)
    if found is None:
        raise MusicaeError(f"the preset '{name}' has no trained weights yet; run: musicae train {name}")
    return found


def find_weights(name: str) -> Path | None:
    """Return what `weights` does, but None for a preset that has no weights."""
    path = Path(name)
    if path.suffix == ".safetensors":
        return path
    found = preset.find(name).with_suffix(".safetensors")
    return found if found.is_file() else None
