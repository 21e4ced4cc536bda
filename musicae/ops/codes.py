"""Codes as arrays and in ``.npz`` files: everything needed to make files of them again, and no pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.core import Sample, Source
from musicae.errors import MusicaeError
from musicae.formats.atomic import atomic_write
from musicae.ops.choose import codec_for, gather
from musicae.ops.conditions import Label, condition
from musicae.ops.inputs import check_temperature, read_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = Mapping[str, NDArray[Any]]

__all__ = ["decode", "encode", "load", "save"]


def encode(
    *sources: Source,
    preset: Codec | str | None = None,
    label: Label | None = None,
    skipped: dict[str, str] | None = None,
    **read_options: Any,
) -> dict[str, NDArray[Any]]:
    """Return the codes of files (for a folder, of all files in it), with all that `decode` needs to make them again.

    Each of `sources` is a path, a binary stream or a sample.
    ``mean`` and ``logvar`` are float32 ``(N, D)`` for the windows of all files in order (``logvar`` ``(0, D)`` for a
    model without one); ``counts``, ``lengths`` and ``hops`` ``(files,)`` tell how many windows, steps and steps
    between windows a file has; ``shape`` is that of a window ``(C, *S)``; ``names`` are the files' names (their
    places in the folder), ``metas`` their `meta` as JSON, ``preset`` is the preset's name. Of a conditional preset
    ``cond`` ``(N, K)`` or ``(N, K, T)`` are its conditions; `label` is the class of all files.
    With `skipped` files that cannot be read are left out, and put there with what is wrong.
    Raise MusicaeError as `interpolate` does, and where nothing is left.
    """
    import numpy as np

    codec, files = gather(preset, *sources)
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
    code = codec.encode(torch.cat(splits), cond)
    logvar = code.mean[:0] if code.logvar is None else code.logvar
    codes = {
        "mean": code.mean.numpy(),
        "logvar": logvar.numpy(),
        "counts": np.array([len(split) for split in splits]),
        "lengths": np.array([one.tensor.shape[-1] for one in samples]),
        "hops": np.array([one.hop or codec.spec.shape[-1] for one in samples]),
        "shape": np.array(codec.spec.full_shape),
        "names": np.array(names),
        "metas": np.array([json.dumps(one.meta) for one in samples]),
        "preset": np.array(preset if isinstance(preset, str) else codec.preset.name),
    }
    return codes if cond is None else {**codes, "cond": cond.numpy()}


def save(codes: Codes, path: Path) -> None:
    """Write codes as an ``.npz`` file, whole or not at all. Raise MusicaeError where it cannot be written."""
    import numpy as np

    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **codes)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content.getvalue())


def load(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `save` wrote. Raise MusicaeError for any other file; nothing in it is run."""
    import numpy as np

    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            codes = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise MusicaeError(f"there is no file {path}; check the name") from None
    except Exception:  # zipfile, zlib and NumPy's parser raise whatever a damaged file makes them stumble over.
        raise MusicaeError(f"{path} is not a whole .npz file of codes; make one with musicae encode") from None
    _check_codes(codes, str(path))
    return codes


def _check_codes(codes: Codes, where: str) -> None:
    """Refuse arrays that do not fit together."""
    import numpy as np

    damaged = MusicaeError(f"{where} does not hold codes of musicae, or not whole ones; make them with musicae encode")
    try:
        mean, counts, lengths, hops = (codes[name] for name in ("mean", "counts", "lengths", "hops"))
        files = len(counts)
        metas = [json.loads(str(meta)) for meta in codes["metas"]]
        real, fits = (
            mean.dtype.kind == "f",
            mean.ndim == 2 and all(array.shape == (files,) for array in (lengths, hops, codes["names"])),
        )
        fits = fits and all(array.dtype.kind in "iu" for array in (counts, lengths, hops))
        fits = fits and codes["names"].dtype.kind == "U" and not any("\0" in name for name in codes["names"].tolist())
        fits = fits and codes["shape"].ndim == 1 and codes["preset"].ndim == 0
        fits = fits and len(metas) == files and all(isinstance(meta, dict) for meta in metas)
        fits = fits and int(counts.sum()) == len(mean) and min(counts.min(), lengths.min(), hops.min()) > 0
        if (cond := codes.get("cond")) is not None:
            fits = fits and cond.dtype.kind == "f" and cond.ndim in (2, 3) and len(cond) == len(mean)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise damaged from None
    if not fits:
        raise damaged
    if not real or not np.isfinite(mean).all():
        raise MusicaeError(f"{where} has codes that are not finite numbers; a code is an array of real numbers")


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
    is None. Raise MusicaeError for codes that are damaged or of another preset.
    """
    check_temperature(temperature)
    if isinstance(codes, Path | str):
        codes = load(Path(codes))
    elif isinstance(codes, Mapping):
        _check_codes(codes, "the mapping")
    else:
        return _decode_windows(torch.as_tensor(codes).float(), preset, temperature, seed)
    codec = codec_for(str(codes["preset"]) if preset is None else preset)
    mean, cond = torch.from_numpy(codes["mean"]).float(), _conditions(codec, codes)
    given = f"{mean.shape[1]} numbers for {'x'.join(map(str, codes['shape'].tolist()))}"
    wanted = f"{codec.model.latent_size} numbers for {'x'.join(map(str, codec.spec.full_shape))}"
    if given != wanted:
        raise MusicaeError(
            f"the codes are {given} values, those of '{codec.preset.name}' {wanted}; use their own preset"
        )
    counts = codes["counts"].tolist()
    decoded = torch.split(codec.decode(mean, temperature, seed, cond), counts)
    rows = zip(decoded, codes["hops"].tolist(), codes["lengths"].tolist(), codes["metas"].tolist(), strict=True)
    blank = codec.adapter.blank()  # For what the codes' `metas` leave out.
    made = [
        Sample(codec.join(part, hop, length), {**blank, **json.loads(meta)}, hop) for part, hop, length, meta in rows
    ]
    if cond is not None:
        for one, part in zip(made, torch.split(cond, counts), strict=True):
            one.cond = codec.join_cond(part, one.hop, one.tensor.shape[-1])
    return made


def _decode_windows(z: Tensor, preset: Codec | str | None, temperature: float, seed: int) -> list[Sample]:
    if preset is None:
        raise MusicaeError("an array of codes does not say which preset it is of; give one")
    codec = codec_for(preset)
    if codec.model.condition is not None:
        raise MusicaeError(f"'{codec.preset.name}' is conditional; decode what encode returns, which has conditions")
    if z.ndim != 2 or z.shape[1] != codec.model.latent_size or not z.isfinite().all():
        raise MusicaeError(
            f"codes of '{codec.preset.name}' are finite numbers of shape (N, {codec.model.latent_size}), "
            f"not an array of shape {tuple(z.shape)}"
        )
    return [Sample(window, codec.adapter.blank()) for window in codec.decode(z, temperature, seed)]


def _conditions(codec: Codec, codes: Codes) -> Tensor | None:
    """Return the conditions among the codes, for a conditional model. Raise MusicaeError where they are missing."""
    if codec.model.condition is None:
        return None
    if "cond" not in codes:
        raise MusicaeError(f"'{codec.preset.name}' is conditional, and the codes have no conditions; encode them again")
    cond = torch.from_numpy(codes["cond"]).float()
    codec.check_condition(cond)
    return cond
