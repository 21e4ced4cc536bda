"""Arrays in ``.npz`` files, which may be damaged or hostile: bounded before they are unpacked, and never run."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from musicae.errors import MusicaeError
from musicae.formats.atomic import atomic_write
from musicae.formats.files import check_input
from musicae.memory import check_memory

__all__ = ["load", "save"]

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # What NumPy writes.
_COPIES = 3  # Of the arrays, while they are unpacked and checked.
_MAX_FILES = 1000


def save(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Write an ``.npz`` file, whole or not at all. Raise MusicaeError where it cannot be written."""
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content.getvalue())


def load(path: Path, kinds: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` file that `kinds` names, as far as it has them, in native byte order.

    `kinds` gives the kinds of type that an array may have (``"f"``, ``"iu"``, ``"U"``, as in ``dtype.kind``).
    Raise MusicaeError, one line, for a file that is missing, damaged, encrypted or packed in another way, whose arrays
    are of another kind, or which takes more memory than allowed.
    """
    check_input(path, "a file of codes")
    check_memory(path.stat().st_size, str(path))
    try:
        with zipfile.ZipFile(path) as packed:
            if len(packed.infolist()) > _MAX_FILES:
                raise ValueError
            members = {name: packed.getinfo(f"{name}.npy") for name in kinds if f"{name}.npy" in packed.namelist()}
            if any(one.flag_bits & 1 or one.compress_type not in _METHODS for one in members.values()):
                raise ValueError
            check_memory(_COPIES * sum(one.file_size for one in members.values()), str(path))
            return {name: _array(packed.read(one), kinds[name]) for name, one in members.items()}
    except MusicaeError:
        raise
    except Exception:  # zipfile, zlib and NumPy's parser raise whatever a damaged file makes them stumble over.
        raise MusicaeError(f"{path} is not a whole .npz file of codes; make one with musicae encode") from None


def _array(data: bytes, kind: str) -> NDArray[Any]:
    """Return the array in the bytes of a ``.npy`` file. Raise ValueError, or anything else, for a damaged one."""
    file = io.BytesIO(data)
    version = npy.read_magic(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # A damaged header may hold strings with odd escapes.
        header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, by_columns, dtype = header(file)
    count = math.prod(shape)
    if dtype.kind not in kind or dtype.fields or min(shape, default=0) < 0:
        raise ValueError
    if dtype.itemsize * count != len(data) - file.tell() or (count and not dtype.itemsize):
        raise ValueError
    array = np.frombuffer(data, dtype, count, file.tell()).reshape(shape, order="F" if by_columns else "C")
    return np.array(array, dtype.newbyteorder("="), order="C")
