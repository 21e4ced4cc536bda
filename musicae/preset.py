"""A preset: a TOML file that says everything a model is made of and trained with.

Sections ``[adapter] [dataset] [noise] [lower] [model] [prior] [corruption] [likelihood] [training] [evaluation]``.
``name`` in a section picks the factory from the registry; every other key is a keyword of it.
``[lower]`` names another preset, over whose codes the model is built. ``[training]`` has no name: its keys are the
fields of `musicae.training.options.TrainingOptions`.
At the top stand ``description``, ``extends`` (another preset, whose sections these override), ``default_for``
(the jobs it is chosen for when a file fits its adapter: ``"code"``, ``"sample"``, ``"denoise"``, ``"upscale"``)
and ``content`` (what it is for, if that is special, such as ``"speech"``).
"""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from musicae import registry, upgrade
from musicae.errors import MusicaeError, did_you_mean

__all__ = ["SECTIONS", "Preset", "as_toml", "find", "is_name", "listed", "load", "override", "parse", "resolve"]

SECTIONS = (
    "adapter",
    "dataset",
    "noise",
    "lower",
    "model",
    "prior",
    "corruption",
    "likelihood",
    "training",
    "evaluation",
)
_OPTIONAL = ("noise", "lower", "prior", "corruption", "likelihood", "evaluation", "dataset", "training")
_DATA = ("dataset", "noise")  # Sections that name data sets.
_TOP = ("extends", "description", "default_for", "content")
_MAX_NAME, _MAX_SIZE = 100, 2**20  # Characters of a name, and bytes of a file.
_LOWER = {"digest": inspect.Parameter("digest", inspect.Parameter.KEYWORD_ONLY, default="")}  # Settings of [lower].
_NOT_INHERITED = ("default_for", "content")  # What a preset does not take from the one it extends.


@dataclass
class Preset:
    """What a preset's file says: `sections` maps a section's name to its keys, ``name`` among them."""

    name: str
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    description: str = ""
    default_for: tuple[str, ...] = ()
    content: str = ""

    def part(self, section: str) -> tuple[str, dict[str, Any]] | None:
        """Return the factory's name and the settings of `section`, or None if the preset has none."""
        keys = self.sections.get(section)
        if keys is None:
            return None
        return str(keys["name"]), {key: value for key, value in keys.items() if key != "name"}

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-able form that `from_dict` reads back."""
        return {"name": self.name, "description": self.description, **self.sections}

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> Preset:
        """Build a preset from what `as_dict` made. Raise MusicaeError if it has not the shape of a preset."""
        if not isinstance(tree, Mapping):
            raise MusicaeError(f"a preset must be a table of sections, not {tree!r:.40}")
        tree = dict(tree)
        name = tree.pop("name", "")
        if name != "" and not (isinstance(name, str) and is_name(name)):
            raise MusicaeError(f"{registry.shown(name)} is no name of a preset; the file is damaged or was changed")
        return parse(tree, name)


def folders() -> list[Path]:
    """Return the folders with the presets that ship with the package: inside the wheel, else beside the source."""
    here = Path(__file__).resolve().parent
    return [folder for folder in (here / "presets", here.parent / "presets") if folder.is_dir()][:1]


def listed() -> dict[str, str]:
    """Return the names of all presets and the package each comes from."""
    owners = {path.stem: "musicae" for folder in folders() for path in sorted(folder.glob("*.toml"))}
    for name in registry.names("presets"):
        owner = registry.owner("presets", name)
        if name in owners:
            raise MusicaeError(
                f"two packages own the preset '{name}': {owners[name]} and {owner}; uninstall one of them"
            )
        owners[name] = owner
    return dict(sorted(owners.items()))


def is_name(name: str) -> bool:
    """Tell whether a text that comes from a file is the name of a preset, and no path."""
    return (
        0 < len(name) <= _MAX_NAME
        and name.isprintable()
        and name[0] not in ".-~"
        and not set(name) & set('/\\:*?"<>|')
        and not name.lower().endswith((".toml", ".safetensors"))
    )


def find(name: str) -> Path:
    """Return the TOML file of the preset `name`: a file's path, a shipped preset, or a plugin's."""
    path = Path(name)
    if path.suffix == ".toml":
        try:
            found = path.is_file() and "\0" not in name
        except OSError:  # A name that is too long, say.
            found = False
        if not found:
            raise MusicaeError(f"no preset file {path}; check the path")
        return path
    known, name = listed(), upgrade.PRESETS.get(name, name)
    if name not in known:
        raise MusicaeError(f"no preset named '{name}'{did_you_mean(name, known)}")
    for folder in folders():
        if (folder / f"{name}.toml").is_file():
            return folder / f"{name}.toml"
    target = registry.lookup("presets", name)
    file = Path(str(target() if callable(target) else target))
    if not file.is_file():
        raise MusicaeError(f"the preset '{name}' of {known[name]} names {file}, which is not a file")
    return file


def load(name: str, overrides: Sequence[str] = ()) -> Preset:
    """Read the preset `name`, with one level of ``extends`` and with ``section.key=value`` overrides."""
    path = find(name)
    tree = _read(path)
    base = tree.pop("extends", None)
    if not is_name(path.stem):
        raise MusicaeError(f"{path.name} is no name for a preset; rename the file, such as to my-preset.toml")
    if base is not None:
        if not isinstance(base, str) or not is_name(base):
            raise MusicaeError(f"{path.name} extends {registry.shown(base)}, which is no name of a preset")
        below = _read(path.parent / f"{base}.toml" if (path.parent / f"{base}.toml").is_file() else find(str(base)))
        below = {key: value for key, value in below.items() if key not in _NOT_INHERITED}
        if "extends" in below:
            raise MusicaeError(f"{path.name} extends '{base}', which extends another; only one level is allowed")
        tree = _merge(below, tree)
    preset = parse(tree, path.stem)
    for text in overrides:
        override(preset, text)
    # Old names of settings work too.
    return replace(preset, sections=upgrade.preset_tree(preset.sections))


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_SIZE + 1)
        if len(content) > _MAX_SIZE:
            raise MusicaeError(f"the preset {path} is over {_MAX_SIZE >> 20} MB; a preset is a short text")
        tree = tomllib.loads(content.decode())
    except (OSError, UnicodeDecodeError) as error:
        raise MusicaeError(f"cannot read the preset {path}: {error}") from error
    except (ValueError, RecursionError) as error:  # Besides wrong TOML: thousands of brackets, or of digits.
        raise MusicaeError(f"the preset {path} is not valid TOML: {error}") from error
    # Old names of parts: the sections of two presets are merged by them.
    return {**tree, **upgrade.preset_tree({key: value for key, value in tree.items() if isinstance(value, dict)})}


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Override `below` by `above`, key by key; a section that names another factory starts afresh."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(value, dict) and isinstance(old, dict) and value.get("name", old.get("name")) == old.get("name"):
            merged[key] = _merge_tables(old, value)
        else:
            merged[key] = value
    return merged


def _merge_tables(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Override `old` by `new`, tables within tables as well."""
    nested = {key: _merge_tables(old[key], value) for key, value in new.items() if _are_tables(old.get(key), value)}
    return {**old, **new, **nested}


def _are_tables(*values: Any) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def parse(tree: Mapping[str, Any], name: str) -> Preset:
    """Check the shape of a preset's tree: known sections, each a table with a name."""
    sections: dict[str, dict[str, Any]] = {}
    for key, value in tree.items():
        if key in _TOP:
            continue
        if key not in SECTIONS:
            raise MusicaeError(f"preset '{name}': no section [{key}]{did_you_mean(key, SECTIONS)}")
        if not isinstance(value, dict):
            raise MusicaeError(f"preset '{name}': {key} must be a section, [{key}]")
        if key != "training" and not isinstance(value.get("name"), str):
            raise MusicaeError(f"preset '{name}': [{key}] needs a name = '...'")
        sections[key] = dict(value)
    for key in SECTIONS:
        if key not in sections and key not in _OPTIONAL:
            raise MusicaeError(f"preset '{name}': the section [{key}] is missing")
    default_for = tree.get("default_for", [])
    if not isinstance(default_for, list | tuple) or not all(isinstance(job, str) for job in default_for):
        raise MusicaeError(f"preset '{name}': default_for must be a list of jobs, such as ['code', 'sample']")
    description, content = (str(tree.get(key, "")) for key in ("description", "content"))
    return Preset(name, sections, description, tuple(default_for), content)


def override(preset: Preset, text: str) -> None:
    """Apply ``section.key=value`` (a TOML value, or bare text) to `preset`; ``section.table.key`` is in a table."""
    where, equals, value = text.partition("=")
    section, dot, key = where.strip().partition(".")
    if not equals or not dot or not key:
        raise MusicaeError(f"--set takes section.key=value, such as model.latent=32, not '{text}'")
    if section not in SECTIONS:
        raise MusicaeError(f"--set {text}: no section [{section}]{did_you_mean(section, SECTIONS)}")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        parsed = value.strip()
    if section not in preset.sections and section != "training" and key != "name":
        raise MusicaeError(f"--set {text}: the preset has no [{section}]; choose one with --set {section}.name=...")
    keys = preset.sections.setdefault(section, {})
    if key == "name" and isinstance(parsed, str):
        parsed = upgrade.preset_tree({section: {"name": parsed}})[section]["name"]
    if key == "name" and keys.get("name") != parsed:
        keys.clear()
    *tables, last = key.split(".")
    for table in tables:
        inner = keys.get(table, {})
        if not isinstance(inner, Mapping):
            raise MusicaeError(f"--set {text}: {table} in [{section}] is not a table; write {section}.{table}=...")
        keys[table] = keys = dict(inner)
    keys[last] = parsed


def resolve(preset: Preset, training: Callable[..., Any] | None = None) -> Preset:
    """Return `preset` with the default of every setting filled in, each checked against its factory.

    `training` is the class whose fields are the ``[training]`` section.
    """
    sections: dict[str, dict[str, Any]] = {}
    for section, keys in preset.sections.items():
        if section == "training":
            sections[section] = _resolve_training(keys, training)
            continue
        name, settings = str(keys["name"]), {key: value for key, value in keys.items() if key != "name"}
        if section in _DATA:
            sections[section] = {"name": name, **_resolve_datasets(section, name, settings)}
        elif section == "lower":
            sections[section] = {"name": name, **registry.fill(section, f" '{name}'", _LOWER, settings)}
        else:
            sections[section] = {"name": name, **registry.resolve(f"{section}s", name, settings)}
    return replace(preset, sections=sections)


def _resolve_datasets(section: str, names: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Fill in the settings of data sets joined by a plus, each of which takes those it knows.

    A default on which two sets disagree is left out: one value cannot serve both.
    """
    takes: dict[str, inspect.Parameter] = {}
    clashes = set()
    for name in names.split("+"):
        for key, parameter in registry.signature("datasets", name).items():
            if takes.setdefault(key, parameter).default != parameter.default:
                clashes.add(key)
    filled = registry.fill(section, f" '{names}'", takes, settings)
    return {key: value for key, value in filled.items() if key in settings or key not in clashes}


def _resolve_training(keys: dict[str, Any], training: Callable[..., Any] | None) -> dict[str, Any]:
    if training is None:
        return dict(keys)
    takes = {
        key: parameter
        for key, parameter in registry.declared(training).items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty
    }
    return registry.fill("training", "", takes, keys)


def as_toml(preset: Preset) -> str:
    """Return the text of a TOML file that says what `preset` does. A setting without a value is a comment."""
    return _toml({"description": preset.description, **preset.sections}) + "\n"


def _toml(tree: Mapping[str, Any], prefix: str = "") -> str:
    """Return `tree`, values and tables, as TOML; `prefix` begins the names of its tables."""
    plain = {key: value for key, value in tree.items() if not isinstance(value, Mapping)}
    lines = [f"# {_key(key)} is not set" if v is None else f"{_key(key)} = {_value(v)}" for key, v in plain.items()]
    for section, keys in tree.items():
        if isinstance(keys, Mapping):
            lines += ["", f"[{prefix}{_key(section)}]", _toml(keys, f"{prefix}{_key(section)}.")]
    return "\n".join(lines)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {_value(one)}' for key, one in value.items())} }}"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON may hold it as it is, TOML not.
