"""Files that Pillow cannot write, as other programs read them."""

import io

import numpy as np
import PIL.Image
import pytest
from drawn import noise

from musicae.formats.pictures import deep as deep_pictures
from musicae.formats.pictures.deep import Numbers, write_png, write_tiff

tifffile = pytest.importorskip("tifffile")


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tifffile_reads_our_tiffs(monkeypatch, kind, channels):
    monkeypatch.setattr(deep_pictures, "_BAND", 100)  # Many strips.
    values, file = noise(19, 23, channels, kind=kind), io.BytesIO()
    write_tiff(file, values, dpi=(300.0, 150.0), tags={270: "A picture"})
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        assert np.array_equal(tiff.asarray().reshape(values.shape), values)
        assert tiff.pages[0].tags["ImageDescription"].value == "A picture"
        assert tiff.pages[0].tags["XResolution"].value[0] / tiff.pages[0].tags["XResolution"].value[1] == 300


@pytest.mark.parametrize("channels", [3, 4])
def test_pillow_reads_our_pngs(monkeypatch, channels):
    monkeypatch.setattr(deep_pictures, "_BAND", 100)
    values, file = noise(19, 23, channels, kind=np.uint16), io.BytesIO()
    write_png(file, values)
    with PIL.Image.open(file) as image:
        image.load()
        assert np.array_equal(np.asarray(image), values >> 8)


def test_what_values_stand_for():
    values = np.float32([0, 0.5, 1])
    assert Numbers("int16", -100, 300).of(values).tolist() == [-100, 100, 300]
    assert Numbers("float32", -1, 3).of(values).dtype == np.float32
