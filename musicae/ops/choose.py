"""Which preset fits a file: the adapter that fits best, then, of the presets for the job, the one it selects.

Which presets there are for a job, see `musicae.ops.defaults`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musicae import codec as codecs
from musicae import registry
from musicae.codec import Codec
from musicae.core import Adapter, Candidate, File, Sample, Source
from musicae.errors import WITH_PRESET, MusicaeError, did_you_mean, line_of
from musicae.ops.defaults import (
    adapter_name,
    adapter_settings,
    default_preset,
    defaults,
    factor,
    nearest_in_rate,
    readable_suffixes,
)
from musicae.ops.inputs import as_file, check_file, listed, name_of, rereadable
from musicae.ops.shards import ALL, Shard
from musicae.preset import Preset

__all__ = [
    "adapter_for",
    "check_only",
    "choice_for",
    "codec_and_doubts",
    "codec_for",
    "default_preset",
    "gather",
    "head_of",
    "nearest_in_rate",
    "preset_for",
    "preset_for_several",
    "readable_suffixes",
]

_HEAD = 65_536  # Bytes of a file that an adapter is shown.


# --- by the file ---------------------------------------------------------------------------------------------------


def head_of(file: File) -> bytes:
    """Return how a file begins; a stream, which is read from its beginning wherever it is, is left where it was."""
    if isinstance(file, Path):
        try:
            with file.open("rb") as stream:
                return stream.read(_HEAD)
        except OSError as error:
            raise MusicaeError(f"{file} cannot be read: {error.strerror or error}") from None
    at = file.tell()
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(at)
    if not head:
        raise MusicaeError("the stream is empty (0 bytes)")
    return head


def adapter_for(file: File, job: str = "code", only: str | None = None, others: Sequence[File] = ()) -> str:
    """Return the name of the adapter that fits a file best, of those with a default preset for a job.

    `only` leaves those that read this of a song (see `Adapter.plays`). If `others`, which are to be read alike, do not
    fit that one, it is the adapter that fits all of them best: with a file of notes, a recording is a tune.
    Raise MusicaeError for a file that is missing, that no adapter takes, or that none with such a preset takes.
    """
    if isinstance(file, Path):
        check_file(file)
    adapters = _adapters()
    fitting = _scores(adapters, file)
    if not fitting:
        readable = sorted({suffix for adapter in adapters.values() for suffix in adapter.suffixes})
        raise MusicaeError(f"{_called(file)} is of no kind that can be read ({', '.join(readable)}); convert it first")
    able = {adapter_name(recipe) for recipe in defaults(job)}
    if only is not None:
        able = _that_read(only, {name: adapters[name].plays for name in able & set(adapters)})
    able &= set(fitting)
    if not able:
        raise MusicaeError(
            line_of(f"no preset is there to {_VERBS.get(job, job)} {_called(file)}; choose one ", WITH_PRESET)
        )
    best = max(sorted(able), key=lambda name: fitting[name])
    rest = [_scores(adapters, other) for other in others if not isinstance(other, Path) or other.is_file()]
    if all(best in scores for scores in rest):
        return best
    shared = [name for name in sorted(able) if all(name in scores for scores in rest)]
    return max(shared, key=lambda name: fitting[name] + sum(scores[name] for scores in rest), default=best)


def _adapters() -> dict[str, type[Adapter]]:
    """Return all adapters by name; a broken one of another package must not keep ours from a file."""
    found = {}
    for name in registry.names("adapters"):
        try:
            found[name] = registry.lookup("adapters", name)
        except MusicaeError:
            if registry.owner("adapters", name) == "musicae":
                raise
    return found


def _scores(adapters: Mapping[str, type[Adapter]], file: File) -> dict[str, float]:
    """Return how well each adapter that fits a file does so."""
    head, scores = head_of(file), {}
    for name, adapter in adapters.items():
        try:
            score = adapter.sniff(head, file)
        except Exception:
            if registry.owner("adapters", name) == "musicae":
                raise
            continue
        if score > 0:
            scores[name] = score
    return scores


def _that_read(only: str, plays: Mapping[str, str]) -> set[str]:
    """Return the names of the adapters that read this of a song. Raise MusicaeError where none does."""
    known = sorted({what for what in plays.values() if what})
    if only not in known:
        raise MusicaeError(f"no preset reads only '{only}' of a song{did_you_mean(only, known)}; choose with --preset")
    return {name for name, what in plays.items() if what == only}


def _called(file: File) -> str:
    return str(file) if isinstance(file, Path) else "the stream"


def preset_for(file: File, job: str = "code", scale: int = 1, only: str | None = None) -> str:
    """Return the name of the preset that fits a file and a job; see `choice_for`."""
    return choice_for(file, job, scale, only).name


def choice_for(
    file: File, job: str = "code", scale: int = 1, only: str | None = None, others: Sequence[File] = ()
) -> Candidate:
    """Return the preset that fits a file and a job, and where it may be another, what is to be said of that.

    `scale` is by what an ``"upscale"`` is to enlarge, `only` what is to be read of a song, `others` are read alike.
    Raise MusicaeError where no adapter takes the file, or where no
    preset is there for that.
    """
    name = adapter_for(file, job, only, others)
    fitting = [recipe for recipe in defaults(job) if adapter_name(recipe) == name]
    if job == "upscale":
        fitting = _of_scale(fitting, file, scale)
    candidates = [_candidate(recipe) for recipe in fitting]
    if len(candidates) == 1:
        return candidates[0]
    adapter: type[Adapter] = registry.lookup("adapters", name)
    return adapter.select(file, candidates, scale=scale)


_VERBS = {"code": "encode"}  # What a job is called in a sentence.


def _of_scale(fitting: Sequence[Preset], file: File, scale: int) -> list[Preset]:
    """Return the presets that enlarge by `scale`. Raise MusicaeError that names what there is."""
    factors = {recipe.name: factor(recipe) for recipe in fitting}
    found = [recipe for recipe in fitting if factors[recipe.name] == scale]
    if not found:
        first = {factor: name for name, factor in reversed(factors.items())}
        known = ", ".join(f"{factor} ({name})" for factor, name in sorted(first.items()))
        called = file.name if isinstance(file, Path) else "the stream"
        raise MusicaeError(f"there is no preset that upscales {called} by {scale}; there is {known}")
    return found


def _candidate(recipe: Preset) -> Candidate:
    def suits(samples: NDArray[np.float32], rate: int) -> float:
        from musicae.ops.detect import log_odds

        return log_odds(recipe.content, samples, rate)

    return Candidate(recipe.name, adapter_settings(recipe), recipe.content, suits)


def codec_for(
    preset: Codec | str | None, *sources: Source, job: str = "code", scale: int = 1, only: str | None = None
) -> Codec:
    """Return `preset` as a codec: loaded by its name, or the one that fits the first of `sources` and the `job`.

    Where the others do not fit that one, it is the one that fits them all.
    `only` is what is to be read of a song, such as its melody; it chooses a preset, as `preset` does.
    """
    check_only(preset, only)
    return codec_and_doubts(preset, *sources, job=job, scale=scale, only=only)[0]


def check_only(preset: Codec | str | None, only: str | None) -> None:
    """Raise MusicaeError where both a preset is named and what is to be read of a song."""
    if preset is not None and only is not None:
        raise MusicaeError("--preset and --only both choose the preset; give one of them")


def codec_and_doubts(
    preset: Codec | str | None, *sources: Source, job: str = "code", scale: int = 1, only: str | None = None
) -> tuple[Codec, list[str]]:
    """Return a codec as `codec_for` does, and what the user is to know if another preset may fit the source better."""
    if isinstance(preset, Codec):
        return preset, []
    if preset is not None:
        return codecs.load(preset), []
    if not sources:
        raise MusicaeError("there is no file to choose a preset by; name one")
    others = [as_file(source) for source in sources[1:] if not isinstance(source, Sample)]
    choice = choice_for(as_file(sources[0]), job, scale, only, others)
    return codecs.load(choice.name), [choice.doubt] if choice.doubt else []


def gather(preset: Codec | str | None, *sources: Source, shard: Shard = ALL) -> tuple[Codec, list[tuple[Source, Path]]]:
    """Return the codec as `codec_for` does, and all sources of `shard`: for a folder all files in it.

    With each comes its name in what is made of it; see `musicae.ops.inputs.listed`.
    Raise MusicaeError for a file that is missing, and for a folder in which nothing can be read.
    """
    sources = tuple(rereadable(source) for source in sources)
    paths = [Path(one) for one in sources if isinstance(one, str | Path)]
    if preset is None and len(paths) == len(sources) > 0:
        preset = preset_for_several(paths)
    codec = codec_for(preset, *sources)
    found: list[tuple[Source, Path]] = []
    for source in sources:
        if isinstance(source, str | Path):
            found += listed([Path(source)], codec.adapter.suffixes)
        else:
            found.append((source, Path(name_of(source))))
    mine = shard.of(found)
    if not mine:
        raise MusicaeError(f"shard {shard.index}/{shard.count} has none of the {len(found)} files; take fewer shards")
    return codec, mine


def preset_for_several(paths: Sequence[Path], only: str | None = None) -> str:
    """Return the preset for the first of files, and of those in folders, that one fits; `only` is as for `codec_for`.

    Raise the error of the first where none does.
    """
    error = None
    for file, _ in listed(paths, readable_suffixes("code")):
        try:
            return preset_for(file, only=only)
        except MusicaeError as refused:
            error = error or refused
    raise error or MusicaeError("there is no file to choose a preset by; name one")
