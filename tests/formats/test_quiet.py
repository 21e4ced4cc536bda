"""Nothing printed by a library reaches the terminal."""

import os
import subprocess
import sys

import pytest

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


PRINTS = """
import ctypes
from musicae.formats.quiet import quiet
libc = ctypes.CDLL(None)
libc.printf(b"before ")
with quiet():
    libc.printf(b"held back ")
libc.printf(b"after")
libc.fflush(None)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the C library has another name")
def test_what_c_holds_back_is_discarded_too():
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run([sys.executable, "-c", PRINTS], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "before after"
