"""EXIF data changed in place."""

import contextlib
import io

import exifread
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.formats.pictures import exif


def block(thumbnail: bytes = b"") -> bytes:
    """Return EXIF data as a camera writes them, with a note of its own, a place, and a thumbnail."""
    made = PIL.Image.Exif()
    made[271], made[274], made[306] = "A maker", 6, "2024:05:06 07:08:09"
    folder = made.get_ifd(0x8769)
    folder[0x9003], folder[0xA002], folder[0xA003] = "2024:05:06 07:08:09", 70_000, 48
    folder[0x927C] = b"of the maker" * 20
    made.get_ifd(0x8825)[1] = "N"
    made.get_ifd(0x8825)[2] = (48.0, 8.0, 14.5)
    content = bytearray(made.tobytes().removeprefix(b"Exif\0\0"))
    if thumbnail:
        order = "little" if content[:2] == b"II" else "big"
        first = int.from_bytes(content[4:8], order)
        pointer = first + 2 + 12 * int.from_bytes(content[first : first + 2], order)
        content[pointer : pointer + 4] = len(content).to_bytes(4, order)
        start = len(content) + 2 + 24 + 4
        content += (2).to_bytes(2, order)
        for tag, value in ((0x0201, start), (0x0202, len(thumbnail))):
            content += tag.to_bytes(2, order) + (4).to_bytes(2, order) + (1).to_bytes(4, order)
            content += value.to_bytes(4, order)
        content += bytes(4) + thumbnail
    return bytes(content)


def read(content: bytes) -> dict[str, str]:
    return {name: str(tag) for name, tag in exifread.process_file(io.BytesIO(content), details=False).items()}


def test_only_orientation_sizes_and_thumbnail_change():
    given_block = block(b"\xff\xd8 a thumbnail \xff\xd9")
    before, after = read(given_block), read(exif.settled(b"Exif\0\0" + given_block, 480, 640))
    assert any(name.startswith("Thumbnail") for name in before)
    assert not any(name.startswith("Thumbnail") for name in after)
    assert after["Image Orientation"] != before["Image Orientation"]
    assert "Horizontal (normal)" in after["Image Orientation"]
    assert (after["EXIF ExifImageWidth"], after["EXIF ExifImageLength"]) == ("480", "640")
    assert before["EXIF ExifImageWidth"] == "70000"
    changed = {name for name in after if before[name] != after[name]}
    assert changed == {"Image Orientation", "EXIF ExifImageWidth", "EXIF ExifImageLength"}
    assert (after["GPS GPSLatitude"], after["Image Make"]) == (before["GPS GPSLatitude"], "A maker")


def test_makers_notes_stay_where_they_were_and_thumbnails_are_gone():
    given_block = block(b"\xff\xd8 a thumbnail \xff\xd9")
    made = exif.settled(given_block, 48, 64)
    assert made.index(b"of the maker") == given_block.index(b"of the maker")
    assert b"thumbnail" not in made


def test_a_width_that_outgrows_its_type_is_written():
    made = exif.settled(block(), 300_000, 70_001)
    after = read(made)
    assert (after["EXIF ExifImageWidth"], after["EXIF ExifImageLength"]) == ("300000", "70001")


@given(at=st.integers(0, 500), value=st.integers(0, 255), cut=st.integers(0, 500))
@settings(max_examples=200, deadline=None)
def test_damage_is_a_value_error(at, value, cut):
    content = bytearray(block(b"thumbnail"))
    content[at % len(content)] = value
    with contextlib.suppress(ValueError):
        assert len(exif.settled(bytes(content[: len(content) - cut % len(content)]), 5, 6)) <= len(content)


@pytest.mark.parametrize("content", [b"", b"II", b"XX*\0\x08\0\0\0", b"II*\0\xff\xff\xff\xff"])
def test_no_exif_data_at_all(content):
    with pytest.raises(ValueError, match=r"order|unpack|buffer"):
        exif.settled(content, 1, 1)
