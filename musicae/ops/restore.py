"""Take a corruption off: noise, or a loss of detail; of pictures and recordings, of files, streams and samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

from musicae.codec import Codec
from musicae.core import Corruption, File, Sample, Source
from musicae.errors import MusicaeError
from musicae.formats.folders import check_different
from musicae.memory import check_memory
from musicae.ops.choose import codec_and_doubts, codec_for, nearest_in_rate
from musicae.ops.conditions import condition
from musicae.ops.inputs import as_file, name_of, read_all
from musicae.ops.restore_recording import PipedBlocks, restore_piped, restore_recording
from musicae.ops.restored import Report, Restored, RestoreOptions, Target, called
from musicae.ops.stream import restores_streams

__all__ = ["Report", "RestoreOptions", "Restored", "Target", "denoise", "restore", "restore_pipe", "upscale"]

_PIXEL_BYTES, _VALUE_BYTES = 16, 4  # Of an enlarged picture, and of each channel that the network sees.


# --- the verbs -----------------------------------------------------------------------------------------------------


def denoise(
    source: Source,
    target: Target | None = None,
    *,
    preset: Codec | str | None = None,
    strength: float = 1.0,
    noise: Path | str | None = None,
    picture: Path | str | None = None,
    raw: str = "",
    report: Report | None = None,
    **read_options: Any,
) -> Restored:
    """Take the noise off, or whatever corruption the preset was trained to undo; see `restore` and `RestoreOptions`."""
    noise, picture = (None if file is None else Path(file) for file in (noise, picture))
    options = RestoreOptions(strength, noise, picture, None, raw, report, read_options)
    return restore(source, target, preset=preset, options=options)


def upscale(
    source: Source,
    target: Target | None = None,
    *,
    scale: int | None = None,
    preset: Codec | str | None = None,
    report: Report | None = None,
    **read_options: Any,
) -> Restored:
    """Enlarge a picture, or raise the rate of a recording, and put in the detail that is likely there.

    `scale` is the factor of the preset if there is one, else 2; see `restore`.
    """
    options = RestoreOptions(scale=scale, report=report, read=read_options)
    return restore(source, target, verb="upscale", preset=preset, options=options)


def restore(
    source: Source,
    target: Target | None = None,
    *,
    verb: str = "denoise",
    preset: Codec | str | None = None,
    options: RestoreOptions | None = None,
) -> Restored:
    """Restore one source.

    Parameters
    ----------
    source : a path, a binary stream, or a sample. WAV from a stream that cannot seek (a pipe) into a target stream is
        restored as it comes in, and so is what ``options.raw`` describes.
    target : a path or a binary stream to write; None returns the result in memory (``Restored.sample``). A recording
        keeps its rate and all its channels, ``(channels, T)`` in memory; with a target, memory does not grow with its
        length. Pictures of any size are restored tile by tile.
    verb : ``"denoise"``, or ``"upscale"``: enlarge the source as the preset's corruption does, then restore it.
    preset : a name, a checkpoint's path, a `Codec`, or None for the one that fits the source.
    options : see `RestoreOptions`.

    Raises
    ------
    MusicaeError : a source that cannot be read, a target that cannot be written or is the source itself, a preset for
        another task.
    """
    options = options or RestoreOptions()
    if verb not in ("denoise", "upscale"):
        raise MusicaeError(f"restore takes the verb 'denoise' or 'upscale', not '{verb}'")
    target = Path(target) if isinstance(target, str) else target
    if _is_stream(source) and (options.raw or (not source.seekable() and _is_stream(target))):
        return restore_pipe(source, target, verb, preset, options)
    if options.raw:
        raise MusicaeError("raw (--raw) describes samples that come from a stream; give one as the source")
    if not isinstance(source, Sample):
        source = as_file(source)
    check_different(one for one in (source, target, options.noise, options.picture) if isinstance(one, Path))
    codec, doubts = codec_and_doubts(preset, source, job=verb, scale=options.wanted_scale)
    corruption = _check_task(codec, verb, options.scale)
    if restores_streams(codec):
        restored = restore_recording(codec, source, target, options)
    else:
        restored = _restore_tensor(codec, source, target, verb, options, corruption)
    return replace(restored, notices=[*doubts, *restored.notices])


def _is_stream(file: Source | Target | None) -> TypeGuard[BinaryIO]:
    return file is not None and not isinstance(file, str | Path | Sample)


def restore_pipe(
    source: BinaryIO, target: File | None, verb: str, preset: Codec | str | None, options: RestoreOptions
) -> Restored:
    """Restore a stream as it comes in from where it is, whether it can seek or not; see `restore`."""
    blocks = PipedBlocks(source, options.raw, defer=_is_stream(target))
    scale = options.wanted_scale if verb == "upscale" else 1
    codec = codec_for(preset or nearest_in_rate(verb, scale * blocks.kind.rate))
    _check_task(codec, verb, options.scale)
    if not restores_streams(codec):
        raise MusicaeError(f"the preset '{codec.preset.name}' does not restore sound in blocks; use one that does")
    return restore_piped(codec, blocks, target, options)


def _check_task(codec: Codec, verb: str, scale: int | None) -> Corruption:
    """Return what a codec undoes. Raise MusicaeError for one that was not trained for the verb and scale."""
    name, part = codec.preset.name, codec.preset.part("corruption")
    corruption = codec.corruption()
    if corruption is None or part is None:
        raise MusicaeError(
            f"the preset '{name}' was trained without a corruption and restores nothing; "
            "use one that was trained with one"
        )
    factor = corruption.factor
    if verb == "denoise" and factor > 1:
        raise MusicaeError(f"the preset '{name}' upscales, it does not denoise; choose another")
    if verb == "upscale" and factor == 1:
        raise MusicaeError(f"the preset '{name}' undoes {part[0]}, it does not upscale; choose another")
    if verb == "upscale" and scale not in (None, factor):
        raise MusicaeError(f"the preset '{name}' upscales by {factor}, not by {scale}; choose another")
    return corruption


# --- pictures, and whatever else is one tensor ---------------------------------------------------------------------


def _restore_tensor(
    codec: Codec,
    source: Source,
    target: File | None,
    verb: str,
    options: RestoreOptions,
    corruption: Corruption,
) -> Restored:
    _refuse_sound_options(source, options)
    # With a target nobody sees what the network was given.
    own = target is not None and codec.model.restores and (verb == "upscale" or not isinstance(source, Sample))
    as_bytes = {"as_bytes": True} if own and verb == "denoise" and codec.adapter.any_size else {}
    (given,), remarks = read_all(codec, [source], {**options.read, **as_bytes})
    if verb == "upscale":
        pixels = given.tensor[0].numel() * corruption.factor ** len(codec.spec.shape)
        needed = pixels * (_PIXEL_BYTES + _VALUE_BYTES * codec.spec.channels)
        check_memory(needed, f"{called(source)}, enlarged,")
        given = replace(given, tensor=corruption.enlarge(given.tensor[None])[0])
    elif part := codec.preset.part("corruption"):
        remarks.append(f"the preset undoes {part[0]}")
    if codec.model.restores:
        tensor = codec.restore_any_size(given.tensor, options.report, in_place=own)
    else:
        x = codec.split(given)
        tensor = codec.join(codec.restore(x, condition(codec, None, len(x), given)), given.hop, given.tensor.shape[-1])
    made = Restored(codec.preset.name, remarks=remarks, adapter=codec.adapter)
    made.given, made.sample = given, replace(given, tensor=tensor, remarks=[])
    return made.written_to(target, name_of(source))


def _refuse_sound_options(source: Source, options: RestoreOptions) -> None:
    given = {
        "--strength": options.strength != 1,
        "--keep-noise": options.noise is not None,
        "--png": options.picture is not None,
    }
    wrong = [name for name, there in given.items() if there]
    if wrong:
        verb = "are" if len(wrong) > 1 else "is"
        raise MusicaeError(f"{' and '.join(wrong)} {verb} for sound; {called(source)} is none")
