"""Names -> factories, without importing anything until one is asked for.

Built-in parts and those of other packages (entry points in the groups ``musicae.adapters``,
``musicae.models`` ...) are the same kind of string, ``"module:attr"``.
"""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable, Mapping
from functools import cache
from importlib import metadata
from typing import Any

from musicae.errors import MusicaeError, did_you_mean

__all__ = [
    "GROUPS",
    "build",
    "declared",
    "fill",
    "lookup",
    "lookup_target",
    "names",
    "owner",
    "resolve",
    "shown",
    "signature",
]

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "adapters": {
        "audio": "musicae.adapters.audio:Audio",
        "band": "musicae.adapters.band:Band",
        "drums": "musicae.adapters.drums:Drums",
        "groove": "musicae.adapters.groove:Groove",
        "image": "musicae.adapters.image:Image",
        "mel": "musicae.adapters.mel:Mel",
        "melody": "musicae.adapters.melody:Melody",
    },
    "models": {
        "aae": "musicae.models.aae:aae",
        "ae": "musicae.models.ae:ae",
        "band-extension": "musicae.models.band_extension:BandExtension",
        "column-vae": "musicae.models.column_vae:column_vae",
        "dual-path": "musicae.models.dual_path:DualPath",
        "fsq-ae": "musicae.models.fsq_ae:fsq_ae",
        "lm": "musicae.models.lm:LanguageModel",
        "mdct-vae": "musicae.models.mdct_vae:mdct_vae",
        "patch-ae": "musicae.models.patch_ae:patch_ae",
        "patch-vae": "musicae.models.patch_vae:patch_vae",
        "sparse-ae": "musicae.models.sparse_ae:sparse_ae",
        "stack": "musicae.models.stack:Stack",
        "unet": "musicae.models.unet:UNet",
        "vae": "musicae.models.vae:vae",
    },
    "priors": {
        "flow": "musicae.models.flow:FlowPrior",
        "kernels": "musicae.models.kernels:KernelPrior",
    },
    "datasets": {
        "early-web": "musicae.datasets.early_web:early_web",
        "fashion-mnist": "musicae.datasets.fashion_mnist:fashion_mnist",
        "folk": "musicae.datasets.folk:folk",
        "free-game-music": "musicae.datasets.free_game_music:free_game_music",
        "groove": "musicae.datasets.groove:groove",
        "jazz": "musicae.datasets.jazz:jazz",
        "karaoke": "musicae.datasets.karaoke:karaoke",
        "midi-files": "musicae.datasets.midi_files:midi_files",
        "mma-bands": "musicae.datasets.mma_bands:mma_bands",
        "mnist": "musicae.datasets.mnist:mnist",
        "one-shots": "musicae.datasets.one_shots:one_shots",
        "pictures": "musicae.datasets.pictures:pictures",
        "pop-melody": "musicae.datasets.pop_melody:pop_melody",
        "pop909": "musicae.datasets.pop909:pop909",
        "recordings": "musicae.datasets.recordings:recordings",
        "screen-themes": "musicae.datasets.screen_themes:screen_themes",
        "touhou": "musicae.datasets.touhou:touhou",
    },
    "corruptions": {
        "band-limit": "musicae.corruptions.band_limit:BandLimit",
        "blind-noise": "musicae.corruptions.blind_noise:BlindNoise",
        "chain": "musicae.corruptions.chain:Chain",
        "clip": "musicae.corruptions.clip:Clip",
        "downsample": "musicae.corruptions.downsample:Downsample",
        "drop-notes": "musicae.corruptions.drop_notes:DropNotes",
        "flatten": "musicae.corruptions.flatten:Flatten",
        "hide-parts": "musicae.corruptions.hide_parts:HideParts",
        "low-pass": "musicae.corruptions.low_pass:LowPass",
        "mix-noise": "musicae.corruptions.mix_noise:MixNoise",
        "noise": "musicae.corruptions.noise:Noise",
        "reverberate": "musicae.corruptions.reverberate:Reverberate",
        "tap": "musicae.corruptions.tap:Tap",
    },
    "attributes": {
        "brightness": "musicae.attributes.brightness:Brightness",
        "density": "musicae.attributes.density:Density",
        "hihat": "musicae.attributes.hihat:HiHat",
        "interval": "musicae.attributes.interval:Interval",
        "key": "musicae.attributes.key:Key",
        "length": "musicae.attributes.length:Length",
        "loudness": "musicae.attributes.loudness:Loudness",
        "noisiness": "musicae.attributes.noisiness:Noisiness",
        "pitch": "musicae.attributes.pitch:Pitch",
        "range": "musicae.attributes.range:Range",
        "repetition": "musicae.attributes.repetition:Repetition",
        "slant": "musicae.attributes.slant:Slant",
        "swing": "musicae.attributes.swing:Swing",
        "syncopation": "musicae.attributes.syncopation:Syncopation",
        "syncopation16": "musicae.attributes.syncopation16:Syncopation16",
        "thickness": "musicae.attributes.thickness:Thickness",
        "width": "musicae.attributes.width:Width",
    },
    "likelihoods": {
        "bernoulli": "musicae.tensors.likelihoods.bernoulli:Bernoulli",
        "categorical": "musicae.tensors.likelihoods.categorical:Categorical",
        "gaussian": "musicae.tensors.likelihoods.gaussian:Gaussian",
        "joint": "musicae.tensors.likelihoods.joint:Joint",
        "laplace": "musicae.tensors.likelihoods.laplace:Laplace",
        "log-spectral": "musicae.tensors.likelihoods.log_spectral:LogSpectral",
        "spectral": "musicae.tensors.likelihoods.spectral:Spectral",
    },
    "evaluations": {
        "band": "musicae.evaluations.band:band",
        "bandwidth": "musicae.evaluations.bandwidth:bandwidth",
        "generative": "musicae.evaluations.generative:generative",
        "groove": "musicae.evaluations.groove:groove",
        "one-shots": "musicae.evaluations.one_shots:one_shots",
        "photos": "musicae.evaluations.photos:photos",
        "pictures": "musicae.evaluations.pictures:pictures",
        "recordings": "musicae.evaluations.recordings:recordings",
        "sequence": "musicae.evaluations.sequence:sequence",
        "sounds": "musicae.evaluations.sounds:sounds",
    },
    "presets": {},
    "commands": {
        "accompany": "musicae.cli.accompany:accompany",
        "attributes": "musicae.cli.attributes:attributes",
        "chords": "musicae.cli.chords:chords",
        "decode": "musicae.cli.decode:decode",
        "denoise": "musicae.cli.denoise:denoise",
        "doctor": "musicae.cli.doctor:doctor",
        "drumify": "musicae.cli.drumify:drumify",
        "encode": "musicae.cli.encode:encode",
        "evaluate": "musicae.cli.evaluate:evaluate",
        "export": "musicae.cli.export:export",
        "humanize": "musicae.cli.humanize:humanize",
        "info": "musicae.cli.info:info",
        "interpolate": "musicae.cli.interpolate:interpolate",
        "map": "musicae.cli.map:map_folder",
        "new-plugin": "musicae.cli.new_plugin:new_plugin",
        "personalize": "musicae.cli.personalize:personalize",
        "play": "musicae.cli.play:play",
        "plot": "musicae.cli.plot:plot",
        "presets": "musicae.cli.presets:presets",
        "push": "musicae.cli.push:push",
        "quantize": "musicae.cli.quantize:quantize",
        "reconstruct": "musicae.cli.reconstruct:reconstruct",
        "sample": "musicae.cli.sample:sample",
        "score": "musicae.cli.score:score",
        "shift": "musicae.cli.shift:shift",
        "show": "musicae.cli.show:show",
        "similar": "musicae.cli.similar:similar",
        "train": "musicae.cli.train:train",
        "transcribe": "musicae.cli.transcribe:transcribe",
        "upscale": "musicae.cli.upscale:upscale",
        "vary": "musicae.cli.vary:vary",
    },
}
"""Kind of part -> name -> ``"module:attr"``. A part is in the file of its name."""

GROUPS = tuple(BUILT_IN)

_MAX_SHOWN = 60  # Characters of a value in a message.


@cache
def _owners(group: str) -> dict[str, tuple[str, str]]:
    """Return name -> (target, owner). Reads package metadata only."""
    if group not in BUILT_IN:
        raise MusicaeError(f"no kind of part named '{group}'{did_you_mean(group, GROUPS)}")
    owners = {name: (target, "musicae") for name, target in BUILT_IN[group].items()}
    for point in metadata.entry_points(group=f"musicae.{group}"):
        owner = point.dist.name if point.dist else "an unknown package"
        if point.name in owners and owners[point.name] != (point.value, owner):
            raise MusicaeError(
                f"two packages own the name '{point.name}' in {group}: "
                f"{owners[point.name][1]} and {owner}; uninstall one of them"
            )
        owners[point.name] = (point.value, owner)
    return owners


def names(group: str) -> list[str]:
    """Return the sorted names in `group` (one of `GROUPS`), built in and from other packages."""
    return sorted(_owners(group))


def owner(group: str, name: str) -> str:
    """Return the package that provides `name`."""
    lookup_target(group, name)
    return _owners(group)[name][1]


def lookup_target(group: str, name: str) -> str:
    """Return ``"module:attr"`` for `name`, or raise MusicaeError that suggests the right name."""
    owners = _owners(group)
    if name not in owners:
        raise MusicaeError(f"no {group.removesuffix('s')} named '{name}'{did_you_mean(name, owners)}")
    return owners[name][0]


def lookup(group: str, name: str) -> Any:
    """Import and return the object that `name` is registered for."""
    target = lookup_target(group, name)
    module, _, attribute = target.partition(":")
    try:
        factory = importlib.import_module(module)
        for part in attribute.split("."):
            factory = getattr(factory, part)
    except Exception as error:  # Whatever goes wrong inside another package is for that package to fix.
        raise MusicaeError(
            f"the {group.removesuffix('s')} '{name}' ({target}, from {_owners(group)[name][1]}) "
            f"cannot be imported: {type(error).__name__}: {' '.join(str(error).split())}"
        ) from error
    return factory


def signature(group: str, name: str) -> dict[str, inspect.Parameter]:
    """Return the settings that `name` takes: the keyword parameters of its factory that have a default."""
    parameters = declared(lookup(group, name))
    return {
        key: parameter
        for key, parameter in parameters.items()
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.default is not parameter.empty
    }


def declared(factory: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a factory, their annotations evaluated where all names in them are known."""
    try:
        return inspect.signature(factory, eval_str=True).parameters
    except NameError:  # Of a part of another package, imported only for type checking.
        return inspect.signature(factory).parameters


def resolve(group: str, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return `settings` with the defaults of `name` filled in.

    Raise MusicaeError for a setting it does not take, one of another type than its default, or out of its range.
    """
    return fill(group.removesuffix("s"), f" '{name}'", signature(group, name), settings)


def fill(
    section: str, whose: str, takes: Mapping[str, inspect.Parameter], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a value for every parameter in `takes`: from `settings`, checked, or its default.

    `section` and `whose` say in an error where the setting stands: ``[model] 'vae'``.
    """
    for key in settings:
        if key not in takes:
            hint = did_you_mean(key, takes) if takes else "; it takes none"
            listed = f" It takes {', '.join(takes)}." if hint.startswith("; did") else ""
            raise MusicaeError(
                f"[{section}]{whose} has no setting '{key}'{hint.replace('; choose from', '; it takes')}{listed}"
            )
    return {
        key: _checked(f"[{section}] {key}", settings[key], parameter) if key in settings else parameter.default
        for key, parameter in takes.items()
    }


def _checked(where: str, value: Any, parameter: inspect.Parameter) -> Any:
    """Check that a value has the type of its default, and lies within the range that its annotation declares.

    A default of None allows any type that is declared. A whole number written as 3.0 comes back as 3, and a list as a
    tuple where the default is one.
    """
    default = parameter.default
    if default is None and value is None:
        return None
    is_int = isinstance(default, int) and not isinstance(default, bool)
    if is_int or isinstance(default, float):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MusicaeError(f"{where} must be a number, not {shown(value)}")
        if is_int and isinstance(value, float):
            if not value.is_integer():
                raise MusicaeError(f"{where} must be a whole number, not {shown(value)}")
            value = int(value)
    elif isinstance(default, bool | str) and not isinstance(value, type(default)):
        kind = "true or false" if isinstance(default, bool) else "text"
        raise MusicaeError(f"{where} must be {kind}, not {shown(value)}")
    elif isinstance(default, tuple | list):
        if not isinstance(value, tuple | list):
            raise MusicaeError(f"{where} must be a list, not {shown(value)}")
        value = type(default)(value)
    _check_range(where, value, parameter.annotation)
    return value


def _check_range(where: str, value: Any, annotation: Any) -> None:
    """Raise MusicaeError for a value that is not what an annotation declares, such as one out of `musicae.ranges`."""
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return
    from msgspec import Meta, ValidationError, convert

    try:
        convert(value, annotation)
    except (ValidationError, RecursionError, UnicodeError) as error:
        limits = [one for one in typing.get_args(annotation)[1:] if isinstance(one, Meta)]
        if limits and isinstance(value, int | float):
            lowest = f"over {limits[0].gt:g}" if limits[0].ge is None else _number(limits[0].ge)
            raise MusicaeError(f"{where} must be {lowest} to {_number(limits[0].le)}, not {shown(value)}") from None
        if limits and limits[0].pattern and isinstance(value, str):
            raise MusicaeError(f"{where} must be a name, not a path: {shown(value)}") from None
        what = str(error).replace("`", "").replace(" - at $", " at ").replace("Expected ", "")
        raise MusicaeError(f"{where} must be {what}") from None


def _number(value: Any) -> str:
    """Return the limit of a range for a message."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def shown(value: Any) -> str:
    """Return a value for a message, shortened: it may come from anybody's file."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # An integer of thousands of digits.
        return "that"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def build(group: str, name: str, /, *args: Any, **settings: Any) -> Any:
    """Call the factory of `name` with `args` and the checked `settings`."""
    return lookup(group, name)(*args, **resolve(group, name, settings))
