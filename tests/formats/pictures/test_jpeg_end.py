"""JPEG files that stop too early."""

import io

import numpy as np
import PIL.Image
import pytest
from drawn import noise

from musicae.adapters.image import Image
from musicae.errors import MusicaeError
from musicae.formats.pictures.jpeg_end import with_end


def jpeg(**options) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(noise(40, 56, 3)).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 30, "restart_marker_rows": 1}])
def test_only_the_end_may_be_missing(options):
    whole = jpeg(**options)
    assert with_end(whole[:-2]) == whole
    assert with_end(whole[:-1]) == whole
    for cut in (10, 40, len(whole) // 4, len(whole) // 2):
        assert with_end(whole[:-cut]) is None
    assert with_end(b"\xff\xd8 no picture") is None


def test_such_a_file_is_read_and_one_that_lacks_pixels_is_not(tmp_path):
    whole = jpeg()
    (tmp_path / "whole.jpg").write_bytes(whole)
    (tmp_path / "end.jpg").write_bytes(whole[:-2])
    (tmp_path / "cut.jpg").write_bytes(whole[:-200])
    adapter = Image(3, 64, 64, fit="whole")
    sample = adapter.read(tmp_path / "end.jpg")
    assert np.array_equal(sample.tensor, adapter.read(tmp_path / "whole.jpg").tensor)
    assert "it had no end, which was added" in sample.remarks
    with pytest.raises(MusicaeError, match="cut short"):
        adapter.read(tmp_path / "cut.jpg")
