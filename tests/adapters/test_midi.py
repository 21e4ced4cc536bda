import random
import re
import runpy
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pytest

from musicae.adapters import grid, midi
from musicae.errors import MusicaeError

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
SCALE = [(i, 1, 60 + i) for i in range(8)]

ABC = """X:1
T:Two bars and a pick-up
M:3/4
L:1/4
Q:1/4=90
K:G
D | G A B | c2 A | G A F | G2 |]
"""


def message(path: Path) -> str:
    with pytest.raises(MusicaeError) as caught:
        midi.load(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


def test_a_missing_file_a_folder_and_no_midi_are_told_apart(tmp_path, make_midi):
    assert "no file" in message(tmp_path / "gone.mid")
    assert "folder" in message(tmp_path)
    text, empty, cut = tmp_path / "text.mid", tmp_path / "empty.mid", tmp_path / "cut.mid"
    text.write_text("this is a text, and longer than any header\n")
    empty.write_bytes(b"")
    assert "MThd" in message(text)
    assert "0 bytes" in message(empty)
    whole = make_midi({"notes": SCALE}).read_bytes()
    cut.write_bytes(whole[: len(whole) - 20])
    assert "cut short" in message(cut)
    cut.write_bytes(whole[:9])
    assert "cut short" in message(cut)


@pytest.mark.parametrize("division", [0, 0xE728])
def test_time_in_frames_is_refused(division, make_midi):
    path = make_midi({"notes": SCALE})
    data = bytearray(path.read_bytes())
    data[12:14] = division.to_bytes(2, "big")
    path.write_bytes(data)
    assert "frames" in message(path)


def test_of_a_type_2_file_the_first_pattern_with_notes_is_read(make_midi):
    path = make_midi({"notes": []}, {"notes": SCALE[:3]}, {"notes": [(0, 1, 90)] * 5}, kind=2)
    score, remarks = midi.load(path)
    assert [note.pitch for track in score.tracks for note in track.notes] == [60, 61, 62]
    assert any("type-2" in remark for remark in remarks)


def test_damaged_files_never_end_the_process(tmp_path):
    """A child reads hundreds of broken files, so that a crash in the parser would be seen."""
    sources = sorted(DATA.glob("*.mid"))
    rng = random.Random(0)
    for number in range(300):
        data = bytearray(rng.choice(sources).read_bytes())
        if number % 3 == 0:
            data = data[: rng.randrange(len(data))]
        else:
            for _ in range(rng.choice([1, 3, 20])):
                data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / f"{number}.mid").write_bytes(data)
    code = (
        "import sys, pathlib\n"
        "from musicae.adapters.melody import Melody\n"
        "from musicae.adapters.drums import Drums\n"
        "from musicae.errors import MusicaeError\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).glob('*.mid')):\n"
        "    for adapter in (Melody(), Drums()):\n"
        "        try:\n"
        "            sample = adapter.read(path)\n"
        "            assert sample.tensor.isfinite().all()\n"
        "        except MusicaeError as error:\n"
        "            assert '\\n' not in str(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr[-2000:]) == (0, "", "")


def test_abc_is_read_without_noise_and_its_pickup_is_found(tmp_path, capfd):
    path = tmp_path / "tune.abc"
    path.write_text(ABC + "\n" + ABC.replace("X:1", "X:2"))
    score, remarks = midi.load(path)
    assert [note.pitch for note in score.tracks[0].notes][:4] == [62, 67, 69, 71]
    meters = [(event.time, event.numerator, event.denominator) for event in score.time_signatures]
    assert meters == [(0, 3, 4), (480, 3, 4)]
    assert any("2 tunes" in remark for remark in remarks)
    midi.from_abc(ABC.replace("M:3/4", "M:2/4"))  # abc2midi complains about every bar of this
    assert capfd.readouterr() == ("", "")


def test_a_hornpipe_is_not_swung():
    straight = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|cBAG FEDC|\n"
    plain, pipe = midi.from_abc(straight), midi.from_abc(straight.replace("M:4/4", "R:hornpipe\nM:4/4"))
    assert [n.time for n in pipe.tracks[0].notes] == [n.time for n in plain.tracks[0].notes]


@pytest.mark.parametrize("text", ["", "no tune here", "X:1\nT:no key\n"])
def test_abc_without_a_tune_is_refused_in_a_line(text, tmp_path, capfd):
    path = tmp_path / "bad.abc"
    path.write_text(text)
    assert "tune" in message(path)
    assert capfd.readouterr() == ("", "")


def test_a_track_with_program_changes_is_one_part(make_midi):
    path = make_midi(
        {"notes": SCALE, "name": "Lead", "programs": [(0, 40), (4, 73)]},
        {"notes": SCALE, "name": "Lead", "channel": 1, "programs": [(0, 20)]},
    )
    parts = midi.parts(midi.load(path)[0])
    assert [(part.number, part.name, part.count) for part in parts] == [(1, "Lead", 8), (2, "Lead", 8)]
    assert parts[0].notes().program.tolist() == [40] * 4 + [73] * 4


def test_a_track_is_named_by_number_or_piece_of_its_name(make_midi):
    path = make_midi({"notes": []}, {"notes": SCALE, "name": "Violin I"}, {"notes": SCALE, "name": "Oboe"})
    parts = midi.parts(midi.load(path)[0])
    assert [p.name for p in midi.select(parts, 2)] == [p.name for p in midi.select(parts, "2")] == ["Oboe"]
    assert [p.name for p in midi.select(parts, "VIOL")] == ["Violin I"]
    with pytest.raises(MusicaeError, match=re.escape("'tuba'; there is 1 Violin I (8 notes), 2 Oboe (8 notes)")):
        midi.select(parts, "tuba")


def test_the_kind_is_drums_only_where_nine_notes_in_ten_are(make_midi):
    beats = [(i / 4, 0.25, 36) for i in range(90)]
    mostly = make_midi({"notes": beats, "channel": 9}, {"notes": SCALE}, name="mostly.mid")
    half = make_midi({"notes": beats[:8], "channel": 9}, {"notes": SCALE}, name="half.mid")
    assert (midi.kind(mostly), midi.kind(half)) == ("drums", "melody")
    assert {p.stem: midi.kind(p) for p in DATA.glob("*.mid")} == {
        "band": "melody",
        "bossa": "drums",
        "greensleeves": "melody",
        "ode-to-joy": "melody",
        "rock": "drums",
        "twinkle": "melody",
    }


def test_a_folder_that_is_missing_or_a_file_is_refused_and_nothing_is_left(tmp_path, make_midi):
    score, _ = midi.load(make_midi({"notes": SCALE}))
    with pytest.raises(MusicaeError, match="no folder"):
        midi.save(score, tmp_path / "gone" / "a.mid")
    (tmp_path / "taken.mid").mkdir()
    with pytest.raises(MusicaeError, match="cannot be written"):
        midi.save(score, tmp_path / "taken.mid")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["song.mid", "taken.mid"]


def test_the_samples_are_what_the_script_writes(tmp_path):
    runpy.run_path(str(ROOT / "tests" / "make_samples.py"))["make"](tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.glob("*.mid")}
    assert written == {path.name: path.read_bytes() for path in DATA.glob("*.mid")}
    readme = (DATA / "README.md").read_text()
    assert all(name in readme for name in written)


# --- bars, tempo and meter -----------------------------------------------------------------------------------------


def lay(path: Path, **options: object) -> grid.Grid:
    score, _ = midi.load(path)
    notes = midi.parts(score)[0].notes()
    settings = {"bars": None, "steps_per_beat": 4, "window": 32} | options
    return grid.lay(score, notes.start, notes.end, **settings)


def test_bars_follow_meter_changes(make_midi):
    notes = [(0, 1, 60), (3, 1, 62), (6, 1, 64), (11.5, 0.5, 65)]
    laid = lay(make_midi({"notes": notes}, meters=[(0, 3, 4), (6, 2, 4), (10, 6, 8)]))
    assert laid.meters == [[0, 3, 4], [24, 2, 4], [40, 6, 8]]
    assert laid.length == 2 * 12 + 2 * 8 + 12
    assert laid.steps(np.array([0, 3 * 480, 6 * 480 + 60, 6 * 480 + 59])).tolist() == [0, 12, 25, 24]


@pytest.mark.parametrize(
    ("meter", "hop"),
    [((4, 4), 32), ((3, 4), 24), ((2, 4), 32), ((6, 8), 24), ((5, 4), 20), ((9, 4), 32), ((7, 16), 28)],
)
def test_the_hop_is_the_whole_bars_that_fit_in_a_window(meter, hop, make_midi):
    assert lay(make_midi({"notes": SCALE}, meters=[(0, *meter)])).hop == hop


def test_bars_are_chosen_as_the_file_numbers_them(make_midi):
    path = make_midi({"notes": [(4 * bar, 1, 60) for bar in range(8)]}, meters=[(0, 4, 4)])
    assert (lay(path, bars="3-4").start, lay(path, bars="3-4").length) == (2 * 4 * 480, 32)
    assert lay(path, bars=" 8 ").length == 16
    for bad in ("9", "2-9"):
        with pytest.raises(MusicaeError, match="the notes end in bar 8"):
            lay(path, bars=bad)
    for bad in ("", "x", "4-2", "0-2", "1-2-3", "-3", "1,2"):
        with pytest.raises(MusicaeError, match="write 5-8 or 3"):
            lay(path, bars=bad)


def test_a_whole_first_bar_of_another_kind_is_no_pickup(make_midi):
    laid = lay(make_midi({"notes": [(0, 3, 60), (3, 4, 62)]}, meters=[(0, 6, 8), (3, 4, 4)]))
    assert (laid.start, laid.meters) == (0, [[0, 6, 8], [12, 4, 4]])


@pytest.mark.parametrize(("first", "second"), [((1, 4), (4, 4)), ((4, 4), (4, 4))])
def test_a_pickup_keeps_its_place_before_the_bar_line(first, second, make_midi):
    laid = lay(make_midi({"notes": [(0, 1, 60), (1, 4, 62)]}, meters=[(0, *first), (1, *second)]))
    assert (laid.start, laid.length, laid.meters) == (-3 * 480, 32, [[0, 4, 4]])


def test_tempos_outside_reason_are_moved_into_it(make_midi):
    laid = lay(make_midi({"notes": SCALE}, tempos=[(0, 0), (2, 500_000), (4, 16_000_000)]))
    assert laid.tempos == [[0, 400.0], [8, 120.0], [16, 10.0]]
    assert any("tempo" in remark for remark in laid.remarks)


def test_the_tempo_in_force_at_the_first_bar_is_kept(make_midi):
    path = make_midi({"notes": [(8, 1, 60), (12, 1, 62)]}, tempos=[(0, 600_000), (4, 400_000), (13, 300_000)])
    assert lay(path).tempos == [[0, 150.0], [20, 200.0]]
    assert any("2 empty bar(s)" in remark for remark in lay(path).remarks)


def test_time_signatures_that_make_no_sense_are_left_out(make_midi):
    path = make_midi({"notes": SCALE}, meters=[(0, 3, 4)])
    data = path.read_bytes().replace(b"\xff\x58\x04\x03\x02", b"\xff\x58\x04\x00\x02")
    path.write_bytes(data)
    assert lay(path).meters == [[0, 4, 4]]
    assert any("time signature" in remark for remark in lay(path).remarks)


def test_endless_files_are_refused_but_their_first_bars_are_read(make_midi):
    path = make_midi({"notes": [(0, 1, 60), (4_000_000, 1, 60)]}, tpq=24)
    with pytest.raises(MusicaeError, match="--bars"):
        lay(path)
    assert lay(path, bars="1-2").length == 32


def test_bars_of_one_beat_in_a_row_are_taken_as_four_four(make_midi):
    assert lay(make_midi({"notes": SCALE}, meters=[(0, 1, 4)])).meters == [[0, 4, 4]]


def test_a_mix_averages_tempo_geometrically_and_keeps_the_heaviest():
    slow, fast = grid.blank("A", 40), grid.blank("B", 73)
    slow |= {"tempos": [[0, 50.0]], "velocities": [100, 0, 60]}
    fast |= {"tempos": [[0, 200.0]], "velocities": [50, 90]}
    even = grid.mix([slow, fast], [0.5, 0.5])
    assert even["tempos"] == [[0, pytest.approx(100.0)]]
    assert (even["track"], even["programs"]) == ("A", [[0, 40]])
    assert even["velocities"] == [75, 90, 60]
    assert grid.mix([slow, fast], [0.4, 0.6])["track"] == "B"
    assert grid.mix([slow, fast], [0.0, 1.0]) == fast


def test_the_average_tempo_weighs_each_by_its_length():
    meta = grid.blank("A") | {"tempos": [[0, 50.0], [8, 200.0]], "velocities": [80] * 16}
    assert grid.mix([meta, meta], [0.5, 0.5])["tempos"] == [[0, pytest.approx(100.0)]]


def test_a_sequencer_finds_tempo_meter_program_and_name(tmp_path):
    notes = midi.Notes(*(np.array(v) for v in ([0, 4, 8], [4, 8, 12], [60, 62, 64], [70, 80, 90], [40, 40, 73])))
    meta = grid.blank("Tune") | {"tempos": [[0, 90.0], [8, 60.0]], "meters": [[0, 3, 4]], "keys": [[0, -3, 1]]}
    midi.save(midi.build(notes, meta, 12, steps_per_beat=4, drums=False), tmp_path / "out.mid")
    file = mido.MidiFile(tmp_path / "out.mid")
    assert (file.type, file.ticks_per_beat) == (1, 480)
    events = [event for track in file.tracks for event in track]
    assert [event.name for event in events if event.type == "track_name"] == ["Tune", "Tune"]
    assert [event.tempo for event in events if event.type == "set_tempo"] == [666667, 1_000_000]
    assert [(e.numerator, e.denominator) for e in events if e.type == "time_signature"] == [(3, 4)]
    assert [event.key for event in events if event.type == "key_signature"] == ["Cm"]
    assert [event.program for event in events if event.type == "program_change"] == [40, 73]
    assert [(e.note, e.velocity) for e in events if e.type == "note_on" and e.velocity] == [
        (60, 70),
        (62, 80),
        (64, 90),
    ]
    assert not [event for event in events if event.type == "marker"]
