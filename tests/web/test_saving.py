"""What the page saves."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from musicae import interpolate
from musicae.errors import MusicaeError
from musicae.formats.music.synth_pool import SynthPool
from musicae.ops import codes
from musicae.web.asked import Point
from musicae.web.saving import save_point, save_walk
from musicae.web.sounds import Sounds
from musicae.web.studio import Studio


@pytest.fixture(scope="module")
def sounds(synths: SynthPool) -> Sounds:
    return Sounds(synths, 1)


def ask(preset: str, *corners: str, **more: Any) -> Point:
    return Point(preset, [*corners] or ["draw:1", "draw:2"], **more)


def test_a_walk_is_that_of_interpolate(studio: Studio, sounds: Sounds, data: Path, tmp_path: Path) -> None:
    files = [data / "rock.mid", data / "bossa.mid"]
    keys = [studio.add(file.read_bytes(), file.name, "drums-2bar", {})[0] for file in files]
    saved = save_walk(studio, sounds, ask("drums-2bar", *keys), "mid", 4)
    assert saved.name == "drums-2bar-rock-bossa-walk.mid"
    interpolate(*files, preset="drums-2bar", steps=4).save(tmp_path / "walk.mid")
    codec = studio.catalog.codec("drums-2bar")
    ours, theirs = (codec.adapter.read(file) for file in (io.BytesIO(saved.data), tmp_path / "walk.mid"))
    assert ours.tensor.equal(theirs.tensor)


def test_parts_attributes_and_tempo_hold_all_the_way(studio: Studio, sounds: Sounds) -> None:
    codec = studio.catalog.codec("band-2bar")
    plain, changed = (
        codec.adapter.read(io.BytesIO(save_walk(studio, sounds, ask("band-2bar", **more), "mid", 3).data))
        for more in ({}, {"lock": ["melody"], "shift": {"drums.density": 1.5}, "tempo": 88})
    )
    assert changed.meta["tempos"][0][1] == pytest.approx(88, abs=0.01)
    drums = codec.spec.parts["drums"]
    assert changed.tensor[drums].sum() > plain.tensor[drums].sum()
    melody = changed.tensor[codec.spec.parts["melody"]]
    assert melody[:, :32].equal(melody[:, 64:96])


def test_codes_are_those_of_the_place_or_of_what_was_made_of_it(studio: Studio, sounds: Sounds, tmp_path: Path) -> None:
    for more in ({}, {"shift": {"density": 1.0}}):
        saved = save_point(studio, sounds, ask("melody-2bar", x=0.4, **more), "npz")
        (tmp_path / "a.npz").write_bytes(saved.data)
        arrays = codes.load(tmp_path / "a.npz")
        found = studio.find(ask("melody-2bar", x=0.4, **more))
        assert (arrays["mean"] == found.place.codes.numpy()).all() == (not more)
        assert str(arrays["preset"]) == "melody-2bar"
        assert len(codes.decode(arrays)) == 1


def test_pictures_and_sounds_are_saved_as_they_are(studio: Studio, sounds: Sounds) -> None:
    picture = save_point(studio, sounds, ask("tiny-digits"), "png")
    assert Image.open(io.BytesIO(picture.data)).size == (28, 28)
    assert picture.kind == "image/png"
    assert Image.open(io.BytesIO(save_walk(studio, sounds, ask("tiny-digits"), "png", 5).data)).width > 5 * 28
    assert save_point(studio, sounds, ask("tiny-drum"), "wav").data.startswith(b"RIFF")
    with pytest.raises(MusicaeError, match="saved as npz, png, not as 'mid'"):
        save_point(studio, sounds, ask("tiny-digits"), "mid")
    with pytest.raises(MusicaeError, match="saved as npz, png, wav, not as 'mid'"):
        save_point(studio, sounds, ask("tiny-drum"), "mid")


@pytest.mark.parametrize("steps", [0, 1, 34])
def test_a_walk_has_a_few_steps(studio: Studio, sounds: Sounds, steps: int) -> None:
    with pytest.raises(MusicaeError, match="2 to 33 steps"):
        save_walk(studio, sounds, ask("tiny-digits"), "png", steps)
