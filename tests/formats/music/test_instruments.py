"""Instruments by number or name."""

import pytest

from musicae.errors import MusicaeError
from musicae.formats.music.instruments import instrument_name, program_of


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("1", 0), ("128", 127), (" 33 ", 32), ("flute", 73), ("Violin", 40), ("piano", 0), ("electric piano", 4),
        ("guitar (nylon)", 24), ("nylon guitar", 24), ("pan flute", 75), ("choir", 52), ("bass", 32),
    ],
)  # fmt: skip
def test_an_instrument_by_number_or_name(text, program):
    assert program_of(text) == program


def test_names_lead_back_to_their_programs():
    assert [program_of(instrument_name(i)) for i in range(128)] == list(range(128))


@pytest.mark.parametrize("text", ["0", "129", "-1", "9" * 5000])
def test_numbers_out_of_range(text):
    with pytest.raises(MusicaeError, match=r"--program must be 1 to 128, as General MIDI counts, not [-0-9]{1,20}$"):
        program_of(text)


def test_names_that_none_has():
    with pytest.raises(MusicaeError, match="no instrument 'flutte'; did you mean 'flute'"):
        program_of("flutte")
    with pytest.raises(MusicaeError, match="no instrument 'zzz'; give a number 1 to 128, or a name such as flute"):
        program_of("zzz")
    with pytest.raises(MusicaeError, match="no instrument ''"):
        program_of(" ")
