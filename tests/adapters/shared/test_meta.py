"""What a sample of notes keeps beside its tensor: mixed, joined, and completed for writing."""

import numpy as np
import pytest
import torch

from musicae.adapters.shared import meta
from musicae.core import Sample
from musicae.errors import MusicaeError


def test_a_mix_averages_tempo_geometrically_and_keeps_the_heaviest():
    slow, fast = meta.blank("A", 40), meta.blank("B", 73)
    slow |= {"tempos": [[0, 50.0]], "velocities": [100, 0, 60]}
    fast |= {"tempos": [[0, 200.0]], "velocities": [50, 90]}
    even = meta.mix([slow, fast], [0.5, 0.5])
    assert even["tempos"] == [[0, pytest.approx(100.0)]]
    assert (even["track"], even["programs"]) == ("A", [[0, 40]])
    assert even["velocities"] == [75, 90, 60]
    assert meta.mix([slow, fast], [0.4, 0.6])["track"] == "B"
    assert meta.mix([slow, fast], [0.0, 1.0]) == fast


def test_the_average_tempo_weighs_each_by_its_length():
    known = meta.blank("A") | {"tempos": [[0, 50.0], [8, 200.0]], "velocities": [80] * 16}
    assert meta.mix([known, known], [0.5, 0.5])["tempos"] == [[0, pytest.approx(100.0)]]


def part(length: int, rows: int = 1, **more: object) -> Sample:
    return Sample(torch.zeros(rows, length), meta.blank("A") | more)


def test_maps_are_joined_at_their_places_without_repeats():
    joined = meta.concat([part(16, tempos=[[0, 90.0], [8, 60.0]]), part(16, tempos=[[0, 60.0]], keys=[[0, 2, 0]])], 4)
    assert joined["tempos"] == [[0, 90.0], [8, 60.0]]
    assert (joined["meters"], joined["keys"], joined["velocities"]) == ([[0, 4, 4]], [[16, 2, 0]], [])


@pytest.mark.parametrize(("steps_per_beat", "length", "whole"), [(4, 24, True), (4, 32, False), (6, 36, True)])
def test_a_part_that_ends_inside_a_bar_begins_a_new_one(steps_per_beat, length, whole):
    waltz = part(length, meters=[[0, 3, 4]])
    joined = meta.concat([waltz, waltz], steps_per_beat)
    assert joined["meters"] == ([[0, 3, 4]] if whole else [[0, 3, 4], [length, 3, 4]])


def test_velocities_of_lanes_are_joined_lane_by_lane():
    known, unknown = part(2, 2, velocities=[[1, 2], [3, 4]]), part(1, 2)
    assert meta.concat([known, unknown, known], 4)["velocities"] == [[1, 2, 0, 1, 2], [3, 4, 0, 3, 4]]


def test_unknown_velocities_follow_bar_and_beat():
    loud = meta.velocities(meta.blank("A") | {"meters": [[0, 3, 4]]}, 1, 24, 4)
    assert loud.tolist() == [[86, 78, 78, 78, 82, 78, 78, 78, 82, 78, 78, 78] * 2]
    some = meta.velocities(meta.blank("A") | {"velocities": [0, 100, 0]}, 1, 4, 4)
    assert some.tolist() == [[106, 100, 98, 98]]
    assert np.all(meta.velocities(meta.blank("A") | {"velocities": [127] * 4}, 2, 8, 4) <= 127)


def test_a_meta_from_a_file_of_codes_is_checked():
    good = {"tempos": [[0, 90.5], [7, 600]], "track": "Flute", "velocities": [0, 90], "other": object}
    made = meta.check(good, 0, meta.blank("Melody"))
    assert made == {**meta.blank("Melody"), **{key: good[key] for key in ("tempos", "track", "velocities")}}
    assert meta.check({"velocities": [[1, 2]] * 9}, 9, meta.blank("Drums"))["velocities"] == [[1, 2]] * 9


@pytest.mark.parametrize("rows", [0, 9])
@pytest.mark.parametrize(
    "wrong",
    [
        {"tempos": []},
        {"tempos": [[0, 0.0]]},
        {"tempos": [[0, float("nan")]]},
        {"tempos": [[0, float("inf")]]},
        {"tempos": [[1, 120.0]]},
        {"tempos": [[0, 120.0, 3]]},
        {"tempos": [[0, 120.0], [0, 90.0]]},
        {"tempos": [[0, 120.0], [2**40, 90.0]]},
        {"tempos": {"0": 120.0}},
        {"meters": [[0, 4, 0]]},
        {"meters": [[0, 4, 3]]},
        {"meters": [[0, 0, 4]]},
        {"meters": None},
        {"programs": [[0, 128]]},
        {"programs": [[0.5, 1]]},
        {"keys": [[0, 8, 0]]},
        {"keys": [[3, 0, 0], [1, 0, 0]]},
        {"track": 3},
        {"track": "x" * 200_000},
        {"track": "\ud800"},
        {"encoding": "rot13"},
        {"encoding": "zip"},
        {"encoding": 8},
        {"source": None},
        {"velocities": [128]},
        {"velocities": [[1], [1, 2]]},
        {"velocities": [[1, 2]] * 8 + [[1]]},
        {"velocities": "loud"},
    ],
    ids=str,
)
def test_a_meta_out_of_range_is_one_line(wrong, rows):
    with pytest.raises(MusicaeError, match=r"^its meta is damaged: [^\n]+$"):
        meta.check(wrong, rows, meta.blank("Melody"))


def test_swing_is_mixed_by_steps_and_joined_as_a_map():
    late, even = ({**meta.blank_band({}), "swing": [[0, ratio]], "length": 16} for ratio in (2.0, 1.0))
    half = late | {"swing": [[0, 2.0], [8, 0.5]]}
    assert meta.mix([late, even], [0.25, 0.75])["swing"] == [[0, pytest.approx(2**0.25)]]
    assert meta.mix([half, half], [0.5, 0.5])["swing"] == [[0, pytest.approx(1.0)]]
    assert meta.mix([meta.blank("A"), meta.blank("B")], [0.5, 0.5])["swing"] == [[0, 1.0]]
    without = {name: value for name, value in meta.blank("A").items() if name != "swing"}
    assert "swing" not in meta.mix([without, meta.blank("B")], [0.5, 0.5])
    samples = [Sample(torch.zeros(1, 16), one) for one in (late, late, even)]
    assert meta.concat(samples, 4)["swing"] == [[0, 2.0], [32, 1.0]]
