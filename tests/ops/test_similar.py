"""The files of a folder that are nearest to a file."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

import musicae
from musicae import codec as codecs
from musicae.codec import Codec
from musicae.errors import MusicaeError


@pytest.fixture
def album(tmp_path: Path, data: Path, tiny: Codec) -> Path:
    """Some tunes, and one of them five semitones higher."""
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("twinkle", "ode-to-joy", "greensleeves", "saints", "korobeiniki"):
        shutil.copy(data / f"{name}.mid", folder)
    for name, options in (("moved", {"transpose": 5}), ("part", {"bars": "5-8"})):
        tiny.adapter.write(tiny.adapter.read(data / "twinkle.mid", **options), folder / f"{name}.mid")
    return folder


def test_a_transposed_copy_comes_first_and_then_a_part(album: Path, tiny: Codec, data: Path) -> None:
    found = musicae.similar(data / "twinkle.mid", album, 3, preset=tiny)
    assert [one.path.name for one in found.matches[:2]] == ["moved.mid", "twinkle.mid"]
    assert [one.transposed for one in found.matches[:2]] == [5, 0]
    assert [one.distance for one in found.matches[:2]] == pytest.approx([0, 0], abs=0.02)
    assert found.matches[2].distance > 0.05
    assert (found.files, found.encoded) == (7, 7)
    # All windows of a part are in the whole, but not the other way round.
    part = musicae.similar(album / "part.mid", album, 2, preset=tiny)
    assert {one.path.name for one in part.matches} == {"moved.mid", "twinkle.mid"}
    assert [one.distance for one in part.matches] == pytest.approx([0, 0], abs=0.02)


def test_the_file_itself_is_left_out(album: Path, tiny: Codec) -> None:
    found = musicae.similar(str(album / "twinkle.mid"), str(album), 10, preset=tiny)
    assert len(found.matches) == 6
    assert "twinkle.mid" not in [one.path.name for one in found.matches]
    distances = [one.distance for one in found.matches]
    assert distances == sorted(distances)


def test_streams_samples_and_options(album: Path, tiny: Codec) -> None:
    stream = io.BytesIO((album / "twinkle.mid").read_bytes())
    assert musicae.similar(stream, album, 1, preset=tiny).matches[0].distance < 0.02
    sample = tiny.adapter.read(album / "twinkle.mid")
    assert musicae.similar(sample, album, 1, preset=tiny).matches[0].path.name == "twinkle.mid"
    # Twenty semitones and more up, some keys are out of reach.
    far = musicae.similar(album / "twinkle.mid", album, 1, preset=tiny, transpose=24)
    assert far.matches[0].path.name in ("moved.mid", "twinkle.mid", "part.mid", "ode-to-joy.mid", "saints.mid")


def test_pictures_and_drums_have_no_keys(tmp_path: Path, data: Path, digits: Codec, tiny_drums: Path) -> None:
    for name in ("three.png", "seven.png", "rock.mid", "bossa.mid"):
        shutil.copy(data / name, tmp_path)
    found = musicae.similar(data / "three.png", tmp_path, preset=digits)
    assert [(one.path.name, one.transposed) for one in found.matches] == [("three.png", 0), ("seven.png", 0)]
    found = musicae.similar(data / "rock.mid", tmp_path, preset=codecs.load(str(tiny_drums)))
    assert [(one.path.name, one.transposed) for one in found.matches] == [("rock.mid", 0), ("bossa.mid", 0)]


def test_nothing_to_compare_with(tmp_path: Path, album: Path, tiny: Codec) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(album / "twinkle.mid", alone)
    with pytest.raises(MusicaeError, match="has no other file to compare with"):
        musicae.similar(alone / "twinkle.mid", alone, preset=tiny)
    with pytest.raises(MusicaeError, match="the number of results must be between 1 and 1000"):
        musicae.similar(album / "twinkle.mid", album, 0, preset=tiny)
