"""The chunks of WAV and AIFF: kept as they are, places in the sound moved to another rate."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import soundfile

from musicae.formats.sound.tags import chunks
from musicae.formats.sound.tags.values import Block


def chunk(name, body, order="<"):
    return struct.pack(f"{order}4sI", name, len(body)) + body + bytes(len(body) % 2)


def studio(path, tagged):
    """A WAV file as from a recorder and an editor: bext before the sound, LIST, cue and loop points after it."""
    tagged.make(path)
    data = path.read_bytes()
    bext = bytearray(602 + 8)
    bext[:5] = b"Scene"
    struct.pack_into("<QH", bext, 338, 48_000 * 3600, 2)
    struct.pack_into("<5h", bext, 412, -2300, 500, -100, -2000, -2100)
    info = b"INFO" + chunk(b"INAM", b"Name\0") + chunk(b"ISFT", b"Editor\0")
    cue = struct.pack("<I", 1) + struct.pack("<II4sIII", 1, 6000, b"data", 0, 0, 6000)
    labels = b"adtl" + chunk(b"labl", b"\1\0\0\0here\0") + chunk(b"ltxt", struct.pack("<II", 1, 480) + bytes(12))
    loops = struct.pack("<9I", 0, 0, 20_833, 60, 0, 0, 0, 1, 0) + struct.pack("<6I", 1, 0, 1000, 9000, 0, 0)
    more = [(b"LIST", info), (b"cue ", cue), (b"LIST", labels), (b"smpl", loops), (b"iXML", b"<x/>"), (b"strg", b"?")]
    at = data.index(b"data")
    data = data[:at] + chunk(b"bext", bytes(bext)) + data[at:] + b"".join(chunk(*one) for one in more)
    path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    return path


def blocks(path):
    with path.open("rb") as file:
        return {(block.name, block.data[:4] if block.name == b"LIST" else b""): block for block in chunks.read(file)[0]}


def test_chunks_are_kept_in_their_places_but_for_the_loudness(tmp_path, tagged):
    old = studio(tmp_path / "a.wav", tagged)
    assert tagged.copy(old, tmp_path / "b.wav") == []
    before, after = blocks(old), blocks(tmp_path / "b.wav")
    assert before.keys() == after.keys()
    changed = {name[0] for name in before if before[name] != after[name]}
    assert changed == {b"bext", b"id3 "}  # ID3: without TSSE.
    bext = after[b"bext", b""]
    assert bext.early
    assert bext.data[412:422] == b"\xff\x7f" * 5
    assert bext.data[:412] == before[b"bext", b""].data[:412]
    data = (tmp_path / "b.wav").read_bytes()
    assert struct.unpack_from("<I", data, 4) == (len(data) - 8,)


def test_places_are_moved_to_another_rate(tmp_path, tagged):
    (remark,) = tagged.copy(studio(tmp_path / "a.wav", tagged), tmp_path / "b.wav", rate=96_000)
    assert remark == "left out of the tags: iXML, which counts samples at 48000 Hz"
    found = blocks(tmp_path / "b.wav")
    assert struct.unpack_from("<Q", found[b"bext", b""].data, 338) == (96_000 * 3600,)
    assert struct.unpack_from("<II4sIII", found[b"cue ", b""].data, 4) == (1, 12_000, b"data", 0, 0, 12_000)
    assert struct.unpack_from("<I", found[b"smpl", b""].data, 8)[0] == pytest.approx(1e9 / 96_000, abs=1)
    assert struct.unpack_from("<II", found[b"smpl", b""].data, 44) == (2000, 18_000)
    assert struct.unpack_from("<I", found[b"LIST", b"adtl"].data, 4 + 8 + 10 + 8 + 4) == (960,)


def test_what_another_format_cannot_hold_is_named(tmp_path, tagged):
    (remark,) = tagged.copy(studio(tmp_path / "a.wav", tagged), tmp_path / "b.flac")
    assert remark == "left out of the tags: cue points, loop points, the broadcast chunk (bext)"
    assert tagged.of(tmp_path / "b.flac")[0]["DESCRIPTION"] == "Scene"


def test_the_plain_chunks_are_enough_for_other_formats(tmp_path, tagged):
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 48_000)
    with soundfile.SoundFile(tmp_path / "a.aiff", "w", 48_000, 1) as file:
        file.title, file.artist, file.comment = "Name", "Zoë", "well"
        file.write(np.zeros(100))
    data = (tmp_path / "a.wav").read_bytes() + chunk(
        b"LIST", b"INFO" + chunk(b"INAM", b"Name\0") + chunk(b"IART", "Zoë".encode("cp1252"))
    )
    (tmp_path / "a.wav").write_bytes(data)
    tagged.copy(tmp_path / "a.wav", tmp_path / "b.flac")
    tagged.copy(tmp_path / "a.aiff", tmp_path / "c.flac")
    assert tagged.of(tmp_path / "b.flac")[0] == {"TITLE": "Name", "ARTIST": "Zoë"}
    assert tagged.of(tmp_path / "c.flac")[0] == {"TITLE": "Name", "ARTIST": "Zoë", "COMMENT": "well"}
    tagged.copy(tmp_path / "b.flac", tmp_path / "d.wav")
    with soundfile.SoundFile(tmp_path / "d.wav") as file:  # libsndfile reads the LIST chunk.
        assert (file.title, file.artist) == ("Name", "Zoë")


def test_markers_of_aiff_are_kept_and_moved(tmp_path, tagged):
    tagged.make(tmp_path / "a.aiff")
    marks = struct.pack(">H", 2) + struct.pack(">hI", 1, 500) + b"\4here" + b"\0" + struct.pack(">hI", 2, 900) + b"\1x"
    data = (tmp_path / "a.aiff").read_bytes() + chunk(b"MARK", marks, ">") + chunk(b"ANNO", b"odd", ">")
    (tmp_path / "a.aiff").write_bytes(data[:4] + struct.pack(">I", len(data) - 8) + data[8:])
    assert tagged.copy(tmp_path / "a.aiff", tmp_path / "b.aiff") == []
    assert tagged.copy(tmp_path / "a.aiff", tmp_path / "c.aiff", rate=96_000) == []
    assert blocks(tmp_path / "b.aiff")[b"MARK", b""].data == marks
    moved = blocks(tmp_path / "c.aiff")[b"MARK", b""].data
    assert struct.unpack_from(">hI", moved, 2) == (1, 1000)
    assert struct.unpack_from(">hI", moved, 14) == (2, 1800)


def test_rf64_keeps_its_size_in_its_own_chunk(tmp_path, tagged):
    tagged.copy(studio(tmp_path / "a.wav", tagged), tmp_path / "b.rf64")
    data = (tmp_path / "b.rf64").read_bytes()
    if data[:4] == b"RF64":
        assert struct.unpack_from("<Q", data, 20) == (len(data) - 8,)
    assert blocks(tmp_path / "b.rf64")[b"bext", b""].early


def test_a_damaged_chunk_is_left_out_and_named():
    lost = []
    assert chunks._at_rate(Block(b"smpl", bytes(9)), 48_000, 96_000, lost) is None
    assert lost == ["a damaged chunk 'smpl'"]


def test_a_chunk_whose_name_is_damaged_is_left_out(tmp_path, tagged):
    """Libsndfile takes it for the end of the file."""
    old = studio(tmp_path / "a.wav", tagged)
    old.write_bytes(old.read_bytes().replace(b"bext", b"\x7f\xff\xff\xff"))
    (remark,) = tagged.copy(old, tmp_path / "b.wav")
    assert remark == "left out of its tags: a chunk with a damaged name"
