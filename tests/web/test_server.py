"""Ports, and what the page begins with."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from musicae.errors import MusicaeError
from musicae.web import server
from musicae.web.server import HOST, listening, starting
from musicae.web.studio import Studio


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with listening(port) as opened:
            assert opened.getsockname()[0] == "127.0.0.1"
            assert port < opened.getsockname()[1] <= port + 50


def test_where_no_port_is_free_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_TRIES", 0)
    with listening(0) as taken, pytest.raises(MusicaeError, match="none of the ports"):
        listening(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["draw 1", "draw 2", "draw 3", "draw 4"]),
        (["twinkle.mid"], ["twinkle.mid", "draw 2"]),
        (["twinkle.mid", "ode-to-joy.mid"], ["twinkle.mid", "ode-to-joy.mid"]),
        (["twinkle.mid", "ode-to-joy.mid", "twinkle.mid"], ["twinkle.mid", "ode-to-joy.mid", "twinkle.mid", "draw 4"]),
    ],
)
def test_draws_stand_where_files_are_missing(studio: Studio, data: Path, names: list[str], expected: list[str]) -> None:
    start = starting(studio, [data / name for name in names], None, {"bars": "1-2"})
    assert start.preset == "melody-2bar"
    assert [corner["name"] for corner in start.corners] == expected
    assert start.notices == []
    for corner in start.corners:
        studio.corner(start.preset, corner["id"])


def test_a_recording_begins_without_draws(studio: Studio, tiny_voice: Path, tmp_path: Path) -> None:
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    start = starting(studio, [tmp_path / "a.wav"], str(tiny_voice), {})
    assert (start.preset, [corner["name"] for corner in start.corners]) == ("tiny-voice", ["a.wav"])


def test_wrong_files_are_one_line(studio: Studio, data: Path, tmp_path: Path) -> None:
    with pytest.raises(MusicaeError, match="there is no file"):
        starting(studio, [tmp_path / "no.mid"], None, {})
    with pytest.raises(MusicaeError, match="up to 4 files, not 5"):
        starting(studio, [data / "rock.mid"] * 5, None, {})
    (tmp_path / "empty.mid").touch()
    with pytest.raises(MusicaeError, match=r"empty\.mid"):
        starting(studio, [tmp_path / "empty.mid"], "melody-2bar", {})
