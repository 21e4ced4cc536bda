"""Arrays in .npz files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musicae.errors import MusicaeError
from musicae.formats import arrays

KINDS = {"mean": "f", "counts": "iu", "names": "U"}
DAMAGED = r"is not a whole \.npz file of codes"
NPY = b"\x93NUMPY\1\0"


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode("latin-1") + b"\n"
    return NPY + len(text).to_bytes(2, "little") + text + data


def packed(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    given = {"mean": np.eye(3, dtype=np.float32), "counts": np.array([1, 2]), "names": np.array(["a", "日本"])}
    arrays.save(given, tmp_path / "a.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    found = arrays.load(tmp_path / "a.npz", KINDS)
    assert {name: array.tolist() for name, array in found.items()} == {n: a.tolist() for n, a in given.items()}
    assert list(arrays.load(tmp_path / "a.npz", {"mean": "f", "cond": "f"})) == ["mean"]


def test_any_order_of_bytes_and_axes_is_read(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    np.savez(tmp_path / "a.npz", mean=np.asfortranarray(array.astype(">f8")))
    (found,) = arrays.load(tmp_path / "a.npz", KINDS).values()
    assert found.tolist() == array.tolist()
    assert found.dtype.isnative
    assert found.flags.c_contiguous


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"none",
        NPY,
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", bytes(8)),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", bytes(16)),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", bytes(16)),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-4, -1)}", bytes(16)),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"\x80\x04N."),
        npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", bytes(4)),
        npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
        npy("{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000,)}"),
        npy("(" * 5000),
        npy("'\\q'"),
    ],
)
def test_a_damaged_array_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MusicaeError, match=DAMAGED):
        arrays.load(packed(tmp_path / "a.npz", ("mean.npy", data)), KINDS)


def test_other_packings_and_encryption_are_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(MusicaeError, match=DAMAGED):
            arrays.load(packed(tmp_path / "a.npz", ("mean.npy", content.getvalue()), method=method), KINDS)
    path = packed(tmp_path / "a.npz", ("mean.npy", content.getvalue()))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(MusicaeError, match=DAMAGED):
        arrays.load(path, KINDS)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (5000000, 1)}")
    path = packed(tmp_path / "a.npz", ("mean.npy", header + bytes(20_000_000)))
    assert path.stat().st_size < 25_000
    monkeypatch.setenv("MUSICAE_MEMORY", "50M")
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    with pytest.raises(MusicaeError, match=r"takes 60 MB of memory, the limit is 50 MB; set MUSICAE_MEMORY="):
        arrays.load(path, KINDS)


def test_a_size_that_lies_unpacks_no_more(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.npz", ("mean.npy", bytes(20_000_000)))
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = data.index(mark) + at
        data[place : place + 4] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(MusicaeError, match=DAMAGED):
        arrays.load(path, KINDS)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=8), st.booleans())
def test_any_damage_is_one_line(tmp_path: Path, changes: list[tuple[int, int]], compressed: bool) -> None:
    path = tmp_path / "a.npz"
    (np.savez_compressed if compressed else np.savez)(path, mean=np.eye(3), counts=np.arange(3), names=np.array("é"))
    data = bytearray(path.read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    path.write_bytes(data)
    try:
        arrays.load(path, KINDS)
    except MusicaeError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
