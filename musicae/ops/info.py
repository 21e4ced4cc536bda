"""What a file is to musicae: music, a recording, a picture, or something that musicae wrote itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from musicae import checkpoint, hub, registry
from musicae import preset as presets
from musicae.adapters.audio import excerpt
from musicae.adapters.band import Band
from musicae.adapters.shared.arrangement import arrange, written_parts
from musicae.core import Adapter, File, Source
from musicae.errors import MusicaeError
from musicae.formats.files import name_of
from musicae.formats.music import midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.instruments import instrument_name
from musicae.formats.music.tempo_map import seconds_at
from musicae.formats.pictures import files as pictures
from musicae.formats.sound.reading import reading
from musicae.ops import codes
from musicae.ops.choose import adapter_for, choice_for
from musicae.ops.defaults import adapter_name, adapter_settings
from musicae.ops.detect import log_odds
from musicae.ops.inputs import as_file, check_file
from musicae.ops.keys import key_of_rolls
from musicae.plots import bar_lines
from musicae.tensors.musical import key_name

__all__ = ["OWN", "info"]

OWN = (".safetensors", ".toml", ".npz")
"""The endings of files that musicae writes for itself: checkpoints, presets and codes."""

Facts = dict[str, Any]

_SURE = 1.0  # Log-odds, from which speech or music is no longer in doubt.
_SILENCE_DB = -120.0


def info(source: Source) -> Facts:
    """Return what a file is, all of it as JSON has it; ``"kind"`` is one of the following.

    ``"music"`` : `format`, `tracks` (each with its number, name, instrument, notes, and the part of a band that it
        would be, None where it is left out), `bars`, `meter` and `tempo` (quarter notes a minute) at the start and how
        often they change, `key` and `seconds`.
    ``"recording"`` : `format`, `rate` in Hz, `channels`, `seconds`, `level` and `peak` in dB of full scale, and
        `content`, ``"speech"`` or ``"music"``, with `doubt` where that is not sure; None for silence.
    ``"picture"`` : `format`, `width`, `height`, `mode` (``"grey"`` or ``"colour"``), `bits` and `alpha`.
    ``"checkpoint"``, ``"preset"``, ``"codes"`` : which preset it is, or is of.

    The first three have a `preset`, the one that is taken for it, None where there is none, and `remarks` that say why.
    Raise MusicaeError for a file that is missing, damaged, or of no kind that can be read.
    """
    file = as_file(source)
    if isinstance(file, Path):
        check_file(file)
        if file.suffix.lower() in OWN:
            return _own(file)
    looks: dict[str, Callable[[File], Facts]] = {"audio": _recording, "mel": _recording, "image": _picture}
    path = str(file) if isinstance(file, Path) else None
    return {"path": path, **looks.get(adapter_for(file), _music)(file)}


def _own(file: Path) -> Facts:
    """Return what a file is that musicae wrote for itself."""
    if file.suffix.lower() == ".npz":
        found = codes.load(file)
        files = [str(name) for name in found["names"].tolist()]
        return {"path": str(file), "kind": "codes", "preset": str(found["preset"]), "windows": len(found["mean"]),
                "files": files}  # fmt: skip
    if file.suffix.lower() == ".toml":
        recipe = presets.load(str(file))
        return {"path": str(file), "kind": "preset", "preset": recipe.name, "description": recipe.description}
    header = checkpoint.read_header(file)
    recipe = presets.Preset.from_dict(header["preset"])
    return {"path": str(file), "kind": "checkpoint", "preset": recipe.name, "description": recipe.description,
            "step": header.get("step", 0)}  # fmt: skip


def _chosen(file: File) -> tuple[Facts, Adapter | None]:
    """Return the preset that is taken for a file and what it is for, and its adapter."""
    try:
        choice = choice_for(file)
    except MusicaeError as error:
        return {"preset": None, "remarks": [str(error)]}, None
    recipe = presets.load(choice.name)
    adapter: Adapter = registry.build("adapters", adapter_name(recipe), **adapter_settings(recipe))
    untrained = [] if hub.find_weights(choice.name) else [f"the preset {choice.name} is not trained"]
    return {"preset": choice.name, "description": recipe.description, "remarks": untrained}, adapter


# --- music -----------------------------------------------------------------------------------------------------------


def _music(file: File) -> Facts:
    loaded = midi.load(file)
    available = score_parts.parts(loaded.tracks)
    if not available:
        raise MusicaeError(f"{name_of(file)} has no notes; give a file with music")
    arrangement = arrange(available, (), written_parts(loaded.score))
    part_of = {track.number: part for part, own in arrangement.tracks.items() for track in own}
    tracks = [
        {
            "number": track.number,
            "name": track.name,
            "instrument": "drums" if track.drums else instrument_name(track.program),
            "notes": track.count,
            "part": part_of.get(track.number),
        }
        for track in available
    ]
    facts, adapter = _chosen(file)
    sample = (adapter or Band()).read(file)
    facts["remarks"] += sample.remarks
    meters, tempos = sample.meta["meters"], sample.meta["tempos"]
    key = key_of_rolls((adapter or Band()).rolls(sample))
    _, numerator, denominator = meters[0]
    return {
        "kind": "music",
        "format": "ABC" if loaded.abc else "MIDI",
        "tracks": tracks,
        "bars": len(bar_lines(sample.tensor.shape[-1], meters)[0]),
        "meter": f"{numerator}/{denominator}",
        "meter_changes": len(meters) - 1,
        "tempo": round(tempos[0][1], 2),
        "tempo_changes": len(tempos) - 1,
        "key": key_name(*key) if key else None,
        "seconds": round(seconds_at(loaded.score, max(int(track.notes().end.max()) for track in available)), 2),
        **facts,
    }


# --- sound and pictures ----------------------------------------------------------------------------------------------


def _recording(file: File) -> Facts:
    power, peak, frames = 0.0, 0.0, 0
    with reading(file) as opened:
        kind = opened.kind
        for block in opened.blocks():
            power += float(np.square(block, dtype=np.float64).sum())
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            frames += len(block)
    if not frames:
        raise MusicaeError(f"{name_of(file)} has no samples in it")
    samples, rate = excerpt(file)
    odds = log_odds("speech", samples, rate) if len(samples) else None
    facts, _ = _chosen(file)
    return {
        "kind": "recording",
        "format": f"{kind.format} {kind.subtype}",
        "rate": kind.rate,
        "channels": kind.channels,
        "seconds": round(frames / kind.rate, 2),
        "level": round(_decibels(math.sqrt(power / (frames * kind.channels))), 1),
        "peak": round(_decibels(peak), 1),
        "content": None if odds is None else "speech" if odds > 0 else "music",
        "doubt": odds is not None and abs(odds) < _SURE,
        **facts,
    }


def _decibels(amplitude: float) -> float:
    return max(_SILENCE_DB, 20 * math.log10(max(amplitude, 1e-9)))


def _picture(file: File) -> Facts:
    raster = pictures.load(file)
    height, width, channels = raster.values.shape
    facts, _ = _chosen(file)
    facts["remarks"] += raster.remarks
    return {
        "kind": "picture",
        "format": raster.suffix.removeprefix(".").upper(),
        "width": width,
        "height": height,
        "mode": "grey" if channels == 1 else "colour",
        "bits": 8 * raster.values.dtype.itemsize,
        "alpha": raster.alpha is not None,
        **facts,
    }
