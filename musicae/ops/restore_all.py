"""Restore many files: where the results go, and several at a time in processes of their own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from musicae.codec import Codec, load
from musicae.errors import MusicaeError, OutputError
from musicae.formats.atomic import make_folder
from musicae.formats.folders import Identity, identity
from musicae.ops.choose import choice_for, codec_for, readable_suffixes
from musicae.ops.inputs import listed
from musicae.ops.restore import restore
from musicae.ops.restored import Restored, RestoreOptions
from musicae.ops.shards import ALL, Shard
from musicae.ops.suffixes import suffix_like
from musicae.processes import end_with_parent, ignore_sigint, ignoring_sigint

__all__ = ["ENDINGS", "Plan", "plan", "restore_all"]

ENDINGS = {"denoise": "denoised", "upscale": "upscaled"}
"""What a result's name has more than its source's, by the verb."""


@dataclass
class Plan:
    """Which files are to be restored, and into which: `pairs` of both.

    `codec` is for all of them; None where each chooses its own.
    """

    pairs: list[tuple[Path, Path]]
    codec: Codec | None = None
    verb: str = "denoise"
    options: RestoreOptions = field(default_factory=RestoreOptions)

    def remaining(self) -> Plan:
        """Return the plan without the files whose results are there already."""
        # Path.exists raises for a name that is too long.
        return replace(self, pairs=[pair for pair in self.pairs if not os.path.exists(pair[1])])  # noqa: PTH110

    def run(self, jobs: int = 1) -> Iterator[Restored]:
        """Restore all, `jobs` at a time, and yield them in order, each when its result is complete.

        A file that cannot be restored is left out: its `error` says why. Raise OutputError where results cannot be
        written at all.
        """
        for folder in dict.fromkeys(target.parent for _, target in self.pairs):
            make_folder(folder)  # That none can be made should be told at once.
        if min(jobs, len(self.pairs)) < 2:
            yield from (_restore_pair(self, pair) for pair in self.pairs)
            return
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool

        context = multiprocessing.get_context("spawn")
        tools = replace(self, pairs=[])
        pool = ProcessPoolExecutor(min(jobs, len(self.pairs)), context, _start_worker, (tools,))
        try:
            with ignoring_sigint():  # The processes that start now inherit that.
                results = [pool.submit(_restore_in_worker, pair) for pair in self.pairs]
            for result in results:
                yield result.result()
        except BrokenProcessPool:
            raise OutputError("a worker process was killed; run the same command again to go on") from None
        finally:
            # Those at work are ended, and leave nothing half written behind.
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(cancel_futures=True)


def restore_all(
    sources: Sequence[Path | str],
    folder: Path | str | None = None,
    *,
    verb: str = "denoise",
    preset: Codec | str | None = None,
    options: RestoreOptions | None = None,
    jobs: int = 1,
    overwrite: bool = False,
    shard: Shard = ALL,
) -> Iterator[Restored]:
    """Restore files, and all files in folders, and yield each when it is done; see `plan` for where the results go.

    Results that are there already are left alone, and not among those yielded, without `overwrite`: the same call goes
    on where it was stopped. `jobs` files are worked on at a time, of those of `shard`. A file that cannot be restored
    is yielded with its `error`. Raise MusicaeError for sources that are missing, and where two results would have one
    place.
    """
    made = plan(sources, folder, verb=verb, preset=preset, options=options, shard=shard)
    if not overwrite:
        made = made.remaining()
    return made.run(jobs)


def plan(
    sources: Sequence[Path | str],
    folder: Path | str | None = None,
    *,
    verb: str = "denoise",
    preset: Codec | str | None = None,
    options: RestoreOptions | None = None,
    shard: Shard = ALL,
) -> Plan:
    """Decide what is restored into which file.

    The results go into `folder` with the tree of the sources; without one beside each file (``x-denoised.wav``), those
    of a folder into one beside that (``album-denoised``). Only the files of `shard` are in the plan. Raise MusicaeError
    for sources that are missing, where two
    would be written to one place, and for options that are for one file.
    """
    options = options or RestoreOptions()
    if options.noise or options.picture:
        raise MusicaeError("--keep-noise and --png are for one file")
    paths = [Path(source) for source in sources]
    into = Path(folder) if folder is not None else None
    codec = codec_for(preset) if preset is not None else None
    files = listed(paths, codec.adapter.suffixes if codec else readable_suffixes(verb), into)
    made = Plan([], codec, verb, replace(options, report=None))
    mine = shard.of(files)
    inputs = {identity(file) for file, _ in files}
    targets = _targets(made, [path for path in paths if path.is_dir()], mine, into, inputs)
    made.pairs = [(file, target) for (file, _), target in zip(mine, targets, strict=True)]
    return made


def _targets(
    made: Plan, folders: list[Path], files: list[tuple[Path, Path]], into: Path | None, inputs: set[Identity]
) -> list[Path]:
    targets: dict[Path, Path] = {}
    ending = ENDINGS[made.verb]
    for file, name in files:
        suffix = _suffix(made, file)
        inside = next((folder for folder in folders if folder / name == file), None)
        if into:
            target = into / name.with_suffix(suffix)
        elif inside:
            base = inside if inside.name not in ("", "..") else inside.resolve()  # Never into the folder itself.
            if not base.name:
                raise MusicaeError(f"{inside} has no folder beside it for the results; name one with -o")
            target = base.with_name(f"{base.name}-{ending}") / name.with_suffix(suffix)
        else:
            target = file.with_name(f"{file.stem}-{ending}{suffix}")
        if identity(target) in inputs:
            raise MusicaeError(f"{target} is an input itself; name another folder with -o")
        if target in targets:
            raise MusicaeError(
                f"{targets[target]} and {file} would both be written to {target}; restore them one at a time"
            )
        targets[target] = file
    return list(targets)


def _suffix(made: Plan, file: Path) -> str:
    """Return how the result of a file ends: where no preset fits it, as it does itself."""
    try:
        return suffix_like(_chosen(made, file)[0].adapter, file.suffix)
    except MusicaeError:
        return file.suffix


# --- one of them ---------------------------------------------------------------------------------------------------


def _chosen(made: Plan, file: Path) -> tuple[Codec, str]:
    """Return the codec for a file, and what is to be said where that is in doubt."""
    if made.codec:
        return made.codec, ""
    choice = choice_for(file, made.verb, made.options.wanted_scale)
    return _loaded(choice.name), choice.doubt


@cache
def _loaded(name: str) -> Codec:
    return load(name)


def _restore_pair(made: Plan, pair: tuple[Path, Path]) -> Restored:
    file, target = pair
    try:
        make_folder(target.parent)  # Another shard may have found it empty, and removed it.
        codec, doubt = _chosen(made, file)
        restored = restore(file, target, verb=made.verb, preset=codec, options=made.options)
    except OutputError:
        raise
    except MusicaeError as error:
        return Restored(source=file, path=target, error=str(error))
    return replace(restored, source=file, notices=[*([doubt] if doubt else []), *restored.notices])


_tools: Plan  # What a worker process restores with.


def _start_worker(tools: Plan) -> None:
    global _tools
    import torch

    ignore_sigint()
    end_with_parent()
    signal.signal(signal.SIGTERM, _end)
    torch.set_num_threads(1)
    _tools = tools


def _end(number: int, frame: object) -> None:
    """End the process, once: the pool, which sees another worker end, asks again while this one cleans up."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _restore_in_worker(pair: tuple[Path, Path]) -> Restored:
    try:
        return _restore_pair(_tools, pair)
    except SystemExit:
        os._exit(1)  # Else the pool takes it for a result, and this process waits for another file.
