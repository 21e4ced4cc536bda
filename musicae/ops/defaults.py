"""Default presets by the job: a preset says in its TOML for which jobs it is one (``default_for``).

``"code"`` stands for all that goes through codes; the others are ``"sample"``, ``"accompany"``, ``"humanize"``,
``"drumify"``, ``"denoise"`` and ``"upscale"``.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from musicae import preset as presets
from musicae import registry
from musicae.errors import WITH_PRESET, MusicaeError, line_of
from musicae.preset import Preset

__all__ = [
    "adapter_name",
    "adapter_settings",
    "default_preset",
    "defaults",
    "factor",
    "nearest_in_rate",
    "readable_suffixes",
]


@cache
def defaults(job: str) -> tuple[Preset, ...]:
    """Return the presets that are a default for a job, our own first, by name; a broken one is left out."""
    found, owners = [], presets.listed()
    for name in sorted(owners, key=lambda name: (owners[name] != "musicae", name)):
        try:
            recipe = presets.load(name)
        except MusicaeError:
            continue
        if job in recipe.default_for:
            found.append(recipe)
    return tuple(found)


def default_preset(job: str) -> str:
    """Return the name of the first preset that is a default for a job. Raise MusicaeError where there is none."""
    for recipe in defaults(job):
        return recipe.name
    raise MusicaeError(line_of(f"no preset is a default for '{job}'; choose one ", WITH_PRESET))


def adapter_name(recipe: Preset) -> str:
    """Return the registered name of a preset's adapter."""
    return (recipe.part("adapter") or ("", {}))[0]


def adapter_settings(recipe: Preset) -> dict[str, Any]:
    """Return all settings of a preset's adapter, defaults filled in."""
    return registry.resolve("adapters", *(recipe.part("adapter") or ("", {})))


def factor(recipe: Preset) -> int:
    """Return by what a preset enlarges: the factor of its corruption, 1 for one that does not."""
    part = recipe.part("corruption")
    return int(registry.build("corruptions", part[0], **part[1]).factor) if part else 1


def readable_suffixes(job: str) -> set[str]:
    """Return the suffixes of the files for which there is a default preset for a job."""
    names = {adapter_name(recipe) for recipe in defaults(job)}
    return {suffix for name in names for suffix in registry.lookup("adapters", name).suffixes}


def nearest_in_rate(job: str, rate: int) -> str:
    """Return of the defaults for a job on sound the one whose sample rate is nearest to `rate` in Hz."""
    rates = {recipe.name: float(adapter_settings(recipe).get("sample_rate") or 0) for recipe in defaults(job)}
    known = {name: own for name, own in rates.items() if own}
    if not known:
        raise MusicaeError(line_of(f"no preset is a default for '{job}' on sound; choose one ", WITH_PRESET))
    return min(known, key=lambda name: abs(math.log2(rate / known[name])))
