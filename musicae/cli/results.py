"""What the commands that make music share: their options, and files that appear whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from musicae import whole
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from musicae.codec import Codec
    from musicae.core import Sample

__all__ = [
    "Maker",
    "Results",
    "beside",
    "few_threads",
    "make_folder",
    "percent",
    "reading",
    "results",
    "say_json",
    "say_skipped",
    "staged",
    "there",
    "time_left",
    "usual_suffix",
    "writing",
]

F = TypeVar("F", bound=Callable[..., Any])
_BESIDE = "beside the result"
_SMALL = 50_000  # Bytes of MIDI: some minutes of a song with many tracks, half an hour of a melody.


class Maker(click.Command):
    """A command with the options `writing`: a word after ``--wav`` or ``--png`` is theirs only if it ends like one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give both options a value, so that ``--png a.mid b.mid`` leaves both files to the command."""
        words = list(args)
        end = words.index("--") if "--" in words else len(words)
        for i in reversed(range(end)):
            if words[i] in ("--wav", "--png"):
                named = i + 1 < end and words[i + 1].lower().endswith(f".{words[i][2:]}")
                words[i] += f"={words.pop(i + 1) if named else _BESIDE}"
        return super().parse_args(ctx, words)


def few_threads(*files: Path) -> None:
    """Let torch use one thread for small files.

    What it computes then is many small steps: several threads gain nothing, and on a busy machine
    they wait for each other ten times as long as they work. OMP_NUM_THREADS overrides.
    """
    if "OMP_NUM_THREADS" not in os.environ and sum(file.stat().st_size for file in files if file.is_file()) < _SMALL:
        import torch

        torch.set_num_threads(1)


def percent(what: str, least: int = 0) -> Callable[[int, int], None]:
    """Return a function that shows how many of `what` are done on one line of stderr, where a person looks on.

    It says nothing where there are `least` of them or fewer.
    """

    def report(done: int, of: int) -> None:
        if of > least and sys.stderr.isatty():
            click.echo(f"\r\x1b[K{done} of {of} {what}" if done < of else "\r\x1b[K", nl=False, err=True)

    return report


@contextmanager
def time_left() -> Iterator[Callable[[float, float], None]]:
    """Give a function that shows how many seconds of a recording are done, and how long the rest will take.

    On one line of stderr, where a person looks on; it is gone at the end.
    """
    started, shown = time.monotonic(), False

    def report(done: float, of: float) -> None:
        nonlocal shown
        passed = time.monotonic() - started
        if not sys.stderr.isatty() or passed < 1:
            return
        left = f" of {_clock(of)}, {_clock(passed / done * (of - done))} left" if done and done <= of else ""
        click.echo(f"\r\x1b[K{_clock(done)}{left}", nl=False, err=True)
        shown = True

    try:
        yield report
    finally:
        if shown:
            click.echo("\r\x1b[K", nl=False, err=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def say_json(facts: Any) -> None:
    """Print one JSON value; names of files that are no text come out escaped."""
    text = json.dumps(facts, ensure_ascii=False)
    click.echo(text if text.isprintable() else json.dumps(facts))


def say_skipped(skipped: Mapping[str, str], of: int) -> None:
    """Name the files that could not be read, a line each, and raise MusicaeError with their number, if there are any.

    To be called when all else is done and written.
    """
    for name, reason in skipped.items():
        click.echo(reason if name in reason else f"{name}: {reason}", err=True)
    if skipped:
        raise MusicaeError(f"{len(skipped)} of {of} files could not be read and were left out")


def _with(function: F, options: Sequence[Callable[[F], F]]) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def reading(function: F) -> F:
    """Add the options of commands that read files, for the adapter that takes them."""
    options = (
        click.option(
            "--track", metavar="TRACK", help="Music: the track to read, by its number (from 1) or (part of) its name."
        ),
        click.option("--bars", metavar="A-B", help="Music: the bars to read, such as 5-8 or 3, counted from 1."),
        click.option(
            "--fit", type=click.Choice(["scale", "pad"]), help="Pictures: how to bring them to the preset's size."
        ),
    )
    return _with(function, options)


def writing(function: F) -> F:
    """Add the options of commands that write one file or a folder, which hand them to `results`."""
    options = (
        click.option(
            "-o", "--output", metavar="PATH", help="The file to write (with --split: the folder); - is stdout."
        ),
        click.option("-f", "--force", is_flag=True, help="Overwrite what exists."),
        click.option("--wav", metavar="[FILE]", help="Write the sound of music as well."),
        click.option("--png", metavar="[FILE]", help="Draw every step of music or sound in one picture."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of paths."),
        click.option("-v", "--verbose", is_flag=True, help="Explain each choice in a line."),
    )
    return _with(function, options)


@contextmanager
def staged(targets: Sequence[Path], force: bool) -> Iterator[Mapping[Path, Path]]:
    """Give a temporary place for each of `targets`; at the end all are put where they belong.

    Raise MusicaeError, before anything is computed, for one that exists (without `force`), that is a
    folder, or whose folder cannot be written. An error in between leaves nothing behind.
    """
    for target in targets:
        if there(target) and target.is_dir():
            raise MusicaeError(f"{target} is a folder; name a file with -o")
        if there(target) and not force:
            raise MusicaeError(f"{target} exists already; -f overwrites it, -o names another")
    with ExitStack() as cleaning:
        hidden = {folder: _hidden(folder, cleaning) for folder in dict.fromkeys(target.parent for target in targets)}
        places = {target: hidden[target.parent] / target.name for target in targets}
        try:
            yield places
            for target, place in places.items():
                place.replace(target)
        except MusicaeError as error:
            # A message names the place a file was to have, not where it was on its way there.
            text = str(error)
            for target, place in places.items():
                text = text.replace(str(place), str(target))
            for folder, temporary in hidden.items():
                text = text.replace(str(temporary), str(folder))
            raise MusicaeError(text) from error
        except OSError as error:
            raise MusicaeError(f"cannot write {error.filename}: {error.strerror}") from error


def _hidden(folder: Path, cleaning: ExitStack) -> Path:
    """Make a temporary folder in `folder`, which is made if need be."""
    make_folder(folder, cleaning)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".musicae-", dir=folder))
    except OSError as error:
        raise MusicaeError(f"cannot write in {folder}: {error.strerror}; name another place with -o") from error
    cleaning.callback(shutil.rmtree, temporary, ignore_errors=True)
    return temporary


def there(path: Path) -> bool:
    """Tell whether there is such a file or folder; a name that cannot be, such as one too long, is not there."""
    try:
        return path.exists()
    except OSError:
        return False


def make_folder(folder: Path, cleaning: ExitStack) -> None:
    """Make `folder` and those over it; `cleaning` removes what was made here and is empty then.

    Raise MusicaeError where it cannot be made.
    """
    for path in [path for path in (folder, *folder.parents) if not path.exists()][::-1]:
        cleaning.callback(_remove_if_empty, path)
    whole.make_folder(folder)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


@dataclass
class Results:
    """Where the results of one command go; `write` puts them there."""

    codec: Codec
    parts: list[Path]
    wav: Path | None
    png: Path | None
    join: bool
    verbose: bool
    as_json: bool
    streamed: bool = False
    places: Mapping[Path, Path] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        """All files, the main ones first."""
        return [*self.parts, *(path for path in (self.wav, self.png) if path)]

    def say(self, notices: Sequence[str], remarks: Sequence[str] = ()) -> None:
        """Print lines for the person: `notices` always, `remarks` if asked for."""
        for line in [*notices, *(remarks if self.verbose else ())]:
            click.echo(line, err=True)

    def write(self, samples: Sequence[Sample], titles: Sequence[str] = (), columns: int | None = None) -> None:
        """Write samples as files, and their sound and picture where wanted."""
        adapter = self.codec.adapter
        joined = samples[0] if len(samples) == 1 else adapter.concat(samples)
        if columns and "frames" in joined.meta:
            joined.meta["frames"]["columns"] = columns
        for path, sample in zip(self.parts, [joined] if self.join else samples, strict=True):
            adapter.write(sample, self.places[path])
        if self.wav:
            self._render(joined, self.places[self.wav])
        if self.png and _pictures(self.codec):
            adapter.write(joined, self.places[self.png])
        elif self.png:
            self._draw(samples, self.places[self.png], titles, columns)

    def _render(self, joined: Sample, wav: Path) -> None:
        render = getattr(self.codec.adapter, "render", None)
        if render is None:
            raise MusicaeError(f"--wav: what the preset '{self.codec.preset.name}' makes has no sound")
        source = wav.with_name(f"{wav.name}{_written(self.codec)[0]}")
        self.codec.adapter.write(joined, source)
        self.say([], [render(source, wav)])

    def _draw(self, samples: Sequence[Sample], png: Path, titles: Sequence[str], columns: int | None) -> None:
        from musicae import plots

        adapter: Any = self.codec.adapter
        if hasattr(adapter, "picture"):
            drawn = [adapter.picture(sample.tensor) for sample in samples]
            plots.spectrograms(drawn, png, titles, columns=columns)
            return
        part = self.codec.preset.part("adapter")
        known: dict[str, Any] = {
            name: getattr(adapter, name) for name in ("low", "labels", "steps_per_beat") if hasattr(adapter, name)
        }
        if "meters" in samples[0].meta:
            known["meters"] = samples[0].meta["meters"]
        tensors = [sample.tensor for sample in samples]
        plots.rolls(tensors, png, titles, part[0] if part else "", columns=columns, **known)

    def report(self, **facts: Any) -> None:
        """Print the paths, or one JSON object with them and `facts`."""
        if self.as_json:
            kinds = {"wav": self.wav, "png": self.png}
            extra = {kind: str(path) for kind, path in kinds.items() if path}
            say_json({"paths": [str(path) for path in self.parts], **extra, **facts})
        else:
            for path in self.paths[self.streamed :]:
                click.echo(path, err=self.streamed)


@contextmanager
def results(
    codec: Codec, folder: Path, stem: str, names: Sequence[str], *, join: bool, output: str | None, force: bool,
    as_json: bool, verbose: bool, wav: str | None = None, png: str | None = None, suffix: str = "",
) -> Iterator[Results]:  # fmt: skip
    """Check where the results go before they are computed, and put them there when the block ends.

    Without `output` they go into `folder`: one file named `stem`, or unless `join` a folder of that name
    with a file for each of `names`. The output ``-`` is written to stdout. Files are of the kind `suffix`
    where the adapter writes it, else of its usual one.
    """
    streamed = output == "-"
    if streamed and (as_json or not join):
        raise MusicaeError("-o - writes one file to stdout; it does not go with --json or --split")
    with ExitStack() as cleaning:
        if streamed:
            temporary = cleaning.enter_context(tempfile.TemporaryDirectory(prefix="musicae-"))
            parts, extra = [Path(temporary) / f"{stem}{usual_suffix(codec, suffix)}"], folder / stem
        else:
            parts, extra = _plan(codec, folder, stem, names, join, output, suffix)
        kept = [beside(kind, wanted, extra) for kind, wanted in (("wav", wav), ("png", png))]
        # The picture of pictures is what is written anyway.
        kept = [None if path in parts else path for path in kept]
        made = Results(codec, parts, kept[0], kept[1], join, verbose, as_json, streamed)
        with staged(made.paths, force) as made.places:
            made.say([], [f"preset {codec.preset.name}, trained for {codec.step} steps"])
            yield made
        if streamed:
            sys.stdout.buffer.write(parts[0].read_bytes())


def _plan(
    codec: Codec, folder: Path, stem: str, names: Sequence[str], join: bool, output: str | None, suffix: str
) -> tuple[list[Path], Path]:
    """Return the files to write, and the path (less its suffix) beside which a sound and a picture go."""
    suffix = usual_suffix(codec, suffix)
    if not join:
        base = Path(output) if output else folder / stem
        if base.exists() and not base.is_dir():
            raise MusicaeError(f"-o {base} is a file; with --split it must be a folder")
        return [base / f"{name}{suffix}" for name in names], base / stem
    one = Path(output) if output else folder / f"{stem}{suffix}"
    if one.is_dir():
        several = ", or write a folder of files with --split" if names else ""
        raise MusicaeError(f"-o {one} is a folder; name a file{several}")
    if one.suffix.lower() not in _written(codec):
        raise MusicaeError(f"-o {one}: what '{codec.preset.name}' makes ends in {suffix}; name a file that does")
    return [one], one.with_suffix("")


def _written(codec: Codec) -> tuple[str, ...]:
    """Return the suffixes of the files that the adapter writes, the usual one first."""
    return tuple(getattr(codec.adapter, "writes", codec.adapter.suffixes))


def usual_suffix(codec: Codec, like: str = "") -> str:
    """Return how a file is to end that the adapter writes: as `like` does, where it can, or as is usual."""
    return like if like.lower() in _written(codec) else _written(codec)[0]


def _pictures(codec: Codec) -> bool:
    return ".png" in _written(codec)


def beside(kind: str, wanted: str | None, extra: Path) -> Path | None:
    """Return where a file that an option like ``--png [FILE]`` asks for goes: beside `extra` if it names none."""
    if wanted is None:
        return None
    path = extra.with_name(f"{extra.name}.{kind}") if wanted == _BESIDE else Path(wanted)
    if path.suffix.lower() != f".{kind}":
        raise MusicaeError(f"--{kind} {path}: name a file that ends in .{kind}")
    return path
