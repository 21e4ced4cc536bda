"""Sound that libsndfile decodes."""

import io

import numpy as np
import pytest
import soundfile

from musicae.errors import MusicaeError
from musicae.formats.sound.sndfile import NotKnownError, reading_sndfile


def test_it_is_read_in_blocks_of_a_size(tmp_path):
    x = np.random.default_rng(0).standard_normal((1000, 2)).clip(-1, 1).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", x, 8000, "FLOAT")
    for file in (tmp_path / "a.wav", io.BytesIO((tmp_path / "a.wav").read_bytes())):
        with reading_sndfile(file) as opened:
            assert (opened.length, opened.kind.rate, opened.kind.channels) == (1000, 8000, 2)
            blocks = list(opened.blocks(300))
        assert [len(block) for block in blocks] == [300, 300, 300, 100]
        assert np.array_equal(np.concatenate(blocks), x)


def test_what_it_does_not_know_is_told_from_what_is_wrong(tmp_path):
    (tmp_path / "a.au").write_bytes(bytes(range(200)))
    with pytest.raises(NotKnownError), reading_sndfile(tmp_path / "a.au"):
        pass
    soundfile.write(tmp_path / "b.wav", np.zeros(10), 10)
    with pytest.raises(MusicaeError, match="10 samples a second") as caught, reading_sndfile(tmp_path / "b.wav"):
        pass
    assert not isinstance(caught.value, NotKnownError)
