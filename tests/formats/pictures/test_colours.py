"""Colours converted by their profiles."""

import struct

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest

from musicae.adapters.image import Image
from musicae.formats.pictures.colours import is_profile_of, to_rgb


def tag(kind: bytes, content: bytes) -> bytes:
    content = kind + bytes(4) + content
    return content + bytes(-len(content) % 4)


def cmyk_profile() -> bytes:
    """Return a profile of a press (ICC.1:2001-04, 6.5.8) whose inks are pale: full cyan is a light blue, and so on.

    Its table has Lab for each of the 16 corners; black ink is grey.
    """
    grid = []
    for i in range(16):
        c, m, y, k = (i >> shift & 1 for shift in (3, 2, 1, 0))
        lightness = 100 - 20 * c - 25 * m - 5 * y - 30 * k
        grid += [round(lightness * 255 / 100), 128 - 15 * c + 30 * m, 128 - 20 * c - 5 * m + 40 * y]
    ramp = bytes(range(256))
    identity = b"".join(struct.pack(">i", 65536 * (i in (0, 4, 8))) for i in range(9))
    table = (
        struct.pack(">BBBx", 4, 3, 2) + identity + ramp * 4 + bytes(min(255, max(0, one)) for one in grid) + ramp * 3
    )
    white = struct.pack(">iii", 63190, 65536, 54061)
    tags = [
        (b"desc", tag(b"desc", struct.pack(">I", 5) + b"Pale\0" + bytes(4 + 4 + 2 + 1 + 67))),
        (b"wtpt", tag(b"XYZ ", white)),
        (b"A2B0", tag(b"mft1", table)),
        (b"cprt", tag(b"text", b"None\0")),
    ]
    at, entries, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags:
        entries += name + struct.pack(">II", at + len(body), len(content))
        body += content
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02100000, b"prtr", b"CMYK", b"Lab ") + bytes(12) + b"acsp"
    head += bytes(28) + white
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + entries + body


@pytest.mark.parametrize(("suffix", "most"), [(".tif", 4), (".jpg", 10)])
def test_inks_are_converted_by_their_profile(tmp_path, suffix, most):
    # The Lab of paper, cyan, magenta, yellow and black ink, above, as sRGB (by the formulas of IEC 61966-2-1, D50).
    inks = {(0, 0, 0, 0): (255, 255, 255), (0, 0, 0, 255): (171, 171, 171)}
    for ink, wanted in inks.items():
        PIL.Image.new("CMYK", (16, 16), ink).save(tmp_path / f"a{suffix}", icc_profile=cmyk_profile())
        adapter = Image(3, 64, 64, fit="whole")
        sample = adapter.read(tmp_path / f"a{suffix}")
        assert np.abs(sample.tensor[:, 8, 8].numpy() * 255 - wanted).max() <= most
        adapter.write(sample, tmp_path / "b.png")
        assert sample.remarks[-1] == "its CMYK colours were converted to RGB by its profile"
        with PIL.Image.open(tmp_path / "b.png") as image:
            assert "icc_profile" not in image.info


def test_without_a_good_profile_it_is_said():
    image = PIL.Image.new("CMYK", (4, 4), (0, 0, 0, 255))
    for profile, told in ((None, "without a profile"), (b"junk" * 50, "without its profile, which is damaged")):
        made, remark = to_rgb(image, profile)
        assert remark.endswith(told)
        assert made.getpixel((1, 1)) == (0, 0, 0)


def test_lab_is_converted_by_its_definition():
    lab = PIL.Image.fromarray(np.full((4, 4, 3), [round(255 * 53.4 / 100), 0, 0], np.uint8), "LAB")
    made, _ = to_rgb(lab, None)
    assert np.abs(np.subtract(made.getpixel((1, 1)), 127)).max() <= 2  # L* of 53.4 is the grey 127.


def test_profiles_of_pictures():
    rgb = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    assert is_profile_of(rgb, 3)
    assert not is_profile_of(rgb, 1)
    assert not is_profile_of(rgb[:-1], 3)
    assert not is_profile_of(cmyk_profile(), 3)
    assert not is_profile_of(b"", 3)
