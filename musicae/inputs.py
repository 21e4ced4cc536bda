"""What the verbs are given: files and folders, the preset that fits them, labels, numbers that make sense."""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import codec as codecs
from . import preset as presets
from . import registry, stream
from .codec import Codec
from .core import Sample
from .errors import MusicaeError

__all__ = [
    "check_inputs",
    "check_number",
    "check_temperature",
    "class_names",
    "codec_for",
    "condition",
    "cut_to_size",
    "files_in",
    "gather",
    "label_of",
    "listed",
    "noisy_suffixes",
    "preset_for",
    "read",
    "read_all",
    "unconditional",
    "upscaling_preset",
]

MOST = 1000

_VOICES = "denoise-speech"  # The preset for voices, which also tells whether there is one.
_HEARD = 30.0  # Seconds of a recording that it hears for that.
_A_VOICE = 0.82  # Share (see `stream.share_kept`) that it leaves of a voice 5 dB above its noise, and not of music.


def check_inputs(count: int, grid: bool) -> None:
    """Raise MusicaeError for a number of files that cannot be interpolated."""
    if count != (4 if grid else 2):
        raise MusicaeError(f"interpolate takes 2 files, or 4 for a grid, not {count}{' for a grid' * grid}")


def check_number(what: str, number: int, least: int) -> None:
    """Raise MusicaeError for a `number` of `what` out of `least`..1000."""
    if not least <= number <= MOST:
        raise MusicaeError(f"{what} must be between {least} and {MOST}, not {number}")


def check_temperature(temperature: float) -> None:
    """Raise MusicaeError for a temperature below 0, or that is no number."""
    if not 0 <= temperature < math.inf:
        raise MusicaeError(f"temperature must be 0 or more, not {temperature}")


# --- which preset --------------------------------------------------------------------------------------------------


def _choices(verb: str) -> list[tuple[Any, tuple[str, ...], str]]:
    """Return each adapter that a file can choose, its suffixes, and the preset it has for `verb`."""
    found = []
    for name in registry.names("adapters"):
        try:
            adapter: Any = registry.lookup("adapters", name)
        except MusicaeError:  # A broken adapter of another package must not keep ours from a file.
            continue
        default = getattr(adapter, "default_presets", {}).get(verb, getattr(adapter, "default_preset", None))
        found.append((adapter, tuple(getattr(adapter, "suffixes", ())), str(default or "")))
    return found


def preset_for(path: Path, verb: str = "") -> str:
    """Return the name of the preset that fits a file: by its suffix, then by what is in it, then by what is done to it.

    An adapter that can be chosen so has a `default_preset`, and `accepts` where its suffix does not say enough;
    `default_presets` names others for single verbs (``{"denoise": "photo-denoise"}``).
    Raise MusicaeError where no adapter takes the file.
    """
    _check_file(path)
    choices = _choices(verb)
    fitting = [
        (adapter, default) for adapter, suffixes, default in choices if default and path.suffix.lower() in suffixes
    ]
    for adapter, default in fitting:
        if len(fitting) == 1 or not hasattr(adapter, "accepts") or adapter.accepts(path):
            return default
    if fitting:
        raise MusicaeError(f"no preset suits what is in {path}; choose one with --preset")
    if any(path.suffix.lower() in suffixes for _, suffixes, _ in choices):
        raise MusicaeError(f"{path} can be read, but no preset is there to do that with it; choose one with --preset")
    readable = sorted({suffix for _, suffixes, default in choices if default for suffix in suffixes})
    raise MusicaeError(f"{path} is of no kind that is read here ({', '.join(readable)}); convert it first")


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise MusicaeError(f"{path} is a folder; name a file in it")
    if not path.is_file():
        raise MusicaeError(f"there is no file {path}; check the name")


def codec_for(preset: Codec | str | None, *paths: Path, verb: str = "") -> Codec:
    """Return `preset` as a codec: loaded by its name, or the one that fits the first of `paths` and the `verb`."""
    if isinstance(preset, Codec):
        return preset
    if preset is None and not paths:
        raise MusicaeError("there is no file to choose a preset by; name one")
    return codecs.load(suited_preset(paths[0], verb) if preset is None else preset)


def suited_preset(path: Path, verb: str) -> str:
    """Return the preset that fits a file, and of those that denoise sound the one for what is in it.

    What has no more than the band of ``denoise-speech`` is taken for a voice; of the rest that preset tells which is
    one: it leaves most of a voice, and little of music.
    """
    name = preset_for(path, verb)
    adapter = _adapter_of(name)
    if verb != "denoise" or not hasattr(adapter, "excerpt") or _VOICES not in _family(name):
        return name
    if adapter.rate_of(path) <= _own_rate(_VOICES):
        return _VOICES
    share = stream.share_kept(codecs.load(_VOICES), *adapter.excerpt(path, _HEARD))
    return _VOICES if share > _A_VOICE else name


def nearest_in_rate(base: str, rate: int) -> str:
    """Return of the presets of sound `base` and ``base-...`` the one whose rate is nearest to `rate` in Hz."""
    return min(_family(base), key=lambda name: _octaves_away(name, rate), default=base)


def _family(base: str) -> list[str]:
    return [name for name in presets.listed() if name == base or name.startswith(f"{base}-")]


def _adapter_of(name: str) -> Any:
    part = presets.load(name).part("adapter")
    return registry.lookup("adapters", part[0]) if part else None


def _octaves_away(name: str, rate: float) -> float:
    """Return how far `rate` is from that of a preset of sound, in octaves; 0 for a preset of others."""
    own = _own_rate(name)
    return abs(math.log2(rate / own)) if own else 0.0


def _own_rate(name: str) -> float:
    part = presets.load(name).part("adapter")
    return float(registry.resolve("adapters", *part).get("rate") or 0) if part else 0.0


def upscaling_preset(path: Path, scale: int) -> str:
    """Return the preset that enlarges such a file by `scale`: of those named as the default of ``upscale``.

    ``photo-upscale`` and ``photo-upscale-x4`` are such a family; a preset's corruption tells its factor.
    Raise MusicaeError that names what there is.
    """
    base = preset_for(path, "upscale")
    factors: dict[int, list[str]] = {}
    for name in _family(base):
        part = presets.load(name).part("corruption")
        settings = registry.resolve("corruptions", part[0], part[1]) if part else {}
        if "factor" in settings:
            factors.setdefault(int(settings["factor"]), []).append(name)
    if scale not in factors:
        known = (
            ", ".join(f"{factor} ({names[0]})" for factor, names in sorted(factors.items())) or "none for such files"
        )
        raise MusicaeError(f"there is no preset that upscales {path.name} by {scale}; there is {known}")
    rate_of = getattr(_adapter_of(base), "rate_of", None)
    if rate_of is None:
        return factors[scale][0]
    return min(factors[scale], key=lambda name: _octaves_away(name, scale * rate_of(path)))


# --- files ---------------------------------------------------------------------------------------------------------


def files_in(folder: Path, suffixes: Collection[str], leave_out: Path | None = None) -> list[Path]:
    """Return all files below `folder` that end in one of `suffixes`, sorted, without hidden ones.

    Those in the folder `leave_out`, where it lies in `folder`, are not among them.
    """
    hidden = leave_out.resolve() if leave_out else None
    if hidden and folder.resolve() not in hidden.parents:
        hidden = None
    found = []
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if path.suffix.lower() not in suffixes or any(part.startswith(".") for part in place.parts):
            continue
        if path.is_file() and not (hidden and path.resolve().is_relative_to(hidden)):
            found.append(path)
    return found


def gather(preset: Codec | str | None, *paths: Path) -> tuple[Codec, list[tuple[Path, Path]]]:
    """Return the codec as `codec_for` does, and all files: those of `paths`, and for a folder those in it.

    With each file comes its name in what is made of it: its own, or where it lies in the folder.
    Raise MusicaeError for a file that is missing, and for a folder in which nothing can be read.
    """
    if preset is None and paths:
        preset = _preset_for_several(paths)
    codec = codec_for(preset, *paths)
    return codec, listed(paths, codec.adapter.suffixes)


def listed(paths: Sequence[Path], suffixes: Collection[str], leave_out: Path | None = None) -> list[tuple[Path, Path]]:
    """Return the files of `paths`, and those in its folders that end in one of `suffixes`, as `gather` does."""
    files = []
    for path in paths:
        if not path.is_dir():
            _check_file(path)
            files.append((path, Path(path.name)))
            continue
        inside = files_in(path, suffixes, leave_out)
        if not inside:
            known = ", ".join(sorted(suffixes))
            raise MusicaeError(f"{path} has no file that is read here ({known}); name another folder")
        files += [(one, one.relative_to(path)) for one in inside]
    return files


def noisy_suffixes() -> set[str]:
    """Return the suffixes of the files that a preset is there to denoise."""
    found = {name: suffixes for _, suffixes, name in _choices("denoise") if name}
    return {suffix for name, suffixes in found.items() if presets.load(name).part("corruption") for suffix in suffixes}


def _preset_for_several(paths: Sequence[Path]) -> str:
    """Return the preset for the first of files, and of those in folders, that chooses one.

    Raise the error of the first where none does.
    """
    suffixes = {suffix for _, taken, default in _choices("") if default for suffix in taken}
    error = None
    for file, _ in listed(paths, suffixes):
        try:
            return suited_preset(file, "")
        except MusicaeError as refused:
            error = error or refused
    raise error or MusicaeError("there is no file to choose a preset by; name one")


def read(codec: Codec, path: Path, **options: Any) -> Sample:
    """Read a file by the codec's adapter. Options that are None are left out.

    Raise MusicaeError for a file that cannot be read, or an option that the adapter does not take.
    """
    options = {name: value for name, value in options.items() if value is not None}
    takes = [name for name in inspect.signature(codec.adapter.read).parameters if name != "path"]
    for name in options:
        if name not in takes and "options" not in takes:
            known = f"it takes {', '.join(takes)}" if takes else "it takes none"
            raise MusicaeError(f"the adapter of '{codec.preset.name}' has no option '{name}'; {known}")
    return codec.adapter.read(path, **options)


def read_all(codec: Codec, paths: Sequence[Path], options: dict[str, Any]) -> tuple[list[Sample], list[str]]:
    """Read files as `read` does; return them and all their remarks, each with its file's name."""
    samples = [read(codec, path, **options) for path in paths]
    said = [(path, remark) for path, one in zip(paths, samples, strict=True) for remark in one.remarks]
    return samples, [f"{path.name}: {remark}" for path, remark in said]


def cut_to_size(codec: Codec, batch: Tensor, seed: int) -> Tensor:
    """Return a data set's windows ``(B, C, *S)`` as the preset's: a piece, at random, of each that is larger."""
    if batch.shape[1:] == codec.spec.full_shape:
        return batch
    return codec.adapter.augment(batch, codecs.generator(seed, 43))


# --- labels --------------------------------------------------------------------------------------------------------


def class_names(codec: Codec) -> list[str]:
    """Return what a conditional model's classes are called: as its data set's `classes` say, or by their numbers."""
    count = int(getattr(codec.model, "classes", 0))
    part = codec.preset.part("dataset")
    if part and "+" not in part[0]:
        try:
            names = [str(name) for name in getattr(registry.lookup("datasets", part[0]), "classes", ())]
        except MusicaeError:  # Of a package that is not installed here; the model works without it.
            names = []
        if len(names) == count:
            return names
    return [str(i) for i in range(count)]


def label_of(codec: Codec, label: int | str) -> int:
    """Return the number of a class that is named or numbered.

    Raise MusicaeError for one that does not exist, and for a model that takes none.
    """
    names, text = class_names(codec), str(label).strip()
    if not names:
        raise MusicaeError(f"the preset '{codec.preset.name}' takes no label; use a conditional one")
    lower = [name.lower() for name in names]
    if text.lower() in lower:
        return lower.index(text.lower())
    if text.isdecimal() and int(text) < len(names):
        return int(text)
    raise MusicaeError(f"'{codec.preset.name}' has no label '{text}'; it has {', '.join(names)}")


def condition(codec: Codec, label: int | str | None, n: int) -> Tensor | None:
    """Return `label` as the `cond` ``(n, classes)`` of a conditional model, or None for one that takes no label.

    Raise MusicaeError where one of the two has no use for the other.
    """
    if label is not None:
        return codec.labels(torch.full((n,), label_of(codec, label)))
    if class_names(codec):
        raise MusicaeError(
            f"'{codec.preset.name}' must know what it is given; choose a label of {', '.join(class_names(codec))}"
        )
    return None


def unconditional(codec: Codec) -> Codec:
    """Return `codec`; raise MusicaeError for a conditional one, whose codes say nothing without a label."""
    if class_names(codec):
        raise MusicaeError(
            f"the codes of '{codec.preset.name}' say nothing without their labels; use a preset that is not conditional"
        )
    return codec
