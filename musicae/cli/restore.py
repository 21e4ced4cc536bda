"""The commands denoise and upscale."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicae.errors import MusicaeError, OutputError

from .results import (
    Maker,
    beside,
    make_folder,
    percent,
    results,
    say_json,
    say_skipped,
    staged,
    there,
    time_left,
    usual_suffix,
)

if TYPE_CHECKING:
    from musicae.codec import Codec
    from musicae.ops import Restored
    from musicae.recordings import Cleaned

__all__ = ["denoise", "upscale"]

preset_option = click.option(
    "--preset", metavar="NAME", help="A preset or a .safetensors file; by default what fits the first input."
)
force_option = click.option("-f", "--force", is_flag=True, help="Overwrite what exists.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of paths.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Explain each choice in a line.")


@click.command(cls=Maker)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@preset_option
@click.option("-o", "--output", metavar="PATH", help="The file to write, of several the folder; - is stdout.")
@force_option
@click.option("-j", "--jobs", type=click.IntRange(1, 61), default=1, help="How many of several files at a time.")
@click.option("--strength", type=click.FloatRange(0, 1), default=1.0, help="Sound: how much of the noise to take off.")
@click.option("--keep-noise", type=click.Path(path_type=Path), metavar="FILE", help="Sound: what was taken off.")
@click.option("--png", metavar="[FILE]", help="Sound: draw the spectrograms before, after and of what was taken off.")
@click.option("--raw", default="", metavar="RATE:CHANNELS:FORMAT", help="Sound: what comes on stdin, as 48000:2:s16.")
@json_option
@verbose_option
def denoise(files: tuple[Path, ...], preset: str | None, jobs: int, **options: Any) -> None:
    """Take the noise off files, or off all files in a folder.

    The result is named FILE-denoised.wav, beside the file and of its kind; of a folder it is a folder with the
    same tree, in which files that are there already are left alone. Of several files, those that cannot be read are
    left out, and named at the end. The file - is stdin: WAV, or what --raw says, and with -o - it is cleaned as it
    comes in.
    """
    from musicae import ops, recordings

    output = options["output"]
    sound = {name: options.pop(name) for name in ("strength", "keep_noise", "png", "raw")}
    if str(files[0]) == "-":
        if len(files) > 1 or output != "-":
            raise MusicaeError("stdin is cleaned into stdout, alone: musicae denoise - -o -")
        if sound["keep_noise"] or sound["png"] or options["as_json"]:
            raise MusicaeError("--keep-noise, --png and --json are for files, not for what comes on stdin")
        _pipe(preset, sound["raw"], sound["strength"], options["verbose"])
        return
    if sound["raw"]:
        raise MusicaeError("--raw is for what comes on stdin: musicae denoise - -o -")
    several = len(files) > 1 or files[0].is_dir() or (output and Path(output).is_dir())
    if several:
        if sound["keep_noise"] or sound["png"]:
            raise MusicaeError("--keep-noise and --png are for one file")
        _many(files, preset, "denoised", jobs, sound["strength"], **options)
        return
    codec = ops.codec_for(preset, files[0], verb="denoise")
    if recordings.works_on_sound(codec):
        verb = partial(recordings.denoise_recording, strength=sound["strength"])
        _recording(codec, files[0], "denoised", verb, noise=sound["keep_noise"], png=sound["png"], **options)
    else:
        if sound["strength"] != 1 or sound["keep_noise"] or sound["png"]:
            raise MusicaeError(f"--strength, --keep-noise and --png are for sound; {files[0]} is none")
        _one(codec, files[0], "denoised", ops.denoise, **options)


def _pipe(preset: str | None, raw: str, strength: float, verbose: bool) -> None:
    from musicae import recordings

    if sys.stdin is None or sys.stdout is None:
        raise MusicaeError("there is no stdin or no stdout to work on")
    done = recordings.denoise_pipe(preset, sys.stdin.buffer, sys.stdout.buffer, raw, strength)
    for line in [*done.notices, *(done.remarks if verbose else ())]:
        click.echo(line, err=True)


def _recording(
    codec: Codec, file: Path, named: str, verb: Callable[..., Cleaned], *, output: str | None, force: bool,
    as_json: bool, verbose: bool, noise: Path | None = None, png: str | None = None,
) -> None:  # fmt: skip
    """Work on one recording, block by block."""
    usual = f"{file.stem}-{named}{usual_suffix(codec, file.suffix)}"
    if output == "-":
        if noise or png or as_json:
            raise MusicaeError("-o - writes the sound alone to stdout; --keep-noise, --png and --json need another -o")
        with tempfile.TemporaryDirectory(prefix="musicae-") as folder:
            with time_left() as report:
                done = verb(codec, file, Path(folder) / usual, report=report)
            for line in [*done.notices, *(done.remarks if verbose else ())]:
                click.echo(line, err=True)
            with (Path(folder) / usual).open("rb") as sound:
                shutil.copyfileobj(sound, sys.stdout.buffer)
        return
    target = Path(output) if output else file.with_name(usual)
    others = {"noise": noise, "picture": beside("png", png, target.with_suffix(""))}
    kept = {name: path for name, path in others.items() if path}
    targets = [target, *kept.values()]
    if len({path.resolve() for path in (*targets, file)}) <= len(targets):
        raise MusicaeError("the input and all outputs must be different files")
    with staged(targets, force) as places, time_left() as report:
        extra = {name: places[path] for name, path in kept.items()}
        done = verb(codec, file, places[target], report=report, **extra)
    for line in [*done.notices, *(done.remarks if verbose else ())]:
        click.echo(line, err=True)
    if as_json:
        facts: dict[str, Any] = {"paths": [str(target)], **{name: str(path) for name, path in kept.items()}}
        facts |= {"preset": codec.preset.name, "seconds": done.seconds, "remarks": [*done.notices, *done.remarks]}
        say_json(facts)
    else:
        for path in targets:
            click.echo(path)


@click.command(cls=Maker)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scale", type=int, metavar="N", help="How many times as large along each side: 2 (the default) or 4.")
@preset_option
@click.option("-o", "--output", metavar="PATH", help="The file to write; - is stdout.")
@force_option
@json_option
@verbose_option
def upscale(file: Path, scale: int | None, preset: str | None, **options: Any) -> None:
    """Enlarge a picture, or raise the rate of a recording, with the detail that is likely there.

    The result is named FILE-upscaled.jpg, beside the file and of its kind.
    """
    from musicae import inputs, ops, recordings

    name = preset or inputs.upscaling_preset(file, 2 if scale is None else scale)
    codec = ops.codec_for(name)
    if recordings.works_on_sound(codec):
        _recording(codec, file, "upscaled", partial(recordings.upscale_recording, scale=scale), **options)
    else:
        _one(codec, file, "upscaled", partial(ops.upscale, scale=scale), **options)


def _one(codec: Codec, file: Path, done: str, verb: Callable[..., Restored], **options: Any) -> None:
    with results(codec, file.parent, f"{file.stem}-{done}", [], join=True, suffix=file.suffix, **options) as out:
        made = verb(file, preset=codec, report=percent("tiles", least=1))
        out.say([], made.remarks)
        out.write([made.sample])
    out.report(preset=codec.preset.name, remarks=made.remarks)


def _many(
    given: tuple[Path, ...], preset: str | None, done: str, jobs: int, strength: float, *,
    output: str | None, force: bool, as_json: bool, verbose: bool,
) -> None:  # fmt: skip
    """Restore files one by one, each whole when its path is printed, and go on where one cannot be read.

    Those whose results are there already are passed over: the same command goes on where it was stopped.
    """
    from musicae import inputs, ops

    if output == "-":
        raise MusicaeError("-o - writes one file to stdout; name a folder for several")
    into = Path(output) if output else None
    if into and into.exists() and not into.is_dir():
        raise MusicaeError(f"-o {into} is a file; name a folder for several files")
    codec = ops.codec_for(preset) if preset else None
    files = inputs.listed(given, codec.adapter.suffixes if codec else inputs.noisy_suffixes(), into)
    targets = _targets(codec, given, files, into, done)
    pairs = [(file, target) for (file, _), target in zip(files, targets, strict=True)]
    left = [pair for pair in pairs if force or not there(pair[1])]
    if len(left) < len(pairs):
        click.echo(f"{len(pairs) - len(left)} of {len(pairs)} are done already; -f makes them anew", err=True)
    skipped: dict[str, str] = {}
    show = percent("files", least=1)
    written: dict[str, str] = {}
    said: list[str] = []
    with ExitStack() as cleaning:
        outcomes = _restored((codec, strength), left, jobs, cleaning)
        for i, (pair, (error, used, notices, remarks)) in enumerate(zip(left, outcomes, strict=True)):
            show(i, len(left))
            if error:
                skipped[str(pair[0])] = error
                continue
            written[str(pair[1])] = used
            said += notices
            for line in [*notices, *(remarks if verbose else ())]:
                click.echo(line, err=True)
            if not as_json:
                click.echo(pair[1])
        show(len(left), len(left))
    if as_json:
        say_json({"paths": list(written), "presets": written, "skipped": skipped, "remarks": said})
    if len(pairs) == 1 and skipped:
        raise MusicaeError(*skipped.values())
    say_skipped(skipped, len(files))


Outcome = tuple[str, str, list[str], list[str]]
"""What was wrong with a file, or nothing; the preset; what is to be said of it; and what explains it."""

Tool = tuple["Codec | None", float]
"""The codec for all files, None where each chooses its own, and the strength."""


def _restored(tool: Tool, pairs: list[tuple[Path, Path]], jobs: int, cleaning: ExitStack) -> Iterator[Outcome]:
    """Restore each of `pairs` (the file, its result), `jobs` at a time in processes of their own."""
    for _, target in pairs:
        make_folder(target.parent, cleaning)
    if min(jobs, len(pairs)) < 2:
        yield from (_restore(tool, *pair) for pair in pairs)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(pairs)), spawn, _begin, (tool,))
    try:
        with _deaf():  # Ctrl-C is for us; the processes that start now inherit that they do not hear it.
            outcomes = [pool.submit(_restore_here, pair) for pair in pairs]
        for outcome in outcomes:
            yield outcome.result()
    except BrokenProcessPool:
        raise OutputError("one of the processes was ended from outside; the same command goes on") from None
    finally:
        # Those that are at work are told to end, and leave nothing half written behind.
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _deaf() -> Iterator[None]:
    """Hear no Ctrl-C for a moment."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_here: Tool  # What a process of its own restores with.


def _begin(tool: Tool) -> None:
    global _here
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    torch.set_num_threads(1)
    _here = tool


def _restore_here(pair: tuple[Path, Path]) -> Outcome:
    try:
        return _restore(_here, *pair)
    except SystemExit:
        os._exit(1)  # Else the pool takes it for an outcome, and this process waits for another file.


def _restore(tool: Tool, file: Path, target: Path) -> Outcome:
    from musicae import inputs, ops, recordings

    codec, strength = tool
    try:
        codec = codec or _loaded(inputs.suited_preset(file, "denoise"))
        if recordings.works_on_sound(codec):
            done = recordings.denoise_recording(codec, file, target, strength=strength)
            return "", codec.preset.name, done.notices, done.remarks
        if strength != 1:
            raise MusicaeError(f"--strength is for sound; {file} is none")
        made = ops.denoise(file, preset=codec)
    except OutputError:
        raise
    except MusicaeError as error:
        return str(error), "", [], []
    codec.adapter.write(made.sample, target)
    return "", codec.preset.name, [], made.remarks


@cache
def _loaded(name: str) -> Codec:
    from musicae import codec

    return codec.load(name)


def _suffix(codec: Codec | None, file: Path) -> str:
    """Return how the result of a file ends: where no preset suits it, as it does itself."""
    from musicae import inputs

    try:
        return usual_suffix(codec or _loaded(inputs.preset_for(file, "denoise")), file.suffix)
    except MusicaeError:
        return file.suffix


def _targets(
    codec: Codec | None, given: tuple[Path, ...], files: list[tuple[Path, Path]], into: Path | None, done: str
) -> list[Path]:
    """Return where the results go: into one folder with the inputs' tree, or beside each input.

    Raise MusicaeError where two inputs would be written to one place.
    """
    folders = [path for path in given if path.is_dir()]
    originals = {file.resolve() for file, _ in files}
    targets: dict[Path, Path] = {}
    for file, name in files:
        suffix = _suffix(codec, file)
        inside = next((folder for folder in folders if folder / name == file), None)
        if into:
            target = into / name.with_suffix(suffix)
        elif inside:
            base = inside if inside.name not in ("", "..") else inside.resolve()  # Never into the folder itself.
            if not base.name:
                raise MusicaeError(f"{inside} has no folder beside it for the results; name one with -o")
            target = base.with_name(f"{base.name}-{done}") / name.with_suffix(suffix)
        else:
            target = file.with_name(f"{file.stem}-{done}{suffix}")
        if target.resolve() in originals:
            raise MusicaeError(f"{target} is an input itself; name another folder with -o")
        if target in targets:
            raise MusicaeError(f"{targets[target]} and {file} would both be written to {target}; restore them apart")
        targets[target] = file
    return list(targets)
