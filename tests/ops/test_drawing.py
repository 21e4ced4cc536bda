"""Pictures and sound of samples of every kind."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import soundfile
from PIL import Image

import musicae
from musicae import codec
from musicae.core import Adapter
from musicae.errors import MusicaeError
from musicae.ops.drawing import draw, sound


@pytest.mark.parametrize("kind", ["tiny_melody", "tiny_drums", "tiny_arrangement", "tiny_digits", "tiny_drum"])
def test_every_kind_is_drawn_as_one_png(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    made = codec.load(str(request.getfixturevalue(kind)))
    samples = musicae.sample(made, 4)
    stream = io.BytesIO()
    draw(made.adapter, samples, stream, columns=2)
    draw(made.adapter, samples[:1], tmp_path / "one.png")
    with Image.open(stream) as several, Image.open(tmp_path / "one.png") as one:
        assert several.format == one.format == "PNG"
        assert several.size[0] > one.size[0]
        assert several.size[1] > one.size[1]


def test_what_has_neither_notes_nor_a_picture_is_refused(
    tiny_melody: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = codec.load(str(tiny_melody))
    monkeypatch.setattr(type(made.adapter), "rolls", Adapter.rolls)
    with pytest.raises(MusicaeError, match="the output of this preset cannot be drawn"):
        draw(made.adapter, musicae.sample(made), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_sound_is_of_all_samples_one_after_another(tiny_drum: Path, tmp_path: Path) -> None:
    made = codec.load(str(tiny_drum))
    samples = musicae.sample(made, 3)
    sound(made.adapter, samples, tmp_path / "all.wav")
    sound(made.adapter, samples[:1], tmp_path / "one.wav")
    lengths = [soundfile.info(tmp_path / name).frames for name in ("one.wav", "all.wav")]
    assert lengths[1] > 2 * lengths[0] > 0
