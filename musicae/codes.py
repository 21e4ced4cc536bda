"""Codes as arrays and in ``.npz`` files: everything needed to make files of them again, and no pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from .codec import Codec
from .core import Sample
from .errors import MusicaeError
from .inputs import check_temperature, codec_for, gather, read_all, unconditional
from .whole import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = Mapping[str, NDArray[Any]]

__all__ = ["decode", "encode", "load", "save"]


def encode(
    *paths: Path | str, preset: Codec | str | None = None, skipped: dict[str, str] | None = None, **read_options: Any
) -> dict[str, NDArray[Any]]:
    """Return the codes of files (for a folder, of all files in it), with all that `decode` needs to make them again.

    ``mean`` and ``logvar`` are float32 ``(N, D)`` for the windows of all files in order (``logvar`` ``(0, D)`` for a
    model without one); ``counts``, ``lengths`` and ``hops`` ``(files,)`` tell how many windows, steps and steps
    between windows a file has; ``shape`` is that of a window ``(C, *S)``; ``names`` are the files' names (their
    places in the folder), ``metas`` their `meta` as JSON, ``preset`` is the preset's name.
    With `skipped` files that cannot be read are left out, and put there with what is wrong.
    Raise MusicaeError as `interpolate` does, and where nothing is left.
    """
    import numpy as np

    codec, files = gather(preset, *(Path(path) for path in paths))
    unconditional(codec)
    samples, names = [], []
    for path, name in files:
        try:
            (one,), _ = read_all(codec, [path], read_options)
        except MusicaeError as error:
            if skipped is None:
                raise
            skipped[str(path)] = str(error)
            continue
        samples.append(one)
        names.append(name.as_posix())
    if not samples:
        raise MusicaeError(
            f"none of the {len(files)} files can be read; the first: {next(iter((skipped or {}).values()), '')}"
        )
    splits = [codec.split(one) for one in samples]
    code = codec.encode(torch.cat(splits))
    logvar = code.mean[:0] if code.logvar is None else code.logvar
    return {
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


def save(codes: Codes, path: Path) -> None:
    """Write codes as an ``.npz`` file, whole or not at all. Raise MusicaeError where it cannot be written."""
    import numpy as np

    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **codes)
    with whole(path) as temporary:
        temporary.write_bytes(content.getvalue())


def load(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `save` wrote. Raise MusicaeError for any other file; nothing in it is run."""
    import zipfile

    import numpy as np

    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            codes = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise MusicaeError(f"there is no file {path}; check the name") from None
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile):
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
        shaped = mean.ndim == 2 and all(array.shape == (files,) for array in (lengths, hops, codes["names"]))
        shaped = shaped and codes["shape"].ndim == 1 and codes["preset"].ndim == 0
        whole = shaped and len(metas) == files and all(isinstance(meta, dict) for meta in metas)
        whole = whole and int(counts.sum()) == len(mean) and min(counts.min(), lengths.min(), hops.min()) > 0
    except (KeyError, TypeError, ValueError, AttributeError):
        raise damaged from None
    if not whole:
        raise damaged
    if mean.dtype.kind != "f" or not np.isfinite(mean).all():
        raise MusicaeError(f"{where} has codes that are not finite numbers; a code is an array of real numbers")


def decode(
    codes: Codes | Path | str, *, preset: Codec | str | None = None, temperature: float = 0.0, seed: int = 0
) -> list[Sample]:
    """Return the files that codes stand for: what `encode` returned, or the path of an ``.npz`` file.

    Only ``mean`` is decoded; change it as you like before. `preset` is the one the codes name if it is None.
    Raise MusicaeError for codes that are damaged or of another preset.
    """
    check_temperature(temperature)
    if isinstance(codes, Path | str):
        codes = load(Path(codes))
    codec = codec_for(str(codes["preset"]) if preset is None else preset)
    mean = torch.from_numpy(codes["mean"]).float()
    given = f"{mean.shape[1]} numbers for {'x'.join(map(str, codes['shape'].tolist()))}"
    wanted = f"{codec.model.latent_size} numbers for {'x'.join(map(str, codec.spec.full_shape))}"
    if given != wanted:
        raise MusicaeError(
            f"the codes are {given} values, those of '{codec.preset.name}' {wanted}; use their own preset"
        )
    decoded = torch.split(codec.decode(mean, temperature, seed), codes["counts"].tolist())
    rows = zip(decoded, codes["hops"].tolist(), codes["lengths"].tolist(), codes["metas"].tolist(), strict=True)
    return [Sample(codec.join(part, hop, length), json.loads(meta), hop) for part, hop, length, meta in rows]
