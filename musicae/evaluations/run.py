"""A checkpoint's figures on held-out data, each with its floor and its spread, as one flat dictionary.

The suites are in `musicae.evaluations`; this module passes them what they need.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from musicae import codec as codecs
from musicae import registry, splits
from musicae.codec import Codec
from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.evaluations.shared.attributes import attribute_figures
from musicae.evaluations.shared.common import Figures, choose
from musicae.ops import attributes
from musicae.preset import Preset, override
from musicae.tensors.layout import picture_layout

__all__ = ["evaluate"]


def evaluate(
    codec: Codec | str,
    folders: Mapping[str, Path] | None = None,
    limit: int | None = None,
    against: str = "",
    changes: Sequence[str] = (),
) -> Figures:
    """Return the figures of the preset's ``[evaluation]``, on its test split.

    `codec` is a trained preset, its name, or the path of its ``.safetensors`` file. `folders` gives the folders of data
    sets (see `musicae.splits.load`), also of those that the evaluation's settings name. `limit` uses that many random
    windows instead of all. `against` names other programs to measure too, separated by commas, if the evaluation knows
    any. `changes` of the evaluation's settings are as ``"evaluation.lm=melody-lm"``. Attributes that were fitted are
    measured too. Raise MusicaeError if the preset names no evaluation, or its data cannot be found.
    """
    codec = codecs.load(codec) if isinstance(codec, str) else codec
    part = _changed(codec.preset, changes).part("evaluation")
    if part is None:
        raise MusicaeError(f"the preset '{codec.preset.name}' has no [evaluation] section; add one to measure it")
    started = time.perf_counter()
    name, settings = part[0], registry.resolve("evaluations", *part)
    parameters = inspect.signature(registry.lookup("evaluations", name)).parameters
    required = [key for key, parameter in parameters.items() if parameter.default is parameter.empty]
    if against and "against" not in required:
        raise MusicaeError(f"the evaluation '{name}' measures no other programs; leave out --against")
    available: dict[str, Any] = {"codec": codec, "folders": dict(folders or {}), "limit": limit, "against": against}
    counts: Figures = {}
    if {"train", "test"} & set(required):
        train, test = _splits(codec, settings, folders or {}, limit)
        available |= {"train": train, "test": test}
        counts = {"windows": len(test), "pieces": len(set(test.pieces.tolist()))}
    for key in required:
        if key not in available:
            raise MusicaeError(
                f"the evaluation '{name}' needs '{key}'; it can get codec, train, test, folders, limit, against"
            )
    codec.networks().to(memory_format=picture_layout(codec.model, len(codec.spec.shape), codec.device))
    figures: Figures = registry.build("evaluations", name, *(available[key] for key in required), **part[1])
    if "train" in available and attributes.has(codec):
        figures |= attribute_figures(codec, available["train"], available["test"])
    return figures | counts | {"seconds": round(time.perf_counter() - started, 1)}


def _changed(preset: Preset, changes: Sequence[str]) -> Preset:
    """Return a preset with changes of its evaluation. Raise MusicaeError for one of another section."""
    changed = replace(preset, sections={key: dict(section) for key, section in preset.sections.items()})
    for text in changes:
        if not text.strip().startswith("evaluation."):
            raise MusicaeError(f"--set {text}: a trained model stays as it is; set evaluation.key=value only")
        override(changed, text)
    return changed


def _splits(
    codec: Codec, settings: Mapping[str, Any], folders: Mapping[str, Path], limit: int | None
) -> tuple[Windows, Windows]:
    """Load the preset's own data, without the folders of sets that only a setting of the evaluation names."""
    own_sets = (codec.preset.part("dataset") or ("", {}))[0].split("+")
    listed = [value if isinstance(value, tuple | list) else [value] for value in settings.values()]
    others = {value for values in listed for value in values if isinstance(value, str) and value} - set(own_sets)
    own = {key: folder for key, folder in folders.items() if key not in others}
    train = splits.load(codec.preset, codec.adapter, "train", own)
    test = splits.load(codec.preset, codec.adapter, "test", own, train)
    if not len(test):
        raise MusicaeError("the test split is empty; give more data with --data")
    return train, choose(test, min(limit or len(test), len(test)), 0)
