"""Bytes of a file exchanged for more or fewer."""

from __future__ import annotations

import io

import numpy as np
import pytest

from musicae.formats.sound.tags.values import Block, Common, Tags, read_exactly, splice


@pytest.mark.parametrize(("start", "end", "new"), [(0, 0, 3_000_000), (5, 1_500_000, 7), (10, 12, 2), (50, 50, 0)])
def test_what_follows_is_moved(start, end, new):
    data, put = np.random.default_rng(0).bytes(3_300_001), bytes(range(256)) * 20_000
    file = io.BytesIO(data)
    assert splice(file, start, end, [put[: new // 2], put[new // 2 : new]]) == new - (end - start)
    assert file.getvalue() == data[:start] + put[:new] + data[end:]


def test_a_file_that_gives_little_at_a_time_is_read_to_its_end():
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 3))

    assert read_exactly(Slow(b"0123456789"), 8) == b"01234567"
    assert read_exactly(Slow(b"012"), 8) == b"012"


def test_tags_without_anything_are_false():
    assert not Tags("flac", rate=8000)
    assert Tags("flac", (Block(b"\4", b""),))
    assert Tags(common=Common()).at(5).rate == 5
