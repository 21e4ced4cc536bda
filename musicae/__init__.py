"""Autoencoders for music: one engine over tensors, thin adapters for files, trained presets.

``musicae.load("melody-2bar")`` gives a codec; `interpolate`, `sample` and the other verbs do what
the commands of the same names do. Everything is imported when it is first used, so that
``import musicae`` costs nothing.

`musicae.train` and `musicae.evaluate` are always the submodules, so what they do has another name
here: `train_preset` trains a preset from its data, and `measure` gives a checkpoint's figures.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .errors import MusicaeError

if TYPE_CHECKING:
    from .codec import Codec as Codec
    from .codec import load as load
    from .codes import decode as decode
    from .codes import encode as encode
    from .evaluate import evaluate as measure
    from .ops import denoise as denoise
    from .ops import interpolate as interpolate
    from .ops import reconstruct as reconstruct
    from .ops import sample as sample
    from .ops import upscale as upscale
    from .ops import vary as vary
    from .recordings import denoise_recording as denoise_recording
    from .recordings import upscale_recording as upscale_recording
    from .scoring import score as score
    from .train import train as train_preset

_HOMES = {
    "Codec": "codec:Codec",
    "decode": "codes:decode",
    "denoise": "ops:denoise",
    "denoise_recording": "recordings:denoise_recording",
    "encode": "codes:encode",
    "interpolate": "ops:interpolate",
    "load": "codec:load",
    "measure": "evaluate:evaluate",
    "reconstruct": "ops:reconstruct",
    "sample": "ops:sample",
    "score": "scoring:score",
    "train_preset": "train:train",
    "upscale": "ops:upscale",
    "upscale_recording": "recordings:upscale_recording",
    "vary": "ops:vary",
}
_SUBMODULES = ("evaluate", "train")

__all__ = [
    "Codec",
    "MusicaeError",
    "decode",
    "denoise",
    "denoise_recording",
    "encode",
    "interpolate",
    "load",
    "measure",
    "reconstruct",
    "sample",
    "score",
    "train_preset",
    "upscale",
    "upscale_recording",
    "vary",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first asked for (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        return version("musicae")
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    found = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *_HOMES, *_SUBMODULES, "__version__"})
