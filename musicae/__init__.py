"""Autoencoders for music: one engine over tensors, thin adapters for files, trained presets.

``musicae.load("melody-2bar")`` gives a codec; `interpolate`, `sample` and the other verbs do what the commands of the
same names do. Everything is imported when it is first used, so that ``import musicae`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from musicae import threads
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from musicae.codec import Codec as Codec
    from musicae.codec import load as load
    from musicae.evaluations.run import evaluate as evaluate
    from musicae.exports.run import export as export
    from musicae.ops.accompany import accompany as accompany
    from musicae.ops.chords import chords as chords
    from musicae.ops.codes import decode as decode
    from musicae.ops.codes import encode as encode
    from musicae.ops.drumify import drumify as drumify
    from musicae.ops.humanize import humanize as humanize
    from musicae.ops.info import info as info
    from musicae.ops.interpolate import interpolate as interpolate
    from musicae.ops.map_folder import map_folder as map_folder
    from musicae.ops.personalize import personalize as personalize
    from musicae.ops.push import push as push
    from musicae.ops.reconstruct import reconstruct as reconstruct
    from musicae.ops.restore import denoise as denoise
    from musicae.ops.restore import restore as restore
    from musicae.ops.restore import upscale as upscale
    from musicae.ops.sample import sample as sample
    from musicae.ops.score import score as score
    from musicae.ops.shift import shift as shift
    from musicae.ops.similar import similar as similar
    from musicae.ops.stream import Denoiser as Denoiser
    from musicae.ops.transcribe import transcribe as transcribe
    from musicae.ops.vary import vary as vary
    from musicae.training.loop import train as train

_HOMES = {
    "Codec": "codec",
    "Denoiser": "ops.stream",
    "accompany": "ops.accompany",
    "chords": "ops.chords",
    "decode": "ops.codes",
    "denoise": "ops.restore",
    "drumify": "ops.drumify",
    "encode": "ops.codes",
    "evaluate": "evaluations.run",
    "export": "exports.run",
    "humanize": "ops.humanize",
    "info": "ops.info",
    "interpolate": "ops.interpolate",
    "load": "codec",
    "map_folder": "ops.map_folder",
    "personalize": "ops.personalize",
    "push": "ops.push",
    "reconstruct": "ops.reconstruct",
    "restore": "ops.restore",
    "sample": "ops.sample",
    "score": "ops.score",
    "shift": "ops.shift",
    "similar": "ops.similar",
    "train": "training.loop",
    "transcribe": "ops.transcribe",
    "upscale": "ops.restore",
    "vary": "ops.vary",
}

__all__ = [
    "Codec",
    "Denoiser",
    "MusicaeError",
    "accompany",
    "chords",
    "decode",
    "denoise",
    "drumify",
    "encode",
    "evaluate",
    "export",
    "humanize",
    "info",
    "interpolate",
    "load",
    "map_folder",
    "personalize",
    "push",
    "reconstruct",
    "restore",
    "sample",
    "score",
    "shift",
    "similar",
    "train",
    "transcribe",
    "upscale",
    "vary",
]

threads.wait_passively()  # It must be before torch is loaded.


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first asked for (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        return version("musicae")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *_HOMES, "__version__"})
