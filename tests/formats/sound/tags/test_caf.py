"""The fields of CAF files, written and read back by libsndfile too."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from musicae.formats.sound.tags import caf
from musicae.formats.sound.tags.values import Block, Common, Tags


def test_fields_are_kept_in_both_directions(tmp_path, tagged):
    with soundfile.SoundFile(tmp_path / "a.caf", "w", 48_000, 1) as file:
        file.title, file.artist = "Stück", "Zoë"
        file.write(np.zeros(100))
    assert tagged.copy(tmp_path / "a.caf", tmp_path / "b.caf") == []
    assert tagged.copy(tmp_path / "b.caf", tmp_path / "c.flac") == []
    with soundfile.SoundFile(tmp_path / "b.caf") as file:
        assert (file.title, file.artist) == ("Stück", "Zoë")
    assert tagged.of(tmp_path / "c.flac")[0] == {"TITLE": "Stück", "ARTIST": "Zoë"}


def test_a_cover_is_left_out_with_a_line(tmp_path, tagged):
    assert tagged.copy(tagged.make(tmp_path / "a.mp3"), tmp_path / "b.caf") == ["left out of the tags: covers"]
    assert tagged.copy(tmp_path / "b.caf", tmp_path / "c.flac") == []
    assert tagged.of(tmp_path / "c.flac")[0].items() >= tagged.fields.items()


def test_damaged_chunks_are_no_fields():
    assert caf.read(io.BytesIO(b"caff\0\1\0\0info" + b"\x7f" * 9)) == ([], [])
    assert caf.common((Block(b"info", b"\0\0\0\5a"),)) == Common()
    out = io.BytesIO()
    assert caf.write(out, Tags(), Common()) == []
    assert out.getvalue() == b""
