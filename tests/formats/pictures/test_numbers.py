"""Pictures of other numbers than bytes, as tifffile and our own bytes have them."""

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import pytest

from musicae.adapters.image import Image
from musicae.formats.pictures.numbers import has_numbers, raw_modes, swapped

tifffile = pytest.importorskip("tifffile")
RNG = np.random.default_rng(0)
NUMBERS = {
    "thousand": RNG.random((20, 31)).astype(np.float32) * 1000,
    "negative": RNG.normal(size=(20, 31)).astype(np.float32),
    "unit": RNG.random((20, 31)).astype(np.float32),
    "int32": RNG.integers(-5000, 90_000, (20, 31)).astype(np.int32),
    "int16": RNG.integers(-3000, 3000, (20, 31)).astype(np.int16),
    "int8": RNG.integers(-128, 128, (20, 31)).astype(np.int8),
    "uint16": RNG.integers(0, 65_536, (20, 31)).astype(np.uint16),
    "flat": np.full((20, 31), 7.5, np.float32),
}


@pytest.mark.parametrize("name", list(NUMBERS))
@pytest.mark.parametrize("channels", [1, 3])
def test_numbers_come_back_with_range_and_type(tmp_path, name, channels):
    values = NUMBERS[name]
    tifffile.imwrite(tmp_path / "a.tif", values)
    adapter = Image(channels, 64, 64, fit="whole")
    sample = adapter.read(tmp_path / "a.tif")
    assert 0 <= float(sample.tensor.min()) <= float(sample.tensor.max()) <= 1
    adapter.write(sample, tmp_path / "b.tif")
    again = tifffile.imread(tmp_path / "b.tif")
    assert again.dtype == values.dtype
    assert np.abs(again - values.astype(np.float64)).max() <= np.ptp(values.astype(np.float64)) * 2e-7
    sample.tensor = sample.tensor * 0.5
    adapter.write(sample, tmp_path / "b.tif")
    assert tifffile.imread(tmp_path / "b.tif").max() < values.max() or name == "flat"


def test_numbers_that_are_missing_stay_missing(tmp_path):
    values = NUMBERS["negative"].copy()
    values[3:7, 4:9] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", values)
    adapter = Image(1, 64, 64, fit="whole")
    sample = adapter.read(tmp_path / "a.tif")
    assert sample.tensor.isfinite().all()
    adapter.write(sample, tmp_path / "b.tif")
    again = tifffile.imread(tmp_path / "b.tif")
    assert np.array_equal(np.isnan(again), np.isnan(values))
    assert np.nanmax(np.abs(again - values)) < 1e-6


def test_numbers_in_another_format_are_16_bits_and_said(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", NUMBERS["thousand"])
    adapter = Image(1, 64, 64, fit="whole")
    sample = adapter.read(tmp_path / "a.tif")
    adapter.write(sample, tmp_path / "b.png")
    assert sample.remarks[-1] == "PNG does not keep: range of its numbers"
    with PIL.Image.open(tmp_path / "b.png") as image:
        assert np.asarray(image).max() == 65535


@pytest.mark.parametrize("width", [30, 31])
def test_twelve_bits(tmp_path, width):
    from musicae.formats.pictures.deep import Numbers, write_tiff

    values = RNG.integers(0, 4096, (20, width)).astype(np.uint16)
    with (tmp_path / "a.tif").open("wb") as file:
        write_tiff(file, (values[..., None] / 4095).astype(np.float32), Numbers("uint12", 0, 4095))
    with PIL.Image.open(tmp_path / "a.tif") as image:
        assert image.tag_v2[258] == (12,)
        assert np.array_equal(np.asarray(image), values)
    adapter = Image(1, 64, 64, fit="whole")
    sample = adapter.read(tmp_path / "a.tif")
    assert float(sample.tensor.max()) > 0.9
    adapter.write(sample, tmp_path / "b.tif")
    assert (tmp_path / "b.tif").read_bytes() == (tmp_path / "a.tif").read_bytes()


def test_only_other_numbers_need_it():
    assert not has_numbers(PIL.Image.new("RGB", (2, 2)))
    assert not has_numbers(PIL.Image.new("L", (2, 2)))
    assert has_numbers(PIL.Image.new("F", (2, 2)))
    assert swapped(PIL.Image.new("RGB", (2, 2))) is None
    assert raw_modes(PIL.Image.new("RGB", (2, 2))) == []
