"""One place between inputs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor

from musicae import codec as codecs
from musicae import interpolate
from musicae.codec import Codec
from musicae.core import Prior, Sample
from musicae.errors import MusicaeError
from musicae.ops.corners import Corner, encoded
from musicae.ops.point import Pad
from musicae.ops.walk import between


class Bent(Prior):
    """Noise and codes are one another's cubes, and the way back is not quite exact."""

    active_size = 8

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def to_noise(self, z: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        return z.sign() * z.abs() ** (1 / 3)

    def from_noise(self, noise: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
        self.asked += len(noise)
        return 1.01 * noise**3


@pytest.fixture
def bent(tiny: Codec) -> Codec:
    return dataclasses.replace(tiny, prior=Bent())


def corners(codec: Codec, count: int, windows: int = 1) -> list[Corner]:
    codes = torch.randn(count, windows, codec.model.latent_size, generator=torch.Generator().manual_seed(3))
    decoded = [codec.join(codec.decode(z), None, None) for z in codes]
    return [
        Corner(Sample(x, codec.adapter.blank()), f"draw {i}", None, z[:1])
        for i, (x, z) in enumerate(zip(decoded, codes, strict=True))
    ]


@pytest.mark.parametrize("count", [2, 4])
def test_at_a_corner_is_what_the_codec_makes_of_it(bent: Codec, count: int) -> None:
    pad = Pad(encoded(bent, corners(bent, count)))
    for i, (x, y) in enumerate([(0, 0), (1, 0), (0, 1), (1, 1)][:count]):
        place = pad.at(x, y)
        torch.testing.assert_close(place.codes, pad.corners.codes[i])
        made = pad.sample(place, pad.windows(place))
        assert torch.equal(made.tensor, pad.ends[i])
        assert pad.distances(made)[i] == 0
        assert place.weights[i] == 1


def test_along_a_line_it_is_where_a_walk_goes(bent: Codec) -> None:
    pad = Pad(encoded(bent, corners(bent, 2)))
    a, b = pad.corners.codes
    for x in (0.125, 0.3, 0.77):
        expected = between(bent, a, b, torch.linspace(0, 1, 101), True)[round(100 * x)]
        if x == 0.125:
            torch.testing.assert_close(pad.at(x).codes, between(bent, a, b, torch.tensor([0, 0.125, 1]), True)[1])
        else:
            torch.testing.assert_close(pad.at(x).codes, expected)
        assert torch.equal(pad.at(x, 0.9).codes, pad.at(x, 0).codes)


def test_in_a_square_it_is_what_a_grid_has(tiny: Codec) -> None:
    samples = [corner.sample for corner in corners(tiny, 4)]
    grid = interpolate(*samples, preset=tiny, steps=5, grid=True)
    pad = Pad(encoded(tiny, [Corner(sample, "x") for sample in samples]))
    for row in range(5):
        for column in range(5):
            place = pad.at(column / 4, row / 4)
            assert torch.equal(pad.sample(place, pad.windows(place)).tensor, grid.parts[5 * row + column].tensor)


def test_the_prior_is_followed_once_for_each_knot(bent: Codec) -> None:
    pad = Pad(encoded(bent, corners(bent, 4)))
    assert isinstance(bent.prior, Bent)
    bent.prior.asked = 0
    for step in range(10):
        pad.at(0.26 + step / 100, 0.3)
    assert bent.prior.asked == 4
    pad.at(0.4, 0.3)  # The next cell has two knots more.
    assert bent.prior.asked == 6


@pytest.mark.parametrize(("count", "knots"), [(2, 9), (4, 81)])
def test_a_pad_that_is_prepared_asks_the_prior_no_more(bent: Codec, count: int, knots: int) -> None:
    pad, fresh = (Pad(encoded(bent, corners(bent, count))) for _ in range(2))
    assert isinstance(bent.prior, Bent)
    bent.prior.asked = 0
    pad.prepare()
    assert bent.prior.asked == knots
    place = pad.at(0.33, 0.71)
    assert bent.prior.asked == knots
    torch.testing.assert_close(place.codes, fresh.at(0.33, 0.71).codes)


def test_conditions_and_labels_are_in_between(classes: Codec) -> None:
    made = []
    for label in (3, 7):
        cond = classes.label_conditions(torch.tensor([label]))
        code = classes.draw(1, label, cond=cond)
        made.append(Corner(Sample(classes.decode(code, cond=cond)[0], classes.adapter.blank()), "x", label, code))
    place = Pad(encoded(classes, made)).at(0.25)
    assert place.cond is not None
    assert place.cond[0, 3] == 0.75
    assert place.cond[0, 7] == 0.25


def test_parts_stay_those_of_the_first_corner(tiny_arrangement: Path, data: Path) -> None:
    codec = codecs.load(str(tiny_arrangement))
    samples = [codec.adapter.read(data / name, bars="1-4") for name in ("saints.mid", "korobeiniki.mid")]
    pad = Pad(encoded(codec, [Corner(sample, "x") for sample in samples], keep=["melody"]))
    place = pad.at(0.9)
    made = pad.sample(place, pad.windows(place))
    melody = codec.spec.parts["melody"]
    assert torch.equal(made.tensor[melody], pad.corners.samples[0].tensor[melody])
    assert made.cond is not None


def test_temperature_draws_and_a_seed_repeats(tiny: Codec) -> None:
    pad = Pad(encoded(tiny, corners(tiny, 2, 4)))
    place = pad.at(0.5)
    assert torch.equal(pad.windows(place, 1.0, 5), pad.windows(place, 1.0, 5))
    assert not torch.equal(pad.windows(place, 1.0, 5), pad.windows(place, 1.0, 6))
    with pytest.raises(MusicaeError, match="temperature"):
        pad.windows(place, -1)


def test_real_values_are_at_distances_up_to_one(digits: Codec) -> None:
    pad = Pad(encoded(digits, corners(digits, 4)))
    found = pad.distances(Sample(pad.ends[2], digits.adapter.blank()))
    assert found[2] == 0
    assert max(found) <= 1


def test_corners_with_notes_in_common_are_not_wholly_unlike(tiny_arrangement: Path) -> None:
    band = codecs.load(str(tiny_arrangement))
    blank = band.adapter.blank()
    pad = Pad(encoded(band, corners(band, 2)))
    notes = [pad.ends[0], pad.ends[0].clone()]
    half = notes[0].shape[-1] // 2
    notes[1][:, half:] = band.likelihood.blank(len(notes[1])).view(-1, 1)
    notes[0][0, half:] = 1 - notes[0][0, half:]  # Now they differ, and are alike in the first half.
    pad.ends = notes
    (same, other) = pad.distances(Sample(notes[0], blank))
    assert same == 0
    assert 0 < other <= 0.5


def test_three_corners_are_refused_and_the_size_is_told(tiny: Codec) -> None:
    made = encoded(tiny, corners(tiny, 3))
    with pytest.raises(MusicaeError, match="2 or 4 corners, not 3"):
        Pad(made)
    assert Pad(encoded(tiny, corners(tiny, 2))).size > 2 * 90 * 32 * 4
