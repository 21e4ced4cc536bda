"""What presets there are to play with, and what the page must know of each."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import torch

from musicae import codec as codecs
from musicae import hub, preset
from musicae.codec import Codec
from musicae.errors import WITH_PRESET, MusicaeError, did_you_mean, line_of
from musicae.ops import attributes
from musicae.ops.attributes import Fitted
from musicae.ops.conditions import class_names, takes_chords
from musicae.ops.inputs import options_of
from musicae.ops.playing import programs_of
from musicae.ops.stream import restores_streams
from musicae.ops.suffixes import suffix_like, suffixes_written
from musicae.tensors.band import CHORD_CHANNELS

__all__ = ["RESTORED", "Catalog", "facts", "kind_of"]

RESTORED = ("recording", "photo")
"""The kinds of presets that restore one file, which is shown before and after."""


def kind_of(codec: Codec) -> str:
    """Return what a preset is on the page: ``"notes"``, ``"picture"``, ``"sound"``, one of `RESTORED`; else ``""``."""
    condition = codec.model.condition
    if not codec.model.latent_size:
        photos = codec.model.restores and codec.adapter.any_size
        return "recording" if restores_streams(codec) else "photo" if photos else ""
    if condition is not None and not (condition.optional or condition.classes):
        return ""  # It needs what nobody can give there.
    if codec.adapter.plays:
        return "notes"
    if codec.adapter.steps_per_second:
        return "sound"
    return "picture" if ".png" in suffixes_written(codec.adapter) else ""


def facts(codec: Codec) -> dict[str, Any]:
    """Return what the page is told of a preset that can be played with."""
    parts = list(codec.spec.parts)
    traits = attributes.load(codec).traits if attributes.has(codec) else ()
    return {
        "name": codec.preset.name,
        "kind": kind_of(codec),
        "description": codec.preset.description,
        "parts": parts if len(parts) > 1 else [],
        "plays": bool(codec.adapter.plays),
        "bars": "bars" in options_of(codec.adapter),
        "draws": codec.model.latent_size > 0,
        "classes": class_names(codec),
        "chords": takes_chords(codec, torch.zeros(CHORD_CHANNELS, 1)),
        "attributes": [
            {
                "name": one.name,
                "unit": one.unit,
                "mean": one.mean,
                "spread": one.spread,
                "about": attributes.about(one.name),
            }
            for one in traits
        ],
        "programs": programs_of(codec, codec.adapter.blank()),
        "suffix": suffix_like(codec.adapter),
        "map": codec.model.latent_size == 2 and len(codec.spec.shape) == 2,
    }


class Catalog:
    """Codecs by the names of their presets, each loaded once; only those of `names` can be asked for.

    `names` maps the name of each preset to what it is loaded by: its name, or the path of a checkpoint.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._codecs: dict[str, Codec] = {}
        self._fitted: dict[str, Fitted] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        self._locks = {name: threading.Lock() for name in names}

    @classmethod
    def of_all(cls, chosen: str | None = None) -> Catalog:
        """Return a catalog of all presets that have weights, and of the one `chosen`, which may be a path."""
        names = {name: name for name in preset.listed() if hub.find_weights(name) is not None}
        made = cls(names)
        if chosen is not None:
            made.add(chosen)
        return made

    def add(self, source: str) -> str:
        """Take in the preset that a name or a path stands for, and return its name. Raise MusicaeError as `load`."""
        loaded = codecs.load(source)
        name = loaded.preset.name
        self._locks.setdefault(name, threading.Lock())
        self._names[name], self._codecs[name] = source, loaded
        if not kind_of(loaded):
            raise MusicaeError(line_of(f"there is nothing to play with in '{name}'; choose another ", WITH_PRESET))
        return name

    def codec(self, name: str) -> Codec:
        """Return a codec. Raise MusicaeError for a preset that is not on the list."""
        if name not in self._names:
            raise MusicaeError(f"no preset named '{name:.60}'{did_you_mean(name[:60], self._names)}")
        with self._locks[name]:
            if name not in self._codecs:
                self._codecs[name] = codecs.load(self._names[name])
            return self._codecs[name]

    def fitted(self, name: str) -> Fitted:
        """Return the attributes of a preset. Raise MusicaeError where none were fitted."""
        codec = self.codec(name)
        with self._locks[name]:
            if name not in self._fitted:
                self._fitted[name] = attributes.load(codec)
            return self._fitted[name]

    def facts(self) -> list[dict[str, Any]]:
        """Return what the page is told, of all presets that can be played with; the first call loads them all."""
        for name in self._names:
            if name not in self._facts:
                codec = self.codec(name)
                self._facts[name] = facts(codec) if kind_of(codec) else {}
        return [found for name in self._names if (found := self._facts[name])]
