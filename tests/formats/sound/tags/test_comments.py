"""Vorbis comments as bytes."""

from __future__ import annotations

import pytest
from mutagen.flac import Picture as MutagenPicture
from mutagen.flac import VCFLACDict

from musicae.formats.sound.tags.comments import common_of, kept, lines_of, pack, pack_picture, unpack, unpack_picture
from musicae.formats.sound.tags.values import Common, Picture


def test_lines_are_those_that_mutagen_reads():
    lines = ["TITLE=Stück".encode(), b"title=second", b"X=" + b"y" * 70_000]
    assert unpack(pack(b"who", lines)) == (b"who", lines)
    read = VCFLACDict(pack(b"who", lines))
    assert (read.vendor, read["title"], len(read["x"][0])) == ("who", ["Stück", "second"], 70_000)


@pytest.mark.parametrize("data", [b"", b"\xff" * 20, b"\0\0\0\0\x05\0\0\0\xff\xff\xff\xff"])
def test_damaged_comments_are_refused(data):
    with pytest.raises(ValueError, match="too early"):
        unpack(data)


def test_what_can_be_read_of_cut_comments_is_kept():
    assert unpack(pack(b"", [b"A=1", b"B=2"])[:-1])[1] == [b"A=1"]


def test_lines_on_the_encoder_go():
    assert kept([b"Encoder=x", b"encoder settings=x", b"MP3GAIN_UNDO=1", b"Artist=x", b"ENCODED-BY=me"]) == [
        b"Artist=x", b"ENCODED-BY=me"]  # fmt: skip


def test_pictures_are_those_that_mutagen_reads():
    picture = Picture(b"jpeg", "image/jpeg", 4, "hinten é")
    read = MutagenPicture(pack_picture(picture))
    assert (read.data, read.mime, read.type, read.desc) == (b"jpeg", "image/jpeg", 4, "hinten é")
    assert unpack_picture(pack_picture(picture)) == picture
    for cut in (0, 10, 30):
        with pytest.raises(ValueError, match="too early"):
            unpack_picture(pack_picture(picture)[:cut])


def test_pictures_go_into_lines_for_ogg_and_names_are_made_ascii():
    common = Common((("TITLE", "x"), ("größe=", "y")), (Picture(b"jpeg"),))
    assert common_of(lines_of(common, pictures=True)) == Common((("TITLE", "x"), ("GR__E_", "y")), common.pictures)
    assert common_of([b"METADATA_BLOCK_PICTURE=%%%", b"A=\xff"]) == Common((("A", "\ufffd"),))
