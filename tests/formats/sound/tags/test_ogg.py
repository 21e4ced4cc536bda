"""The comments of Ogg files, and the pages around them."""

from __future__ import annotations

import struct

import pytest

from musicae.formats.sound.tags import ogg
from musicae.formats.sound.tags.values import Block


def checksum(page):
    """The checksum as RFC 3533 describes it, bit by bit."""
    value = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


def pages(data):
    at, found = 0, []
    while at < len(data):
        count = data[at + 26]
        size = 27 + count + sum(data[at + 27 : at + 27 + count])
        found.append(data[at : at + size])
        at += size
    return found


@pytest.mark.parametrize("suffix", [".ogg", ".opus"])
def test_pages_are_numbered_and_have_their_checksums(tmp_path, tagged, suffix):
    tagged.copy(tagged.make(tmp_path / f"a{suffix}"), tmp_path / f"b{suffix}")
    found = pages((tmp_path / f"b{suffix}").read_bytes())
    assert len(found) > 3  # The cover takes two or more.
    assert [struct.unpack_from("<I", page, 18)[0] for page in found] == list(range(len(found)))
    for page in (*found[:2], *found[-2:]):
        assert struct.unpack_from("<I", page, 22)[0] == checksum(page)


def test_gains_of_opus_are_for_opus(tmp_path, tagged):
    from mutagen.oggopus import OggOpus

    file = OggOpus(tagged.make(tmp_path / "a.opus"))
    file["R128_TRACK_GAIN"] = "-300"
    file.save()
    tagged.copy(tmp_path / "a.opus", tmp_path / "b.opus")
    tagged.copy(tmp_path / "a.opus", tmp_path / "b.ogg")
    assert tagged.of(tmp_path / "b.opus")[0]["R128_TRACK_GAIN"] == "-300"
    assert "R128_TRACK_GAIN" not in tagged.of(tmp_path / "b.ogg")[0]


def test_what_is_no_ogg_has_no_comments(tmp_path):
    (tmp_path / "a").write_bytes(b"OggS" + bytes(30))
    with (tmp_path / "a").open("rb") as file:
        assert ogg.read(file)[0] == []
        assert ogg.heads(file) == (b"", 0)
    assert ogg.common((Block(b"OpusTags", b"\xff" * 9),)).fields == ()
