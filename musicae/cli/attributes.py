"""The command attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from musicae.cli.shared.data import data_option, folders_of
from musicae.cli.shared.options import preset_argument
from musicae.cli.shared.results import say_json
from musicae.cli.shared.terminal import show, show_path
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from musicae.ops.attributes import Fitted, Trait

__all__ = ["attributes"]

_FIGURES = ("rises", "change", "others", "stays")


@click.command()
@preset_argument
@click.option("--fit", is_flag=True, help="Fit them to the training data, measure them, and write them beside it.")
@data_option
@click.option(
    "--limit", type=click.IntRange(min=8), default=32, show_default=True, metavar="N", help="Windows to measure with."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def attributes(name: str, fit: bool, data: Sequence[str], limit: int, as_json: bool) -> None:
    """List the attributes of a preset: what `musicae shift` can change.

    PRESET is a name or a .safetensors file. With each stand its mean and its standard deviation in the training data,
    and what became of held-out windows in which it was moved by one standard deviation: the share in which it rose, by
    how many deviations it changed, and the others, and the share of the steps that stayed at half a deviation.

    --fit overwrites what was fitted before.
    """
    from musicae import codec as codecs
    from musicae.ops import attributes as fitting

    if data and not fit:
        raise MusicaeError("--data is for --fit; add that, or leave --data out")
    folders = folders_of(data)
    codec = codecs.load(name)
    if fit:
        from musicae.evaluations.shared.attributes import fit_and_measure

        fitted = fit_and_measure(codec, folders, limit)
        fitting.save(codec, fitted)
    else:
        fitted = fitting.load(codec)
    if as_json:
        say_json({"preset": codec.preset.name, "attributes": [asdict(trait) for trait in fitted.traits]})
        return
    for line in _lines(fitted):
        show(line)
    if fit and codec.path:
        from musicae import hub

        show_path(hub.attributes_of(codec.path), error=True)


def _lines(fitted: Fitted) -> list[str]:
    from musicae.ops.attributes import about

    rows: list[tuple[str, ...]] = [("attribute", "unit", "mean", "s.d.", *_FIGURES, "what it is")]
    rows += [
        (one.name, one.unit, f"{one.mean:.3g}", f"{one.spread:.3g}", *_figures(one), about(one.name))
        for one in fitted.traits
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = (0, 1, len(widths) - 1)
    lines = []
    for row in rows:
        cells = [row[i].ljust(width) if i in left else row[i].rjust(width) for i, width in enumerate(widths)]
        lines.append("  ".join(cells).rstrip())
    return lines


def _figures(trait: Trait) -> list[str]:
    return [f"{trait.measured[name]:.2f}" if name in trait.measured else "-" for name in _FIGURES]
