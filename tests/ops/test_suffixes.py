"""How the files that an adapter writes end."""

from __future__ import annotations

from musicae.adapters.audio import Audio
from musicae.adapters.melody import Melody
from musicae.ops.suffixes import suffix_like, suffixes_written


def test_a_file_ends_like_another_where_the_adapter_writes_that() -> None:
    audio = Audio()
    assert ".m4a" in audio.suffixes
    assert ".m4a" not in suffixes_written(audio)
    assert suffix_like(audio, ".FLAC") == ".FLAC"
    assert suffix_like(audio, ".m4a") == suffix_like(audio) == ".wav"


def test_music_is_written_as_midi() -> None:
    assert suffix_like(Melody(), ".abc") == suffixes_written(Melody())[0] == ".mid"
