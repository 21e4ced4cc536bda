"""The results of the commands that make music or pictures: files that appear whole or not at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicae.cli.shared.options import BESIDE, OutputOptions
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import say, show_path
from musicae.errors import MusicaeError
from musicae.formats.temporary import temporary_folder

if TYPE_CHECKING:
    from musicae.codec import Codec
    from musicae.core import Sample
    from musicae.ops.playing import Playing

__all__ = ["Results", "beside", "check_suffix", "results", "say_json", "say_skipped"]


def say_json(facts: Any) -> None:
    """Print one JSON value; file names that are not valid text are escaped."""
    text = json.dumps(facts, ensure_ascii=False)
    click.echo(text if text.isprintable() else json.dumps(facts))


def say_skipped(skipped: Mapping[str, str], of: int) -> None:
    """Name the files that could not be read, a line each, and raise MusicaeError with their number, if there are any.

    To be called when all else is done and written.
    """
    for name, reason in skipped.items():
        say(reason if name in reason else f"{name}: {reason}")
    if skipped:
        raise MusicaeError(f"{len(skipped)} of {of} files could not be read and were left out")


@dataclass
class Results:
    """Where the results of one command go; `write` puts them there."""

    codec: Codec
    parts: list[Path]
    wav: Path | None
    png: Path | None
    join: bool
    options: OutputOptions
    playing: Playing
    places: Mapping[Path, Path] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        """All files, the main ones first."""
        return [*self.parts, *(path for path in (self.wav, self.png) if path)]

    def say(self, notices: Sequence[str], remarks: Sequence[str] = ()) -> None:
        """Print lines on stderr: `notices` always, `remarks` if asked for."""
        self.options.say(notices, remarks)

    def write(self, samples: Sequence[Sample], titles: Sequence[str] = (), columns: int | None = None) -> None:
        """Write samples as files, and their sound and picture where wanted."""
        from musicae.ops.drawing import draw
        from musicae.ops.parts import sounding_alone
        from musicae.ops.playing import played
        from musicae.ops.suffixes import suffixes_written

        adapter, options = self.codec.adapter, self.options
        samples = sounding_alone(self.codec, samples, options.drop, options.solo)
        samples = played(self.codec, samples, self.playing)
        joined = samples[0] if len(samples) == 1 else adapter.concat(samples)
        if columns and "frames" in joined.meta:
            joined.meta["frames"]["columns"] = columns
        for path, sample in zip(self.parts, [joined] if self.join else samples, strict=True):
            adapter.write(sample, self.places[path])
        if self.wav:
            self.say([], [adapter.render(joined, self.places[self.wav])])
        if self.png and ".png" in suffixes_written(adapter):
            adapter.write(joined, self.places[self.png])
        elif self.png:
            draw(adapter, samples, self.places[self.png], titles, columns)

    def report(self, **facts: Any) -> None:
        """Print the paths, or one JSON object with them and `facts`."""
        streamed = self.options.output == "-"
        if self.options.as_json:
            kinds = {"wav": self.wav, "png": self.png}
            extra = {kind: str(path) for kind, path in kinds.items() if path}
            say_json({"paths": [str(path) for path in self.parts], **extra, **facts})
        else:
            for path in self.paths[streamed:]:
                show_path(path, error=streamed)


@contextmanager
def results(
    codec: Codec,
    folder: Path,
    stem: str,
    options: OutputOptions,
    names: Sequence[str] = (),
    *,
    join: bool = True,
) -> Iterator[Results]:
    """Check where the results go before they are computed, and put them there when the block ends.

    Without an output named they go into `folder`: one file called `stem`, or unless `join` a folder of that name with a
    file for each of `names`. The output ``-`` is written to stdout.
    """
    from musicae.ops.parts import check_left_out
    from musicae.ops.playing import how_played
    from musicae.ops.suffixes import suffix_like

    check_left_out(codec, options.drop, options.solo)
    playing = how_played(codec, options.tempo, options.program, options.transpose)
    suffix, streamed = suffix_like(codec.adapter), options.output == "-"
    if streamed and (options.as_json or not join):
        raise MusicaeError("-o - writes one file to stdout; it does not go with --json or --split")
    with ExitStack() as cleaning:
        if streamed:
            temporary = cleaning.enter_context(temporary_folder())
            parts, extra = [temporary / f"{stem}{suffix}"], folder / stem
        else:
            parts, extra = _plan(codec, folder / stem, suffix, names, join, options.output)
        kept = [beside(kind, wanted, extra) for kind, wanted in (("wav", options.wav), ("png", options.png))]
        # The picture of pictures is what is written anyway.
        kept = [None if path in parts else path for path in kept]
        made = Results(codec, parts, kept[0], kept[1], join, options, playing)
        with staged(made.paths, options.force) as made.places:
            made.say([], [f"preset {codec.preset.name}, trained for {codec.step} steps"])
            yield made
        if streamed:
            sys.stdout.buffer.write(parts[0].read_bytes())


def _plan(
    codec: Codec, usual: Path, suffix: str, names: Sequence[str], join: bool, output: str | None
) -> tuple[list[Path], Path]:
    """Return the files to write, and the path (less its suffix) beside which a sound and a picture go."""
    if not join:
        base = Path(output) if output else usual
        if base.exists() and not base.is_dir():
            raise MusicaeError(f"-o {base} is a file; with --split it must be a folder")
        return [base / f"{name}{suffix}" for name in names], base / usual.name
    one = Path(output) if output else usual.with_name(f"{usual.name}{suffix}")
    if one.is_dir():
        several = ", or write a folder of files with --split" if names else ""
        raise MusicaeError(f"-o {one} is a folder; name a file{several}")
    check_suffix(codec, one)
    return [one], one.with_suffix("")


def check_suffix(codec: Codec, path: Path) -> None:
    """Raise MusicaeError for a file that a codec does not write."""
    from musicae.ops.suffixes import suffixes_written

    written = suffixes_written(codec.adapter)
    if path.suffix.lower() not in written:
        raise MusicaeError(f"-o {path}: what '{codec.preset.name}' makes ends in {written[0]}; name a file that does")


def beside(kind: str, wanted: str | None, extra: Path) -> Path | None:
    """Return where a file that an option like ``--png [FILE]`` asks for goes: beside `extra` if it names none."""
    if wanted is None:
        return None
    path = extra.with_name(f"{extra.name}.{kind}") if wanted == BESIDE else Path(wanted)
    if path.suffix.lower() != f".{kind}":
        raise MusicaeError(f"--{kind} {path}: name a file that ends in .{kind}")
    return path
