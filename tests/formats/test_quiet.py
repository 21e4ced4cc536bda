"""Nothing printed by a library reaches the terminal."""

import os

from musicae.formats.quiet import quiet


def test_what_c_prints_is_discarded_and_nothing_else(capfd):
    os.write(2, b"before ")
    with quiet():
        os.write(1, b"loud")
        os.write(2, b"louder")
    os.write(2, b"after")
    assert tuple(capfd.readouterr()) == ("", "before after")


def test_one_within_another_and_an_error(capfd):
    try:
        with quiet(), quiet():
            raise ValueError
    except ValueError:
        os.write(1, b"back")
    assert capfd.readouterr().out == "back"
