"""The drums of a file, note by note."""

import io

import numpy as np
import pytest

from musicae.adapters.groove import Groove
from musicae.errors import MusicaeError
from musicae.formats.music.drum_track import DrumTrack
from musicae.tensors.groove import HITS, OFFSETS, VELOCITIES

TUNE = {"notes": [(i, 0.9, 60 + i % 5) for i in range(16)], "name": "Tune"}
BEAT = [(i / 2, 0.1, 36 if i % 4 == 0 else 42, 80) for i in range(32)]


def kit(notes):
    return {"notes": notes, "channel": 9, "name": "Kit"}


def late(track, offset=0.1, loud=0.5):
    made = track.groove.copy()
    made[OFFSETS], made[VELOCITIES] = offset * made[HITS], loud * made[HITS]
    return made


def test_the_groove_is_that_which_the_adapter_reads(make_midi):
    file = make_midi(TUNE, kit([(start + 0.02 * (i % 3), *rest) for i, (start, *rest) in enumerate(BEAT)]))
    track = DrumTrack.read(file, None, None, 4)
    assert np.allclose(track.groove, Groove().read(file).tensor.numpy())
    assert np.allclose(DrumTrack.read(io.BytesIO(file.read_bytes()), None, None, 4).groove, track.groove)


@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0])
def test_timing_and_loudness_are_put_into_the_file(make_midi, amount):
    track = DrumTrack.read(make_midi(TUNE, kit(BEAT)), None, None, 4)
    again = Groove().read(io.BytesIO(track.with_groove(late(track), amount))).tensor.numpy()
    struck = again[HITS] > 0
    assert (struck == (track.groove[HITS] > 0)).all()
    assert np.allclose(again[OFFSETS][struck], 0.1 * amount, atol=0.5 / 120)
    assert np.allclose(again[VELOCITIES][struck] * 127, 80 + amount * (63.5 - 80), atol=0.51)


def test_rolls_and_triplets_stay_apart(make_midi):
    roll = [(0, 0.1, 38, 100), (0.125, 0.1, 38, 60), (1, 0.1, 38, 90), (4 / 3, 0.1, 38, 90), (5 / 3, 0.1, 38, 90)]
    track = DrumTrack.read(make_midi(kit([*roll, *BEAT])), None, None, 4)
    made = track.with_groove(late(track), 1.0)
    again = DrumTrack.read(io.BytesIO(made), None, None, 4)
    shift = np.sort(again.place[again.row == 1]) - np.sort(track.place[track.row == 1])
    assert np.allclose(shift, 0.1, atol=0.02)


def test_what_swings_goes_on_swinging(make_midi):
    beats = [(i + part, 0.1, 42) for i in range(16) for part in (0, 2 / 3)]
    track = DrumTrack.read(make_midi(kit(beats)), None, None, 4)
    assert track.grid.swing == [[0, 2.0]]
    assert np.abs(track.groove[OFFSETS]).max() < 0.05
    made = late(track, 0.0)
    again = DrumTrack.read(io.BytesIO(track.with_groove(made, 1.0)), None, None, 4)
    assert np.allclose(np.sort(again.place), np.sort(track.place), atol=0.02)


def test_only_the_chosen_bars_are_moved(make_midi):
    track = DrumTrack.read(make_midi(kit(BEAT)), None, "2", 4)
    again = Groove().read(io.BytesIO(track.with_groove(late(track), 1.0))).tensor
    assert again[OFFSETS][:, 16:32].sum() > 0.5
    assert again[OFFSETS][:, :16].count_nonzero() == 0


def test_files_without_drums_are_refused(make_midi):
    with pytest.raises(MusicaeError, match=r"song\.mid: it has no drums"):
        DrumTrack.read(make_midi(TUNE), None, None, 4)
    with pytest.raises(MusicaeError, match="no General MIDI percussion"):
        DrumTrack.read(make_midi(kit([(0, 1, 100), (1, 1, 101)])), None, None, 4)
