"""How picture files begin."""

import io

import PIL.Image
import pytest

from musicae.formats.pictures.decoders import FORMATS, UNREAD, decoders, format_of


@pytest.mark.parametrize("kind", sorted(set(FORMATS.values())))
def test_every_format_is_known_by_how_it_begins(kind):
    file = io.BytesIO()
    PIL.Image.new("RGB", (9, 7)).save(file, kind)
    assert format_of(file.getvalue()[:64]) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp41", ""),
        (b"\xff\x0a\0\0", "JPEG XL"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"%PDF-1.7", "PDF"),
        (b"P6\n3 3\n", "PPM"),
        (b"P6.", ""),
        (b"MM\0*", "TIFF"),
    ],
)
def test_other_heads(head, kind):
    assert format_of(head) == kind


def test_no_decoder_starts_a_program():
    assert not {"EPS", "PDF", "WMF", "FPX"} & set(decoders())
    assert not set(UNREAD) & set(decoders())
