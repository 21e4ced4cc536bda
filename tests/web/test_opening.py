"""What the page begins with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from musicae.errors import MusicaeError
from musicae.web.opening import starting
from musicae.web.studio import Studio


def noise(path: Path, seconds: float, rate: int = 44_100) -> Path:
    soundfile.write(path, 0.1 * np.random.default_rng(1).standard_normal(round(seconds * rate)), rate)
    return path


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
    assert [corner.get("bars") for corner in start.corners[: len(names)]] == ["1-2"] * len(names)
    for corner in start.corners:
        studio.corner(start.preset, corner["id"])


def test_a_recording_alone_begins_with_what_restores_it(studio: Studio, tiny_voice: Path, tmp_path: Path) -> None:
    rec, voice = noise(tmp_path / "rec.wav", 3), noise(tmp_path / "voice.wav", 3, 16_000)
    start = starting(studio, [rec], None, {})
    assert (start.preset, [corner["name"] for corner in start.corners]) == ("denoise", ["rec.wav"])
    assert start.notices == [f"{rec}: a recording, opened with denoise; --preset sound to morph"]
    assert starting(studio, [voice], None, {"part": ()}).preset == "denoise-speech"
    start = starting(studio, [rec], str(tiny_voice), {})
    assert (start.preset, start.notices) == ("tiny-voice", [])
    with pytest.raises(MusicaeError, match="takes one file at a time, not 2"):
        starting(studio, [rec, voice], "denoise", {})


def test_short_sounds_and_several_begin_as_corners(studio: Studio, tmp_path: Path) -> None:
    hit, rec = noise(tmp_path / "hit.wav", 0.5), noise(tmp_path / "rec.wav", 3)
    for files in ([hit], [hit, rec], [rec, rec]):
        start = starting(studio, files, None, {})
        assert studio.catalog.codec(start.preset).model.latent_size
        assert len(start.corners) == 2
        assert not any("opened with" in notice for notice in start.notices)
    assert starting(studio, [rec], "sound", {}).preset == "sound"


def test_wrong_files_are_one_line_with_the_name_that_was_typed(studio: Studio, data: Path, tmp_path: Path) -> None:
    with pytest.raises(MusicaeError, match="there is no file"):
        starting(studio, [tmp_path / "no.mid"], None, {})
    with pytest.raises(MusicaeError, match="up to 4 files, not 5"):
        starting(studio, [data / "rock.mid"] * 5, None, {})
    (tmp_path / "empty.mid").touch()
    with pytest.raises(MusicaeError, match=r"empty\.mid"):
        starting(studio, [tmp_path / "empty.mid"], "melody-2bar", {})
    broken = tmp_path / "my [broken].mid"
    broken.write_bytes((data / "rock.mid").read_bytes()[:40])
    for files in ([broken, data / "rock.mid"], [data / "rock.mid", broken]):
        with pytest.raises(MusicaeError) as error:
            starting(studio, files, None, {})
        assert str(error.value).startswith(f"{broken} ")
        assert str(studio.store.folder) not in str(error.value)
