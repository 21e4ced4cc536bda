"""What the Tab key completes: names of presets, attributes, parts of a song and data sets, and files.

Nothing here loads torch, and nothing raises: a shell would print it into the line that is being typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path

import click
from click.shell_completion import CompletionItem

__all__ = ["attributes", "data_sets", "paths", "presets", "reads"]

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_READS = ("melody", "drums", "band")
_WEIGHTS = (".safetensors", ".toml")


def _quiet(complete: Callable[[str], list[CompletionItem]]) -> Complete:
    """Return the function that click calls; a broken plugin, or a folder that cannot be read, completes nothing."""

    @wraps(complete)
    def called(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            return complete(incomplete)
        except Exception:  # Whatever it is, the command itself says it in a line.
            return []

    return called


def _of(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def _file(incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]


@_quiet
def paths(incomplete: str) -> list[CompletionItem]:
    """Complete paths, for an option that takes a dash as well."""
    return _file(incomplete)


@_quiet
def presets(incomplete: str) -> list[CompletionItem]:
    """Complete names of presets, those of the hub in the cache too, and files of weights; other paths as paths."""
    from musicae import folders, preset

    names = list(preset.listed())
    hub = folders.cache_folder() / "hub"
    names += [f"hf:{path.parent.relative_to(hub).as_posix()}" for path in sorted(hub.glob("*/*/revisions"))]
    names += [path.name for path in sorted(Path().iterdir()) if path.suffix in _WEIGHTS]
    return _of(names, incomplete) or _file(incomplete)


@_quiet
def attributes(incomplete: str) -> list[CompletionItem]:
    """Complete a change of an attribute, as ``density=+1``, or a path for the file among the words."""
    from musicae import registry

    changes = [f"{name}=+1" for name in registry.names("attributes")]
    return (_of(changes, incomplete) if incomplete else []) or _file(incomplete)


@_quiet
def data_sets(incomplete: str) -> list[CompletionItem]:
    """Complete ``SET=DIR``: the name of a data set, then its folder."""
    from musicae import registry

    name, equals, folder = incomplete.rpartition("=")
    if not equals:
        found = _of((f"{one}=" for one in registry.names("datasets")), incomplete) if incomplete else []
        return found or [CompletionItem(incomplete, type="dir")]
    inside = Path(folder) if folder.endswith("/") or not folder else Path(folder).parent
    places = (f"{name}={path.as_posix()}/" for path in sorted(inside.iterdir()) if path.is_dir())
    return _of(places, incomplete)


@_quiet
def reads(incomplete: str) -> list[CompletionItem]:
    """Complete what is read of a song."""
    return _of(_READS, incomplete)
