"""Codes as arrays and in ``.npz`` files: everything needed to make files of them again, and no pickle."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Latent, Sample, Source
from musicae.errors import MusicaeError
from musicae.formats import arrays
from musicae.memory import check_memory
from musicae.ops.choose import codec_for, gather
from musicae.ops.conditions import Label, condition
from musicae.ops.inputs import check_temperature, read_all
from musicae.ops.made import Samples
from musicae.ops.shards import ALL, Shard
from musicae.preset import is_name
from musicae.tensors import windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = Mapping[str, NDArray[Any]]

__all__ = ["codec_of", "decode", "encode", "load", "packed", "save"]

_KINDS = {
    **dict.fromkeys(("mean", "logvar", "cond"), "f"),
    **dict.fromkeys(("counts", "lengths", "hops", "shape"), "iu"),
    **dict.fromkeys(("names", "metas", "preset"), "U"),
}
"""The arrays of a file of codes, and of which kinds they are."""

_MOST = 2**40  # Steps, windows ...; NumPy's and PyTorch's sizes end at 2**63.
_MAX_AXES = 8  # Of a window.
_LARGEST = 1e6  # Number in a code; they are drawn from N(0, 1), or near to it.
_COPIES = 4  # Of what is decoded: windows, all of them together, and the files.


def encode(
    *sources: Source,
    preset: Codec | str | None = None,
    label: Label | None = None,
    skipped: dict[str, str] | None = None,
    shard: Shard = ALL,
    **read_options: Any,
) -> dict[str, NDArray[Any]]:
    """Return the codes of files (for a folder, of all files in it), with all that `decode` needs to make them again.

    Each of `sources` is a path, a binary stream or a sample.
    ``mean`` and ``logvar`` are float32 ``(N, D)`` for the windows of all files in order (``logvar`` ``(0, D)`` for a
    model without one); ``counts``, ``lengths`` and ``hops`` ``(files,)`` tell how many windows, steps and steps
    between windows a file has; ``shape`` is that of a window ``(C, *S)``; ``names`` are the files' names (their
    places in the folder), ``metas`` their `meta` as JSON, ``preset`` is the preset's name. Of a conditional preset
    ``cond`` ``(N, K)`` or ``(N, K, T)`` are its conditions; `label` is the class of all files.
    With `skipped` files that cannot be read are left out, and put there with what is wrong. Only the files of `shard`
    are taken.
    Raise MusicaeError as `interpolate` does, and where nothing is left.
    """
    codec, files = gather(preset, *sources, shard=shard)
    samples, names = [], []
    for source, name in files:
        try:
            (one,), _ = read_all(codec, [source], read_options)
        except MusicaeError as error:
            if skipped is None:
                raise
            skipped[str(source if isinstance(source, Path) else name)] = str(error)
            continue
        samples.append(one)
        names.append(name.as_posix())
    if not samples:
        first = next(iter((skipped or {}).values()), "")
        raise MusicaeError(f"none of the {len(files)} files can be read; the first: {first}")
    splits = [codec.split(one) for one in samples]
    conds = [condition(codec, label, len(x), one) for x, one in zip(splits, samples, strict=True)]
    cond = torch.cat([one for one in conds if one is not None]) if conds[0] is not None else None
    code = codec.encode(torch.cat(splits), cond, refine=True)
    return packed(codec, samples, names, code, cond, preset if isinstance(preset, str) else "")


def packed(
    codec: Codec, samples: Sequence[Sample], names: Sequence[str], code: Latent, cond: Tensor | None, preset: str = ""
) -> dict[str, NDArray[Any]]:
    """Return codes of the windows of samples as `encode` does; `preset` is what it is named by, if not by its name."""
    import numpy as np

    logvar = code.mean[:0] if code.logvar is None else code.logvar
    codes = {
        "mean": code.mean.numpy(),
        "logvar": logvar.numpy(),
        "counts": np.array([len(codec.split(one)) for one in samples]),
        "lengths": np.array([one.tensor.shape[-1] for one in samples]),
        "hops": np.array([one.hop or codec.spec.shape[-1] for one in samples]),
        "shape": np.array(codec.spec.full_shape),
        "names": np.array(names),
        "metas": np.array([json.dumps(one.meta) for one in samples]),
        "preset": np.array(preset or codec.preset.name),
    }
    return codes if cond is None else {**codes, "cond": cond.numpy()}


def save(codes: Codes, path: Path) -> None:
    """Write codes as an ``.npz`` file, whole or not at all. Raise MusicaeError where it cannot be written."""
    arrays.save(codes, path)


def load(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `save` wrote. Raise MusicaeError for any other file.

    Nothing in it is run, and no file that it names is read.
    """
    codes = arrays.load(path, _KINDS)
    _check_codes(codes, str(path))
    return codes


def _check_codes(codes: Codes, where: str) -> None:
    """Refuse arrays of another kind, that do not fit together, or with numbers out of range."""
    import numpy as np

    damaged = f"{where} does not hold codes of musicae, or not whole ones; make them with musicae encode"
    if not set(_KINDS) - {"cond", "logvar"} <= set(codes):
        raise MusicaeError(damaged)
    found = {name: codes[name] for name in _KINDS if name in codes}
    if not all(isinstance(array, np.ndarray) for array in found.values()):
        raise MusicaeError(damaged)
    mean, counts = found["mean"], found["counts"]
    fits = all(array.dtype.kind in _KINDS[name] for name, array in found.items() if name not in ("mean", "cond"))
    fits = fits and mean.ndim == 2 and counts.ndim == found["shape"].ndim == 1 and found["preset"].ndim == 0
    fits = fits and all(found[name].shape == counts.shape for name in ("lengths", "hops", "names", "metas"))
    numbers = [found[name] for name in ("counts", "lengths", "hops", "shape")]
    fits = fits and all(array.min(initial=1) > 0 and array.max(initial=1) <= _MOST for array in numbers)
    fits = fits and sum(counts.tolist()) == len(mean) > 0 and mean.shape[1] > 0
    fits = fits and 1 <= len(found["shape"]) <= _MAX_AXES and ("logvar" not in found or found["logvar"].ndim == 2)
    fits = fits and ("cond" not in found or (found["cond"].ndim in (2, 3) and len(found["cond"]) == len(mean)))
    if not fits:
        raise MusicaeError(damaged)
    if not all(array.dtype.kind == "f" and _usual(array) for array in (mean, found.get("cond", mean))):
        raise MusicaeError(f"{where} has codes that are not finite numbers; a code is an array of real numbers")
    size = int(found["shape"][-1])
    for count, length, hop in zip(*(array.tolist() for array in numbers[:3]), strict=True):
        if hop > size or count != windows.count(length, size, hop):
            raise MusicaeError(damaged)
    if not all(_is_text(array) for name, array in found.items() if _KINDS[name] == "U"):
        raise MusicaeError(damaged)
    try:
        texts = [text for name in ("names", "metas", "preset") for text in found[name].ravel().tolist()]
        whole = not any("\0" in text for text in texts)
        whole = whole and all(isinstance(json.loads(meta), dict) for meta in found["metas"].tolist())
    except (ValueError, RecursionError):
        whole = False
    if not whole:
        raise MusicaeError(damaged)


def _is_text(array: NDArray[Any]) -> bool:
    """Tell whether an array of texts holds characters only: NumPy stores any number of 32 bits."""
    import numpy as np

    return (
        int(np.frombuffer(array.tobytes(), np.dtype(np.uint32).newbyteorder(array.dtype.byteorder)).max(initial=0))
        <= sys.maxunicode
    )


def _usual(array: NDArray[Any]) -> bool:
    """Tell whether all numbers are finite, and small enough for a network in float32."""
    import numpy as np

    return bool(np.isfinite(array).all() and np.abs(array).max(initial=0) <= _LARGEST)


def _metas(codec: Codec, codes: Codes) -> list[dict[str, Any]]:
    """Return the `meta` of each file. Raise MusicaeError, one line, for one that the adapter does not take."""
    metas = []
    for name, text in zip(codes["names"].tolist(), codes["metas"].tolist(), strict=True):
        try:
            metas.append(codec.adapter.check_meta(json.loads(text)))
        except MusicaeError as error:
            raise MusicaeError(f"the codes of {name:.100} are damaged: {error}") from None
    return metas


def decode(
    codes: Codes | NDArray[Any] | Tensor | Path | str,
    *,
    preset: Codec | str | None = None,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[Sample]:
    """Return the files that codes stand for: what `encode` returned, or the path of an ``.npz`` file.

    An array or tensor ``(N, D)`` is the codes of `N` windows of a `preset`, each decoded to a sample of its own.
    Only ``mean`` is decoded (under ``cond``); change it as you like before. `preset` is the one the codes name if it
    is None; codes that name a file need it. Raise MusicaeError for codes that are damaged or of another preset.
    """
    check_temperature(temperature)
    if isinstance(codes, Path | str):
        codes = load(Path(codes))
    elif isinstance(codes, Mapping):
        _check_codes(codes, "the mapping")
    else:
        return _decode_windows(torch.as_tensor(codes).float(), preset, temperature, seed)
    codec = codec_of(codes, preset)
    mean, cond = torch.from_numpy(codes["mean"].astype("float32")), _conditions(codec, codes)
    given = f"{mean.shape[1]} numbers for {'x'.join(map(str, codes['shape'].tolist()))}"
    wanted = f"{codec.model.latent_size} numbers for {'x'.join(map(str, codec.spec.full_shape))}"
    if given != wanted:
        raise MusicaeError(
            f"the codes are {given} values, those of '{codec.preset.name}' {wanted}; use their own preset"
        )
    check_memory(_COPIES * 4 * len(mean) * math.prod(codec.spec.full_shape), f"what {len(mean)} codes stand for")
    metas = _metas(codec, codes)
    counts = codes["counts"].tolist()
    values = codec.decode(mean, temperature, seed, cond)
    if not values.isfinite().all():
        raise MusicaeError("the codes stand for nothing: what is decoded from them is not finite; encode again")
    rows = zip(torch.split(values, counts), codes["hops"].tolist(), codes["lengths"].tolist(), metas, strict=True)
    made = [Sample(codec.join(part, hop, length), meta, hop) for part, hop, length, meta in rows]
    if cond is not None:
        for one, part in zip(made, torch.split(cond, counts), strict=True):
            one.cond = codec.join_cond(part, one.hop, one.tensor.shape[-1])
    return Samples(codec, made)


def codec_of(codes: Codes, preset: Codec | str | None = None) -> Codec:
    """Return the codec of codes: `preset`, or the preset of the name that they give.

    Raise MusicaeError where they name a file: it may be anybody's.
    """
    if preset is not None:
        return codec_for(preset)
    name = str(codes["preset"])
    if not is_name(name):
        raise MusicaeError(f"the codes were made with the file {name:.200}; if you trust it, say so with --preset")
    return codec_for(name)


def _decode_windows(z: Tensor, preset: Codec | str | None, temperature: float, seed: int) -> list[Sample]:
    if preset is None:
        raise MusicaeError("an array of codes does not say which preset it is of; give one")
    codec = codec_for(preset)
    if codec.model.condition is not None and not codec.model.condition.optional:
        raise MusicaeError(f"'{codec.preset.name}' is conditional; decode what encode returns, which has conditions")
    if z.ndim != 2 or z.shape[1] != codec.model.latent_size or not z.isfinite().all():
        raise MusicaeError(
            f"codes of '{codec.preset.name}' are finite numbers of shape (N, {codec.model.latent_size}), "
            f"not an array of shape {tuple(z.shape)}"
        )
    return Samples(codec, (Sample(window, codec.adapter.blank()) for window in codec.decode(z, temperature, seed)))


def _conditions(codec: Codec, codes: Codes) -> Tensor | None:
    """Return the conditions among the codes. Raise MusicaeError where those that a model needs are missing."""
    if codec.model.condition is None:
        return None
    if "cond" not in codes:
        if codec.model.condition.optional:
            return None
        raise MusicaeError(f"'{codec.preset.name}' is conditional, and the codes have no conditions; encode them again")
    cond = torch.from_numpy(codes["cond"].astype("float32"))
    codec.check_condition(cond)
    return cond
