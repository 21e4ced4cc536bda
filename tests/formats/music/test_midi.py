import io
import random
import runpy
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pytest

from musicae.adapters.shared import meta as metas
from musicae.errors import MusicaeError
from musicae.formats.music import abc, midi
from musicae.formats.music import parts as score_parts

ROOT = Path(__file__).parents[3]
DATA = ROOT / "data"
SCALE = [(i, 1, 60 + i) for i in range(8)]


ABC = "X:1\nT:Tune\nM:3/4\nL:1/4\nK:G\nD | G A B | c2 A | G A F | G2 |]\n"


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


def test_of_a_type_2_file_the_first_pattern_with_notes_is_read(make_midi):
    path = make_midi({"notes": []}, {"notes": SCALE[:3]}, {"notes": [(0, 1, 90)] * 5}, kind=2)
    score, _, remarks, *_ = midi.load(path)
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


def test_the_content_says_what_a_file_is(make_midi, tmp_path):
    path = make_midi({"notes": SCALE})
    data = path.read_bytes()
    chunk = b"data" + len(data).to_bytes(4, "little") + data
    riff = b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"RMID" + chunk
    wave = b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WAVE" + chunk
    assert [midi.is_midi(head) for head in (data, riff, wave, b"", ABC.encode())] == [True, True, False, False, False]
    assert [abc.is_abc(head) for head in (ABC.encode(), b"%abc\r\nX: 12\r\n", data, b"X:\0", b" X:1")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    misnamed = tmp_path / "tune.mid"
    misnamed.write_text(ABC)
    for source in (path, io.BytesIO(data), io.BytesIO(riff)):
        assert [note.pitch for note in midi.load(source)[0].tracks[0].notes] == list(range(60, 68))
    for source in (misnamed, io.BytesIO(ABC.encode())):
        assert midi.load(source)[0].tracks[0].notes[0].pitch == 62


def test_a_stream_is_written_as_a_file_is(make_midi, tmp_path):
    score, *_ = midi.load(make_midi({"notes": SCALE}))
    stream = io.BytesIO()
    midi.save(score, stream)
    midi.save(score, tmp_path / "out.mid")
    assert stream.getvalue() == (tmp_path / "out.mid").read_bytes()
    with pytest.raises(MusicaeError, match="the stream is not a MIDI file"):
        midi.load(io.BytesIO(b"no music"))


def test_a_folder_that_is_missing_or_a_file_is_refused_and_nothing_is_left(tmp_path, make_midi):
    score, *_ = midi.load(make_midi({"notes": SCALE}))
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


def test_a_sequencer_finds_tempo_meter_program_and_name(tmp_path):
    notes = score_parts.Notes(*(np.array(v) for v in ([0, 4, 8], [4, 8, 12], [60, 62, 64], [70, 80, 90], [40, 40, 73])))
    meta = metas.blank("Tune") | {"tempos": [[0, 90.0], [8, 60.0]], "meters": [[0, 3, 4]], "keys": [[0, -3, 1]]}
    track = midi.TrackNotes(notes, "Tune", drums=False)
    midi.save(midi.build([track], meta, 12, steps_per_beat=4), tmp_path / "out.mid")
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
