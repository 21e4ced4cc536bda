"""What the commands that restore share: one file, several files, and a pipe."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musicae.cli.shared.options import OutputOptions
from musicae.cli.shared.progress import percent, time_left
from musicae.cli.shared.results import beside, check_suffix, say_json, say_skipped
from musicae.cli.shared.sharding import shard_of
from musicae.cli.shared.staging import make_folder, staged
from musicae.cli.shared.terminal import say, show_path
from musicae.errors import MusicaeError
from musicae.formats.folders import check_different
from musicae.ops.shards import ALL, Shard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from musicae.codec import Codec
    from musicae.ops.restored import Report, RestoreOptions

__all__ = ["restore", "restore_file", "restore_files", "restore_pipe"]


def restore(
    verb: str,
    files: tuple[Path, ...],
    preset: str | None,
    options: RestoreOptions,
    out: OutputOptions,
    jobs: int,
    shard: str | None,
) -> None:
    """Restore one file, or several, or those in folders, and print the paths."""
    mine = shard_of(shard, files)
    if len(files) == 1 and not files[0].is_dir() and not (out.output and Path(out.output).is_dir()):
        restore_file(verb, files[0], preset, options, out)
        return
    if options.noise or out.png:
        raise MusicaeError("--keep-noise and --png are for one file")
    restore_files(verb, files, preset, options, out, jobs, mine)


def restore_file(verb: str, file: Path, preset: str | None, options: RestoreOptions, out: OutputOptions) -> None:
    """Restore one file beside it, or where `out` says, and print the path."""
    from musicae.ops.choose import codec_and_doubts
    from musicae.ops.restore import restore as restore_one
    from musicae.ops.restore_all import ENDINGS
    from musicae.ops.suffixes import suffix_like

    codec, doubts = codec_and_doubts(preset, file, job=verb, scale=options.wanted_scale)
    if out.output == "-":
        if options.noise or out.png or out.as_json:
            raise MusicaeError("-o - writes the result alone to stdout; --keep-noise, --png and --json need another -o")
        with _report(codec) as report:
            done = restore_one(file, _stdout(), verb=verb, preset=codec, options=replace(options, report=report))
        out.say([*doubts, *done.notices], [_trained(codec), *done.remarks])
        return
    usual = file.with_name(f"{file.stem}-{ENDINGS[verb]}{suffix_like(codec.adapter, file.suffix)}")
    target = Path(out.output) if out.output else usual
    check_suffix(codec, target)
    others = {"noise": options.noise, "picture": beside("png", out.png, target.with_suffix(""))}
    kept = {name: path for name, path in others.items() if path}
    targets = [target, *kept.values()]
    check_different([file, *targets])
    with staged(targets, out.force) as places, _report(codec) as report:
        placed = {name: places[path] for name, path in kept.items()}
        settings = replace(options, report=report, noise=placed.get("noise"), picture=placed.get("picture"))
        done = restore_one(file, places[target], verb=verb, preset=codec, options=settings)
    notices = [*doubts, *done.notices]
    out.say(notices, [_trained(codec), *done.remarks])
    if out.as_json:
        facts: dict[str, Any] = {"paths": [str(target)], **{name: str(path) for name, path in kept.items()}}
        facts |= {"preset": codec.preset.name, **({"seconds": done.seconds} if done.seconds else {})}
        say_json({**facts, "remarks": [*notices, *done.remarks]})
    else:
        for path in targets:
            show_path(path)


@contextmanager
def _report(codec: Codec) -> Iterator[Report]:
    """Give what shows the progress: of a recording the time, of a picture its tiles."""
    from musicae.ops.stream import restores_streams

    if restores_streams(codec):
        with time_left() as report:
            yield report
    else:
        yield percent("tiles", least=1)


def _trained(codec: Codec) -> str:
    return f"preset {codec.preset.name}, trained for {codec.step} steps"


def _stdout() -> Any:
    if sys.stdout is None:
        raise MusicaeError("there is no stdout to write to")
    return sys.stdout.buffer


def restore_pipe(verb: str, preset: str | None, options: RestoreOptions, out: OutputOptions) -> None:
    """Restore stdin into stdout."""
    from musicae.ops.restore import restore_pipe as restore_stream

    if sys.stdin is None:
        raise MusicaeError("there is no stdin to read from")
    done = restore_stream(sys.stdin.buffer, _stdout(), verb, preset, options)
    out.say(done.notices, done.remarks)


def restore_files(
    verb: str,
    given: tuple[Path, ...],
    preset: str | None,
    options: RestoreOptions,
    out: OutputOptions,
    jobs: int,
    shard: Shard = ALL,
) -> None:
    """Restore files one by one, each complete when its path is printed, and go on where one cannot be read.

    Those whose results are there already are left alone: the same command goes on where it was stopped.
    """
    from musicae.ops.restore_all import plan

    if out.output == "-":
        raise MusicaeError("-o - writes one file to stdout; name a folder for several")
    into = Path(out.output) if out.output else None
    if into and into.exists() and not into.is_dir():
        raise MusicaeError(f"-o {into} is a file; name a folder for several files")
    every = plan(given, into, verb=verb, preset=preset, options=options, shard=shard)
    left = every if out.force else every.remaining()
    done = len(every.pairs) - len(left.pairs)
    if done:
        say(f"{done} of {len(every.pairs)} are done already; -f restores them again")
    if not every.pairs:
        say(f"shard {shard.index}/{shard.count} has none of the files")
    skipped: dict[str, str] = {}
    written: dict[str, str] = {}
    notices: list[str] = []
    show = percent("files", least=1)
    with ExitStack() as cleaning:
        for _, target in left.pairs:
            make_folder(target.parent, cleaning)
        show(0, len(left.pairs))
        for i, made in enumerate(left.run(jobs), start=1):
            show(i, len(left.pairs))
            if made.error:
                skipped[str(made.source)] = made.error
                continue
            written[str(made.path)] = made.preset
            notices += made.notices
            out.say(made.notices, made.remarks)
            if made.path and not out.as_json:
                show_path(made.path)
    if out.as_json:
        say_json({"paths": list(written), "presets": written, "skipped": skipped, "remarks": notices})
    if len(every.pairs) == 1 and skipped:
        raise MusicaeError(*skipped.values())
    say_skipped(skipped, len(every.pairs))
