import contextlib
import subprocess
import time

import pytest

from musicae.errors import MusicaeError
from musicae.formats.music import abc, midi

ABC = """X:1
T:Two bars and a pick-up
M:3/4
L:1/4
Q:1/4=90
K:G
D | G A B | c2 A | G A F | G2 |]
"""


def test_abc_is_read_without_noise_and_its_pickup_is_found(tmp_path, capfd):
    path = tmp_path / "tune.abc"
    path.write_text(ABC + "\n" + ABC.replace("X:1", "X:2"))
    score, _, remarks, *_ = midi.load(path)
    assert [note.pitch for note in score.tracks[0].notes][:4] == [62, 67, 69, 71]
    meters = [(event.time, event.numerator, event.denominator) for event in score.time_signatures]
    assert meters == [(0, 3, 4), (480, 3, 4)]
    assert any("2 tunes" in remark for remark in remarks)
    abc.from_abc(ABC.replace("M:3/4", "M:2/4"))  # abc2midi complains about every bar of this
    assert capfd.readouterr() == ("", "")


def test_a_hornpipe_is_not_swung():
    straight = "X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|cBAG FEDC|\n"
    plain, pipe = abc.from_abc(straight), abc.from_abc(straight.replace("M:4/4", "R:hornpipe\nM:4/4"))
    assert [n.time for n in pipe.tracks[0].notes] == [n.time for n in plain.tracks[0].notes]


@pytest.mark.parametrize("text", ["no tune here", "X:1\nT:no key\n"])
def test_abc_without_a_tune_is_refused_in_a_line(text, tmp_path, capfd):
    path = tmp_path / "bad.abc"
    path.write_text(text)
    with pytest.raises(MusicaeError, match="tune") as caught:
        midi.load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_the_content_says_whether_a_file_is_abc():
    heads = (ABC.encode(), b"%abc\r\nX: 12\r\n", b"MThd\0\0\0\6", b"X:\0", b" X:1")
    assert [abc.is_abc(head) for head in heads] == [True, True, False, False, False]


@pytest.mark.parametrize("line", ["\n", "\r\n", "\r"])
def test_any_line_ends_and_a_byte_order_mark_are_read(line, tmp_path):
    path = tmp_path / "tune.mid"  # By its content.
    path.write_bytes(b"\xef\xbb\xbf" + (ABC + ABC).replace("\n", line).encode())
    score, _, remarks, *_ = midi.load(path)
    assert [note.pitch for note in score.tracks[0].notes][:4] == [62, 67, 69, 71]
    assert remarks == ["the file has 2 tunes; the first was taken"]


def test_of_a_large_tune_book_only_the_first_tune_is_read():
    began = time.process_time()
    score, remarks = abc.load(ABC.encode() + "X:2\nT:é\n".encode("latin-1") * 2_000_000, "book.abc")
    assert score.note_num() == 10
    assert remarks == ["the file has 2,000,001 tunes; the first was taken"]
    assert time.process_time() - began < 1
    with pytest.raises(MusicaeError, match="characters"):
        abc.load(b"X:1\nK:C\n" + b"C" * 20_000_000, "long.abc")


HEAD = "X:1\nM:4/4\nL:1/8\nK:C\n"


@pytest.mark.parametrize(
    "body",
    [
        "CDEF GABc|Z99999999|cBAG FEDC|",
        "C2 z99999999 C2|",
        "C99999999 D|",
        "P:" + "((A9)9)9" * 20 + "\nP:A\nCDEF|",
        "|: C D " * 2000 + ":|" * 2000,
        "{" * 50_000,
        "[" + "C" * 50_000 + "]|",
        "%%MIDI program 99999\nC|",
        "CDEF GABc|" * 120_000,
        "C\0\udcffD|",
    ],
)
def test_no_tune_takes_long_or_much(body):
    began = time.perf_counter()
    with contextlib.suppress(MusicaeError):
        assert abc.from_abc(HEAD + body).note_num() < 100_000
    assert time.perf_counter() - began < 5


def test_a_tune_that_would_expand_for_hours_is_stopped(monkeypatch):
    with pytest.raises(MusicaeError, match="rests and repeats are endless"):
        abc.from_abc(HEAD + "C|Z99999999|C|")
    monkeypatch.setattr(abc, "_TIMEOUT", 0.05)
    monkeypatch.setattr(abc, "_MEMORY", 2**32)
    with pytest.raises(MusicaeError, match="to read; correct it"):
        abc.from_abc(HEAD + "C|Z99999999|C|")


@pytest.mark.parametrize("line", ["%%abc-include ", "I:abc-include ", "%% abc-include "])
def test_a_tune_does_not_read_another_file(line, tmp_path):
    (tmp_path / "other.abc").write_text("GGGG|\n")
    score = abc.from_abc(f"{HEAD}{line}{tmp_path / 'other.abc'}\nD4|\n")
    assert [note.pitch for note in score.tracks[0].notes] == [62]


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    abc.from_abc(ABC)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["nt", "posix"])
def test_both_ways_to_run_abc2midi_agree(name, monkeypatch):
    straight = abc.from_abc(ABC)
    run = subprocess.run

    def without_suffix(command, **options):
        return run([str(command[0]).removesuffix(".exe"), *command[1:]], **options)

    monkeypatch.setattr(subprocess, "run", without_suffix)
    monkeypatch.setattr("musicae.formats.music.abc.os", type("os", (), {"name": name}))
    assert abc.from_abc(ABC).tracks == straight.tracks


def notes_of(data):
    score, _ = abc.load(data, "x")
    meters = [(event.time, event.numerator, event.denominator) for event in score.time_signatures]
    return [
        [(note.time, note.end, note.pitch, note.velocity) for note in track.notes] for track in score.tracks
    ], meters


def test_tunes_converted_at_once_are_those_converted_one_by_one(monkeypatch):
    """Some hold what may be meant for a whole file, or end early, or leave a chord open."""
    plain = [ABC.replace("D |", f"{note} |").replace("X:1", f"X: {i % 3}") for i, note in enumerate("ABCDEFG")]
    odd = [
        HEAD + "%%MIDI transpose 5\nCDEF|\n",
        HEAD + "U: T = !trill!\nCDEF|\n",
        HEAD + "CD|\n\nL:1/2\nEF|\n",
        "X:9\n",
    ]
    tunes = [tune.encode() for tune in [*plain, *odd, *plain, HEAD + "V:1\nCDEF|\nV:2\nC,4|\n"]]
    expected = [notes_of(tune) for tune in tunes if tune != b"X:9\n"]
    run = []
    one_by_one = abc._abc2midi
    monkeypatch.setattr(abc, "_abc2midi", lambda text: run.append(text) or one_by_one(text))
    with abc.converted(tunes):
        found = [notes_of(tune) for tune in tunes if tune != b"X:9\n"]
        with pytest.raises(MusicaeError, match="no tune that can be read"):
            abc.load(b"X:9\n", "x")
    assert found == expected
    assert len(run) == 1  # That of which nothing can be made.
    notes_of(tunes[0])
    assert len(run) == 2  # They are known within the block only.


def test_a_tune_that_stops_the_program_stops_no_other():
    tunes = [ABC.encode(), (HEAD + "C|Z99999999|C|\n").encode(), ABC.replace("D |", "E |").encode()]
    with abc.converted(tunes):
        assert [notes_of(tune)[0][0][0][2] for tune in (tunes[0], tunes[2])] == [62, 64]
        with pytest.raises(MusicaeError, match="endless"):
            abc.load(tunes[1], "x")
