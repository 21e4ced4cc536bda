"""Steps, bars, tempo and meter of a score."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from symusic.core import NoteTick, ScoreTick, TextMetaTick, TimeSignatureTick, TrackTick

from musicae.errors import MusicaeError
from musicae.formats.music import midi
from musicae.formats.music import parts as score_parts
from musicae.formats.music.bar_grid import (
    END,
    START,
    Grid,
    Meters,
    build_grid,
    mark_swing,
    parse_bars,
    place,
    with_swing,
    without_repeated_meters,
    without_repeats,
)

SCALE = [(i, 1, 60 + i) for i in range(8)]


def grid_of(path: Path, **options: object) -> Grid:
    score, tracks, *_ = midi.load(path)
    notes = score_parts.parts(tracks)[0].notes()
    settings = {"bars": None, "steps_per_beat": 4, "window": 32} | options
    return build_grid(score, notes.start, notes.end, **settings)


def test_bars_follow_meter_changes(make_midi):
    notes = [(0, 1, 60), (3, 1, 62), (6, 1, 64), (11.5, 0.5, 65)]
    grid = grid_of(make_midi({"notes": notes}, meters=[(0, 3, 4), (6, 2, 4), (10, 6, 8)]))
    assert grid.meters == [[0, 3, 4], [24, 2, 4], [40, 6, 8]]
    assert grid.length == 2 * 12 + 2 * 8 + 12
    assert grid.steps(np.array([0, 3 * 480, 6 * 480 + 60, 6 * 480 + 59])).tolist() == [0, 12, 25, 24]


@pytest.mark.parametrize(
    ("meter", "hop"),
    [((4, 4), 32), ((3, 4), 24), ((2, 4), 32), ((6, 8), 24), ((5, 4), 20), ((9, 4), 32), ((7, 16), 28)],
)
def test_the_hop_is_the_whole_bars_that_fit_in_a_window(meter, hop, make_midi):
    assert grid_of(make_midi({"notes": SCALE}, meters=[(0, *meter)])).hop == hop


def test_bars_are_chosen_as_the_file_numbers_them(make_midi):
    path = make_midi({"notes": [(4 * bar, 1, 60) for bar in range(8)]}, meters=[(0, 4, 4)])
    assert (grid_of(path, bars="3-4").start, grid_of(path, bars="3-4").length) == (2 * 4 * 480, 32)
    assert grid_of(path, bars=" 8 ").length == 16
    for bad in ("9", "2-9"):
        with pytest.raises(MusicaeError, match="the notes end in bar 8"):
            grid_of(path, bars=bad)
    for bad in ("", "x", "4-2", "0-2", "1-2-3", "-3", "1,2"):
        with pytest.raises(MusicaeError, match="write 5-8 or 3"):
            grid_of(path, bars=bad)


def test_a_whole_first_bar_of_another_kind_is_no_pickup(make_midi):
    grid = grid_of(make_midi({"notes": [(0, 3, 60), (3, 4, 62)]}, meters=[(0, 6, 8), (3, 4, 4)]))
    assert (grid.start, grid.meters) == (0, [[0, 6, 8], [12, 4, 4]])


@pytest.mark.parametrize(("first", "second"), [((1, 4), (4, 4)), ((4, 4), (4, 4))])
def test_a_pickup_keeps_its_place_before_the_bar_line(first, second, make_midi):
    grid = grid_of(make_midi({"notes": [(0, 1, 60), (1, 4, 62)]}, meters=[(0, *first), (1, *second)]))
    assert (grid.start, grid.length, grid.meters) == (-3 * 480, 32, [[0, 4, 4]])


def test_tempos_outside_reason_are_moved_into_it(make_midi):
    grid = grid_of(make_midi({"notes": SCALE}, tempos=[(0, 0), (2, 500_000), (4, 16_000_000)]))
    assert grid.tempos == [[0, 3000.0], [8, 120.0], [16, 3.75]]
    assert any("tempo" in remark for remark in grid.remarks)


def test_the_tempo_in_force_at_the_first_bar_is_kept(make_midi):
    path = make_midi({"notes": [(8, 1, 60), (12, 1, 62)]}, tempos=[(0, 600_000), (4, 400_000), (13, 300_000)])
    assert grid_of(path).tempos == [[0, 150.0], [20, 200.0]]
    assert any("2 empty bar(s)" in remark for remark in grid_of(path).remarks)


def test_a_tempo_changes_with_its_note_after_a_pick_up(make_midi):
    notes = [(0, 1, 60), (1, 4, 62), (5, 4, 64)]
    path = make_midi({"notes": notes}, meters=[(0, 1, 4), (1, 4, 4)], tempos=[(0, 600_000), (5, 300_000)])
    grid = grid_of(path)
    assert grid.steps(np.array([0, 480, 5 * 480])).tolist() == [12, 16, 32]
    assert grid.tempos == [[0, 100.0], [32, 200.0]]


def test_a_tempo_changes_with_its_note_where_the_beats_are_moved(make_midi):
    # Bars of four quarters, an eighth late.
    tracks = [
        [(4 * bar + 0.5 + i * n, n, low + i) for bar in range(8) for i in range(int(4 / n))]
        for low, n in ((60, 0.5), (40, 4))
    ]
    path = make_midi(*({"notes": notes} for notes in tracks), tempos=[(0, 500_000), (16.5, 250_000)])
    score, available, *_ = midi.load(path)
    spans = [part.span() for part in score_parts.parts(available)]
    grid = build_grid(score, *spans[0], bars=None, steps_per_beat=4, window=32, tracks=spans)
    assert (grid.start, grid.steps(np.array([16.5 * 480])).tolist()) == (240, [64])
    assert grid.tempos == [[0, 120.0], [64, 240.0]]


def test_time_signatures_that_make_no_sense_are_left_out(make_midi):
    path = make_midi({"notes": SCALE}, meters=[(0, 3, 4)])
    data = path.read_bytes().replace(b"\xff\x58\x04\x03\x02", b"\xff\x58\x04\x00\x02")
    path.write_bytes(data)
    assert grid_of(path).meters == [[0, 4, 4]]
    assert any("time signature" in remark for remark in grid_of(path).remarks)


def test_endless_files_are_refused_but_their_first_bars_are_read(make_midi):
    path = make_midi({"notes": [(0, 1, 60), (4_000_000, 1, 60)]}, tpq=24)
    with pytest.raises(MusicaeError, match="--bars"):
        grid_of(path)
    assert grid_of(path, bars="1-2").length == 32


def test_bars_of_one_beat_in_a_row_are_taken_as_four_four(make_midi):
    assert grid_of(make_midi({"notes": SCALE}, meters=[(0, 1, 4)])).meters == [[0, 4, 4]]


def test_a_meter_that_cuts_a_bar_short_is_kept(make_midi):
    grid = grid_of(make_midi({"notes": [(0, 12, 60)]}, meters=[(0, 4, 4), (4, 4, 4), (6, 4, 4)]))
    assert (grid.length, grid.meters) == (16 + 8 + 32, [[0, 4, 4], [24, 4, 4]])
    assert without_repeated_meters([[0, 7, 32], [11, 7, 32], [21, 7, 32], [25, 4, 4]], 4) == [[0, 7, 32], [25, 4, 4]]


def test_entries_that_repeat_the_one_before_are_left_out():
    assert without_repeats([[0, 3, 4], [12, 3, 4], [24, 4, 4]]) == [[0, 3, 4], [24, 4, 4]]
    assert without_repeats({8: [90.0], 0: [120.0], 4: [120.0]}) == [[0, 120.0], [8, 90.0]]


# --- for any meter and any steps in a beat -------------------------------------------------------------------------

ANY = settings(max_examples=80, deadline=None, derandomize=True, database=None)
METERS = st.tuples(st.integers(1, 12), st.sampled_from([1, 2, 4, 8, 16, 32]))
SIGNATURES = st.lists(st.tuples(st.integers(0, 40_000), METERS), max_size=4).map(
    lambda changes: [(tick, *meter) for tick, meter in sorted(dict(changes).items())]
)


@ANY
@given(SIGNATURES, st.sampled_from([24, 96, 97, 480]), st.integers(0, 200), st.floats(0, 0.999))
def test_a_tick_within_a_bar_is_in_that_bar(signatures, ticks_per_quarter, bar, share):
    meters = Meters(signatures, ticks_per_quarter)
    start, end = meters.tick(bar), meters.tick(bar + 1)
    assert start < end
    assert meters.bar(start) == bar
    assert meters.bar(start + share * (end - start)) == bar


@ANY
@given(st.integers(1, 999), st.integers(0, 999))
def test_a_range_of_bars_is_read_as_it_is_written(first, more):
    assert parse_bars(f"{first}-{first + more}") == (first, first + more)
    assert parse_bars(first) == parse_bars(f" {first} ") == (first, first)


def score_of(onsets, ticks_per_quarter, signatures) -> ScoreTick:
    score = ScoreTick(ticks_per_quarter)
    for tick, n, d in signatures:
        score.time_signatures.append(TimeSignatureTick(tick, n, d))
    track = TrackTick("a", 0, False)
    for tick in onsets:
        track.notes.append(NoteTick(tick, 30, 60, 80))
    score.tracks.append(track)
    return score


@ANY
@given(
    st.lists(st.integers(0, 60_000), min_size=1, max_size=30, unique=True).map(sorted),
    st.sampled_from([96, 97, 480]),
    st.lists(st.tuples(st.integers(0, 100), METERS), max_size=4),
    st.integers(1, 24),
    st.integers(1, 4),
)
def test_a_grid_holds_every_note_on_its_nearest_step(onsets, ticks_per_quarter, changes, steps_per_beat, bars):
    start, window = np.array(onsets), bars * 4 * steps_per_beat
    signatures = [(beat * ticks_per_quarter, *meter) for beat, meter in sorted(dict(changes).items())]
    score = score_of(onsets, ticks_per_quarter, signatures)
    grid = build_grid(score, start, start + 30, bars=None, steps_per_beat=steps_per_beat, window=window)
    assert grid.step == ticks_per_quarter / steps_per_beat
    steps = grid.steps(start)
    assert steps.min() >= 0
    # Where bar lines lie between steps, the last note may be rounded to the end.
    assert steps.max() < grid.length + any(4 * n * steps_per_beat % d for _, n, d in signatures)
    assert np.abs(grid.start + steps * grid.step - start).max() <= grid.step / 2 + 1e-6
    places = np.arange(grid.length)
    assert np.array_equal(grid.steps(grid.start + places * grid.step), places)
    assert 1 <= grid.hop <= window
    for entries in (grid.tempos, grid.meters):
        at = [entry[0] for entry in entries]
        assert at == sorted(set(at))
        assert at[0] == 0
        assert at[-1] < grid.length


@ANY
@given(METERS, st.integers(1, 12), st.integers(0, 20), st.integers(1, 5))
def test_chosen_bars_are_as_long_as_the_meter_says(meter, steps_per_beat, first, count):
    n, d = meter
    bar = 96 * 4 * n / d
    ends = [0, math.ceil((first + count) * bar) - 1]
    score = score_of(ends, 96, [(0, n, d)])
    if bar < 96 / steps_per_beat or meter == (1, 4):  # Too short for a step, or taken four at a time.
        return
    start = np.array(ends)
    grid = build_grid(
        score, start, start + 1, bars=f"{first + 1}-{first + count}", steps_per_beat=steps_per_beat, window=32
    )
    assert grid.start == first * bar
    assert abs(grid.length * grid.step - count * bar) <= grid.step / 2 + 1e-6
    assert grid.meters == [[0, n, d]]


def test_markers_say_where_an_excerpt_begins_and_ends(make_midi):
    from symusic.core import TextMetaTick

    score, tracks, *_ = midi.load(make_midi({"notes": [(8, 1, 60)]}))
    notes = score_parts.parts(tracks)[0].notes()
    settings = {"bars": None, "steps_per_beat": 4, "window": 32}
    assert build_grid(score, notes.start, notes.end, **settings).length == 16
    score.markers.append(TextMetaTick(2 * 480, START))
    score.markers.append(TextMetaTick(20 * 480, END))
    grid = build_grid(score, notes.start, notes.end, **settings)
    assert (grid.start, grid.length, grid.remarks) == (960.0, 18 * 4, [])


def test_the_meters_of_what_is_marked_are_as_it_says(make_midi):
    from symusic.core import TextMetaTick

    for meters, read, literal in (
        ([(0, 2, 4), (2, 4, 4)], [[0, 4, 4]], [[0, 2, 4], [8, 4, 4]]),
        ([(0, 1, 4)], [[0, 4, 4]], [[0, 1, 4]]),
    ):
        score, tracks, *_ = midi.load(make_midi({"notes": [(0, 4, 60)]}, meters=meters))
        notes = score_parts.parts(tracks)[0].notes()
        settings = {"bars": None, "steps_per_beat": 4, "window": 32}
        assert build_grid(score, notes.start, notes.end, **settings).meters == read
        score.markers.append(TextMetaTick(0, START))
        grid = build_grid(score, notes.start, notes.end, **settings)
        assert (grid.start, grid.meters) == (0, literal)


@pytest.mark.parametrize(
    ("texts", "swing"),
    [
        ({0: "musicae swing 1.5"}, [[0, 1.5]]),
        (
            {480: "musicae swing 2.0", 960: "musicae swing 2.0", 1440: "musicae swing 1.0"},
            [[0, 1.0], [4, 2.0], [12, 1.0]],
        ),
        ({0: "musicae swing 9.9", 48000: "musicae swing 1.5"}, [[0, 2.5]]),
        ({0: "musicae swing 0.0"}, [[0, 0.4]]),
        ({0: "musicae swing nan"}, [[0, 1.0]]),
        ({0: "musicae swing 1e999"}, [[0, 1.0]]),
        ({0: "swing 2.0"}, [[0, 1.0]]),
    ],
)
def test_markers_say_how_beats_swing_if_it_makes_sense(texts, swing, make_midi):
    score = midi.load(make_midi({"notes": SCALE})).score
    for at, text in texts.items():
        score.markers.append(TextMetaTick(at, text))
    onsets = np.array([note.time for note in score.tracks[0].notes])
    found = place(score, onsets, onsets + 240, bars=None, steps_per_beat=4)
    assert with_swing(found, score, onsets).swing == swing
    assert with_swing(place(score, onsets, onsets + 240, bars=None, steps_per_beat=3), score, onsets).swing == [
        [0, 1.0]
    ]


def test_swing_is_marked_where_there_is_some():
    score = ScoreTick(480)
    mark_swing(score, [[0, 1.0], [8, 1.0]], 120)
    assert len(score.markers) == 0
    mark_swing(score, [[0, 1.0], [8, 1.75]], 120)
    assert [(mark.time, mark.text) for mark in score.markers] == [
        (0, "musicae swing 1.000000"),
        (960, "musicae swing 1.750000"),
    ]
