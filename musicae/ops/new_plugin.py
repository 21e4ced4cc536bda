"""Write another package that adds a part to musicae, with tests that pass: something to begin with."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from string import Template
from typing import NamedTuple

from musicae import registry
from musicae.errors import MusicaeError
from musicae.formats.atomic import make_folder
from musicae.formats.temporary import temporary_folder

__all__ = ["KINDS", "new_plugin"]

_TEMPLATES = Path(__file__).resolve().parents[1] / "templates" / "plugin"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_NAME = 50


class _Kind(NamedTuple):
    """A kind of part: its group of entry points, what is registered, what it is, and how it is used."""

    group: str
    attribute: str
    what: str
    use: str


KINDS: Mapping[str, _Kind] = {
    "adapter": _Kind(
        "adapters", "adapter:$class", "An adapter",
        "It reads and writes `.$module` files: change `$module/adapter.py` to yours. The preset `$name` uses it:\n\n"
        "```sh\nmusicae show $name\n```\n\n"
        "To train it, add a data set (`musicae new-plugin --kind dataset` writes one).",
    ),
    "dataset": _Kind(
        "datasets", "dataset:load", "A data set",
        "It reads the files of a folder: change `$module/dataset.py` to yours. The preset `$name` is trained on it:\n\n"
        "```sh\nmusicae train $name --data my-folder\n```",
    ),
    "model": _Kind(
        "models", "model:$class", "A network",
        "The network is in `$module/model.py`: change it to yours. The preset `$name` trains it on MIDI files:\n\n"
        "```sh\nmusicae train $name --data my-folder\n```",
    ),
}  # fmt: skip
"""The kinds of parts that a plugin can begin with, by their names."""


def new_plugin(name: str, kind: str = "model", folder: Path | None = None) -> list[Path]:
    """Write a package with one part and a preset, both called `name`, and return its files.

    Parameters
    ----------
    name : of the package and of its part, such as ``"my-rhythms"``.
    kind : one of `KINDS`.
    folder : the folder to make, by default one called `name` in the current one.

    Raises
    ------
    MusicaeError : a name that is none or is taken, a folder that exists or cannot be made.
    """
    _check_name(name, KINDS[kind].group)
    folder = folder or Path(name)
    if folder.exists() or folder.is_symlink():
        raise MusicaeError(f"{folder} exists already; name another folder with -o")
    make_folder(folder.parent)
    texts = _texts(name, kind)
    with temporary_folder(folder.parent) as temporary:
        made = temporary / "plugin"
        for path, text in texts.items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_text(text, encoding="utf-8")
        made.rename(folder)
    return [folder / path for path in texts]


def _check_name(name: str, group: str) -> None:
    """Raise MusicaeError for what cannot be the name of a package, or is that of something else."""
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        raise MusicaeError(
            f"'{name:.60}' is no name for a package; take small letters, digits and single hyphens, as my-rhythms"
        )
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or module == "musicae":
        raise MusicaeError(f"'{name}' is the name of a part of Python or of musicae; choose another, as my-{name}")
    for one in (group, "presets"):
        if name in registry.names(one):
            owner = registry.owner(one, name)
            raise MusicaeError(f"{owner} has a part that is called '{name}'; choose another name, as my-{name}")


def _texts(name: str, kind: str) -> dict[str, str]:
    """Return the texts of all files by their paths in the package."""
    module, part = name.replace("-", "_"), KINDS[kind]
    words = {"name": name, "module": module, "class": "".join(word.capitalize() for word in name.split("-"))}
    words |= {"what": part.what, "version": ".".join(metadata.version("musicae").split(".")[:2])}
    words["use"] = Template(part.use).substitute(words)
    target = Template(part.attribute).substitute(words)
    words["points"] = "\n\n".join(
        f'[project.entry-points."musicae.{group}"]\n{name} = "{module}{where}"'
        for group, where in ((part.group, f".{target}"), ("presets", ":PRESET"))
    )
    paths = {
        "pyproject.toml": "common/project.txt",
        "README.md": "common/README.md",
        ".gitignore": "common/gitignore",
        ".github/workflows/test.yml": "common/workflow.yml",
        f"{module}/__init__.py": f"{kind}/init.txt",
        f"{module}/{kind}.py": f"{kind}/part.txt",
        f"{module}/{name}.toml": f"{kind}/preset.toml",
        f"tests/test_{kind}.py": f"{kind}/test.txt",
    }
    read = {path: (_TEMPLATES / source).read_text(encoding="utf-8") for path, source in paths.items()}
    return {path: Template(text).substitute(words) for path, text in read.items()}
