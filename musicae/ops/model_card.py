"""The card of a model: what it makes, how to use it, how good it is, and what it was trained on; as Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib import metadata

from musicae import registry
from musicae.codec import Codec
from musicae.datasets.shared.terms import terms
from musicae.errors import MusicaeError
from musicae.memory import in_bytes
from musicae.ops.defaults import factor
from musicae.ops.figures import rows
from musicae.ops.suffixes import suffix_like

__all__ = ["EXAMPLE_PICTURE", "EXAMPLE_SOUND", "CardOptions", "card"]

EXAMPLE_PICTURE, EXAMPLE_SOUND = "example.png", "example.wav"

_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")  # As the hub lists them: apache-2.0, cc-by-4.0.
_COUNTS = ("windows", "pieces")


@dataclass(frozen=True)
class CardOptions:
    """What a card says beside what the model knows of itself.

    `figures` are those of `musicae.evaluate`; `licence` is the weights', by the hub's name for it (``"cc-by-4.0"``).
    """

    figures: Mapping[str, float] = field(default_factory=dict)
    licence: str = ""

    def __post_init__(self) -> None:
        if self.licence and not _LICENCE.fullmatch(self.licence):
            raise MusicaeError(f"--license takes a name as the hub has it, such as cc-by-4.0, not '{self.licence:.60}'")


def card(codec: Codec, name: str, files: Collection[str], address: str, options: CardOptions) -> str:
    """Return the card of a trained codec for the repository `name`, ``user/name``, which has `files`.

    `address` is that of the repository's files.
    """
    parts = [_front_matter(codec, options.licence), f"# {name.split('/')[1]}\n\n{_plain(codec.preset.description)}\n"]
    if EXAMPLE_PICTURE in files:
        what = "Before and after" if codec.model.restores else "Some of what it makes up, seed 0"
        parts.append(f"![{what}]({EXAMPLE_PICTURE})\n")
    if EXAMPLE_SOUND in files:
        parts.append(f'<audio controls src="{address}/{EXAMPLE_SOUND}"></audio>\n')
    parts += [
        _use(codec, name),
        _figures(codec, options.figures),
        _data(codec),
        _content(codec, files, options.licence),
    ]
    return "\n".join(parts)


def _front_matter(codec: Codec, licence: str) -> str:
    """Return what the hub reads of a card, as YAML."""
    kinds = [(codec.preset.part(section) or ("",))[0] for section in ("adapter", "model")]
    stated = [f"license: {licence}"] if licence else []
    tags = [f"- {json.dumps(tag)}" for tag in ("musicae", *kinds)]  # What is JSON is YAML.
    return "\n".join(["---", "library_name: musicae", *stated, "tags:", *tags, "---", ""])


def _use(codec: Codec, name: str) -> str:
    suffix = suffix_like(codec.adapter)
    if codec.model.restores:
        command = f"{'denoise' if factor(codec.preset) == 1 else 'upscale'} a{suffix}"
    else:
        command = f"interpolate a{suffix} b{suffix}" if codec.model.latent_size else f"score a{suffix}"
    return f"## Use it\n\n```sh\npip install 'musicae[hub]'\nmusicae {command} --preset hf:{name}\n```\n"


def _figures(codec: Codec, figures: Mapping[str, float]) -> str:
    if not figures:
        return "## Figures\n\nIts figures were not measured.\n"
    counts = " of ".join(f"{figures[key]:.0f} {key}" for key in _COUNTS if key in figures)
    evaluation = (codec.preset.part("evaluation") or ("",))[0]
    lines = [
        f"## Figures\n\nMeasured{f' on {counts}' * bool(counts)} that it was not trained on, by `musicae evaluate`"
        f"{f' ({evaluation})' * bool(evaluation)}. *Spread* is half of the 95 % interval, *floor* what a simple rival "
        "reaches.\n",
        "| figure | value | spread | floor |\n|---|---:|---:|---:|",
    ]
    for row in rows(figures):
        if row.name not in (*_COUNTS, "seconds"):
            cells = ("" if number is None else f"{number:.4g}" for number in row[1:])
            lines.append(f"| `{row.name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _data(codec: Codec) -> str:
    names = [name for section in ("dataset", "noise") if (part := codec.preset.part(section))
             for name in part[0].split("+")]  # fmt: skip
    lines = ["## Data\n", f"It was trained for {codec.step:,} steps on:\n" if names else "It names no data set.\n"]
    if names:
        lines.append("| data set | what | licence | from |\n|---|---|---|---|")
    for name in dict.fromkeys(names):
        try:
            owner = registry.owner("datasets", name)
        except MusicaeError:  # The package that has it is not installed here.
            owner = "that has it"
        found = terms(name, owner)
        lines.append(f"| `{name}` | {found.what} | {found.licence} | {found.source} |")
    return "\n".join(lines) + "\n"


def _content(codec: Codec, files: Collection[str], licence: str) -> str:
    count = sum(one.numel() for one in codec.networks().parameters())
    size = codec.path.stat().st_size if codec.path else 0
    lines = [
        "## What is in it\n",
        f"- `model.safetensors`: {count:,} parameters in {in_bytes(size)}, written by musicae "
        f"{metadata.version('musicae')}",
        "- `preset.toml`: everything that the model is made of and was trained with; "
        "`musicae train preset.toml` makes another",
    ]
    if "model.attributes.safetensors" in files:
        lines.append("- `model.attributes.safetensors`: what `musicae shift` can change of a file")
    if "model.lower.safetensors" in files:
        below = _plain((codec.preset.part("lower") or ("",))[0].replace("\\", "/").rpartition("/")[2])
        lines.append(f"- `model.lower.safetensors`: the model over whose codes this one lies (`{below}`)")
    weights = f"The weights are under the licence {licence}." if licence else "No licence is given for the weights."
    return "\n".join([*lines, "", f"{weights} The data sets have licences of their own, see above."]) + "\n"


def _plain(text: str) -> str:
    """Return a text on one line that is nothing but text in Markdown."""
    return re.sub(r"[\\`*_\[\]<>|#]", lambda match: f"\\{match[0]}", " ".join(text.split()))
