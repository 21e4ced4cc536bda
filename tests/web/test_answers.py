"""What the page is answered."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from musicae.web import answers
from musicae.web.asked import Point
from musicae.web.studio import Studio


def test_notes_have_velocities_lanes_and_chords(studio: Studio) -> None:
    found = answers.point(studio.find(Point("tiny-arrangement", ["draw:1", "draw:2"], chords="C | G7")))
    assert found["beats_per_bar"] == 4
    assert found["chords"] == [[0, "C"], [16, "G7"]]
    drums = next(roll for roll in found["rolls"] if roll["part"] == "drums")
    assert drums["drums"]
    assert len(drums["lanes"]) == 9
    for roll in found["rolls"]:
        for start, length, pitch, velocity in roll["notes"]:
            assert 0 <= start < found["length"]
            assert length > 0
            assert 0 <= pitch <= 127
            assert 0 <= velocity <= 127


def test_a_picture_is_what_is_written(studio: Studio) -> None:
    found = studio.find(Point("tiny-digits", ["draw:1", "draw:2"]))
    picture = Image.open(io.BytesIO(base64.b64decode(answers.point(found)["picture"]["png"])))
    values = torch.from_numpy(np.array(picture)) / 255
    torch.testing.assert_close(values, found.sample.tensor[0], atol=0.003, rtol=0)


def test_a_sound_has_the_level_of_its_loudest_band(studio: Studio) -> None:
    found = answers.point(studio.find(Point("tiny-drum", ["draw:1", "draw:2"])))
    assert found["wave"]["seconds"] == pytest.approx(32 * 64 / 8000)
    low, high = zip(*found["wave"]["peaks"], strict=True)
    assert max(high) == 1
    assert min(low) == -1
    assert base64.b64decode(found["spectrogram"]["png"]).startswith(b"\x89PNG")


def test_spectrograms_are_small(studio: Studio) -> None:
    found = answers.point(studio.find(Point("sound", ["draw:1", "draw:2"])))
    picture = Image.open(io.BytesIO(base64.b64decode(found["spectrogram"]["png"])))
    assert picture.width <= 256
    assert picture.height <= 128
    assert len(found["wave"]["peaks"]) == 400
