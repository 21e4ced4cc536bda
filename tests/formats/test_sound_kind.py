"""What a sound file holds."""

import pytest

from musicae.errors import MusicaeError
from musicae.formats import sound_kind as sound


def test_facts_of_a_kind_are_checked():
    assert sound.kind_of({"rate": 8000, "channels": 1, "format": "WAV", "subtype": "FLOAT"}).exact
    for facts in ({"rate": 0, "channels": 1}, {"rate": 8000}, {"rate": 8000, "channels": 1, "format": 3}, {"size": 1}):
        with pytest.raises(MusicaeError, match="not a kind of sound file"):
            sound.kind_of(facts)
