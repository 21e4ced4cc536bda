"""Each file is written byte by byte: what players play must be read, and what was mended must be said."""

import struct
import time

import pytest

from musicae.adapters.melody import Melody
from musicae.errors import MusicaeError
from musicae.formats.music import midi, midi_bytes

PITCHES = [60, 62, 64, 65, 67, 69, 71, 72, 60, 62, 64, 65, 67, 69, 71, 72, 74, 76]
END = b"\0\xff\x2f\0"


def variable(n):
    return n.to_bytes(1, "big") if n < 128 else bytes([n >> 7 | 0x80, n & 0x7F])


def tune(without_end=(), channel=0, pitches=PITCHES):
    """Return 18 quarter notes, some of them without a note-off."""
    events = b""
    for i, pitch in enumerate(pitches):
        events += bytes([0, 0x90 | channel, pitch, 80])
        end = b"\xff\x01\x01x" if i in without_end else bytes([0x80 | channel, pitch, 0])
        events += variable(480) + end
    return events


def chunk(events, length=None):
    return b"MTrk" + struct.pack(">I", len(events) if length is None else length) + events


def header(tracks=1, division=480, style=1):
    return b"MThd" + struct.pack(">IHHH", 6, style, tracks, division)


WHOLE = header() + chunk(tune() + END)
RIFF = b"RIFF" + struct.pack("<I", len(WHOLE) + 12) + b"RMIDdata" + struct.pack("<I", len(WHOLE)) + WHOLE
ODD = {
    "plain": WHOLE,
    "riff": RIFF,
    "riff with a list before the data": RIFF[:12] + b"LIST" + struct.pack("<I", 4) + b"INFO" + RIFF[12:],
    "macbinary": b"\0\x08song.mid".ljust(128, b"\0") + WHOLE,
    "a header of 8 bytes": b"MThd" + struct.pack(">IHHH", 8, 1, 1, 480) + b"\0\0" + WHOLE[14:],
    "a length 9 too long": header() + chunk(tune() + END, len(tune() + END) + 9),
    "a length 9 too long before another track": header(2) + chunk(tune() + END, len(tune() + END) + 9) + chunk(END),
    "a length of FFFFFFFF": header() + chunk(tune() + END, 0xFFFFFFFF),
    "a length too short": header() + chunk(tune() + END, 20),
    "a length of 0": header() + chunk(tune() + END, 0),
    "bytes between tracks": header(2) + chunk(END) + b"junk" * 5 + chunk(tune() + END),
    "a foreign chunk": header() + b"XFIH" + struct.pack(">I", 3) + b"abc" + chunk(tune() + END),
    "a track fewer in the header": header(1) + chunk(END) + chunk(tune() + END),
    "more tracks in the header": header(9) + chunk(tune() + END),
    "no end of track": header() + chunk(tune()),
    "bytes after the end": WHOLE + bytes(100),
}


@pytest.mark.parametrize("name", ODD)
def test_what_players_play_is_read(name, tmp_path):
    path = tmp_path / "song.mid"
    path.write_bytes(ODD[name])
    sample = Melody().read(path)
    notes = sample.tensor[2:].nonzero()
    assert sorted((notes[:, 1] // 4).tolist()) == list(range(18))
    mended = [remark for remark in sample.remarks if "mended" in remark]
    assert len(mended) == (name not in ("plain", "a foreign chunk", "bytes after the end", "no end of track"))


@pytest.mark.parametrize("without_end", [{17}, {3}, {0, 5, 17}, set(range(18))])
def test_notes_without_an_end_are_read(without_end, tmp_path):
    path = tmp_path / "song.mid"
    for pitches in (PITCHES, [60, 62, 64] * 6):
        path.write_bytes(header() + chunk(tune(without_end, pitches=pitches) + b"\0\xff\x2f\0"))
        sample = Melody().read(path)
        notes = sample.tensor[2:].nonzero()
        assert sorted((notes[:, 1] // 4).tolist()) == list(range(18))


def test_a_missing_end_in_the_middle_leaves_the_other_notes_as_they_are():
    notes = midi._load_midi(header() + chunk(tune({3, 17}, pitches=[60, 62, 64] * 6) + END), "song.mid").tracks
    assert notes.start.tolist() == [480 * i for i in range(18)]
    assert set((notes.end - notes.start).tolist()) == {480}  # In a line to the next note, or to the end.


def test_in_chords_a_note_without_an_end_lasts_to_the_end_of_the_track():
    chords = b"".join(
        bytes([0, 0x90, 60 + i, 80, 0, 0x90, 48, 80, 0, 0x90, 52, 80])
        + variable(480) + bytes([0x80, 52, 0, 0, 0x80, 48, 0])
        + (b"" if i == 2 else bytes([0, 0x80, 60 + i, 0]))
        for i in range(8)
    )  # fmt: skip
    notes = midi._load_midi(header() + chunk(chords + END), "song.mid").tracks
    lengths = dict(zip(notes.pitch.tolist(), (notes.end - notes.start).tolist(), strict=True))
    assert lengths[62] == 6 * 480
    assert lengths[61] == lengths[63] == 480


@pytest.mark.parametrize(("frames", "sub"), [(24, 20), (25, 40), (29, 80), (30, 4)])
def test_time_in_frames_is_converted(frames, sub, tmp_path):
    path = tmp_path / "song.mid"
    rate = {29: 30_000 / 1001}.get(frames, frames) * sub
    beat = round(rate / 2)  # Half a second.
    events = b"".join(bytes([0, 0x90, 60 + i, 80]) + variable(beat) + bytes([0x80, 60 + i, 0]) for i in range(8))
    tempo = b"\0\xff\x51\x03" + (1_000_000).to_bytes(3, "big")  # It means nothing there.
    path.write_bytes(header(division=(256 - frames) << 8 | sub) + chunk(tempo + events + END))
    sample = Melody().read(path)
    assert sample.tensor[2:].nonzero()[:, 1].sort().values.tolist() == [4 * i for i in range(8)]
    assert [qpm for _, qpm in sample.meta["tempos"]] == pytest.approx([60 * rate / beat], rel=1e-3)
    assert any("frames" in remark for remark in sample.remarks)


@pytest.mark.parametrize("division", [0, 0xE700, 0xFF04])
def test_time_that_cannot_be_told_is_refused(division):
    with pytest.raises(MusicaeError, match="how long its ticks are"):
        midi_bytes.parse(header(division=division) + chunk(tune() + END), "song.mid")


@pytest.mark.parametrize("end", [20, 60, 100])
def test_a_file_that_is_cut_short_is_refused(end):
    with pytest.raises(MusicaeError, match="cut short"):
        midi_bytes.parse(WHOLE[:-end], "song.mid")


def test_no_track_and_no_header_are_refused():
    for data, why in ((header(0), "no track"), (b"MThd", "cut short"), (b"RIFF", "MThd"), (b"", "MThd")):
        with pytest.raises(MusicaeError, match=why):
            midi_bytes.parse(data, "song.mid")


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("メロディ", "cp932"), ("Mélodie", "latin-1"), ("Мелодия", "koi8_r"), ("旋律", "utf-16"), ("Мелодия", "utf-8")],
)
def test_names_in_any_encoding_are_known_and_come_back_as_they_were(name, encoding, tmp_path):
    raw = name.encode(encoding)
    named = b"\0\xff\x03" + variable(len(raw)) + raw
    other = b"\0\xff\x03\x05Piano"
    path, copy = tmp_path / "song.mid", tmp_path / "copy.mid"
    accompaniment = tune(channel=1, pitches=[p + 12 for p in PITCHES])
    path.write_bytes(header(2) + chunk(other + accompaniment + END) + chunk(named + tune() + END))
    melody = Melody()
    sample = melody.read(path)
    assert sample.meta["track"] == name
    melody.write(sample, copy)
    assert named in copy.read_bytes()
    assert melody.read(copy).meta == {**sample.meta, "source": "copy.mid"}


@pytest.mark.parametrize("qpm", [6, 600])
def test_slow_and_fast_tempos_are_kept(qpm, tmp_path):
    path = tmp_path / "song.mid"
    tempo = b"\0\xff\x51\x03" + (60_000_000 // qpm).to_bytes(3, "big")
    path.write_bytes(header() + chunk(tempo + tune() + END))
    sample = Melody().read(path)
    assert [value for _, value in sample.meta["tempos"]] == [qpm]
    assert not [remark for remark in sample.remarks if "tempo" in remark]


def test_a_meter_that_two_tracks_say_is_no_complaint(tmp_path):
    path = tmp_path / "song.mid"
    meter = b"\0\xff\x58\x04\x03\x02\x18\x08"
    path.write_bytes(header(2) + chunk(meter + END) + chunk(meter + tune() + END))
    sample = Melody().read(path)
    assert sample.meta["meters"] == [[0, 3, 4]]
    assert not [remark for remark in sample.remarks if "signature" in remark]


SPLIT = b"".join(bytes([0, 0xC0 | i % 16, i // 16, 0, 0x90 | i % 16, 60, 80, 9, 60, 0]) for i in range(2048)) + END
WIDE = b"".join(bytes([0, 0x90 | c, p, 80]) for c in range(16) for p in range(128)) + b"\x64\xff\x2f\0"
QUICK = b"\x01\x3c\0\0\x3c\x50" * 100_000
LONG = b"\xff\xff\xff\x7f"  # The longest time between events.
HOSTILE = {  # What a file is -> how it is made, and why it is refused, if it is.
    "70,000 tracks": (lambda: header() + chunk(END) * 70_000, "more than 16,384 tracks"),
    "tracks of nothing": (lambda: header() + chunk(b"") * 200_000, "damaged"),
    "gaps": (lambda: header() + (b"x" + chunk(END)) * 5_000 + chunk(tune() + END), ""),
    "foreign chunks": (lambda: header() + b"abcd\0\0\0\0" * 500_000 + chunk(tune() + END), "no track"),
    "all programs on all channels": (lambda: header() + chunk(SPLIT), ""),
    "the same often": (lambda: header(20) + chunk(SPLIT) * 20, "channels and programs"),
    "the same with a long name": (lambda: header() + chunk(b"\0\xff\x03\xc0\x80\0" + b"x" * 2**20 + SPLIT), "memory"),
    "a name of 4 MB": (lambda: header() + chunk(b"\0\xff\3\x82\x80\x80\0" + b"\xe9" * 2**22 + tune() + END), "memory"),
    "wrong lengths": (lambda: header(9) + chunk(tune() + END, 3) * 9, ""),
    "a long track of wrong length": (lambda: header() + chunk(b"\0\xff\x01\0" * 600_000 + END, 3), "damaged"),
    "open notes everywhere": (lambda: header(50) + chunk(WIDE) * 50, ""),
    "a note on every channel": (
        lambda: header(2000) + chunk(b"".join(bytes([0, 0x90 | c, 60, 80]) for c in range(16)) + END) * 2000, "channels"
    ),
    "a long name": (lambda: header() + chunk(b"\0\xff\x03\xb0\x80\0" + b"\xe9" * (48 << 14) + tune() + END), ""),
    "a late name": (lambda: header() + chunk(b"\0\xff\3\1\xe9\0\x90\x3c\x50" + QUICK + b"\0\xff\3\1\xe9" + END), ""),
    "meters of 1/4": (lambda: header() + chunk(b"\x93\x44\xff\x58\x04\1\2\x18\x08" * 100_000 + tune() + END), ""),
    "odd meter, key and tempo": (
        lambda: header() + chunk(b"\0\xff\x58\4\xff\xff\0\0\0\xff\x59\2\x7f\x09\0\xff\x51\3\0\0\0" + tune() + END), ""
    ),
    "long rests": (lambda: header() + chunk((LONG + b"\xff\x01\0") * 10_000 + tune() + END), ""),
    "notes far apart": (lambda: header() + chunk((LONG + b"\x90\x3c\x50\x64\x3c\0") * 100 + END), "more than fit"),
    "many notes at once": (lambda: header() + chunk(b"".join(bytes([0, 0x90, i % 128, 80]) for i in range(200_000))
                                                    + b"\x64\xff\x2f\0"), ""),
    "20 MB": (lambda: header() + chunk(b"\0\xff\x01\0" * 5_000_000 + tune() + END), "1 GB; set MUSICAE_MEMORY=3G"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_file_takes_long_or_is_told_at_length(name, tmp_path):
    make, refused = HOSTILE[name]
    path = tmp_path / "song.mid"
    path.write_bytes(make())
    began = time.process_time()
    if refused:
        with pytest.raises(MusicaeError, match=refused) as caught:
            Melody().read(path)
        assert len(str(caught.value)) < 300
    else:
        sample = Melody().read(path)
        assert sample.tensor[2:].any()
        assert sum(map(len, sample.remarks)) < 500
    assert time.process_time() - began < 5 / 3  # A file is read three times where the preset is chosen by it.


def test_wrong_lengths_are_counted():
    for count, told in ((1, "the length of a track is wrong"), (12, "the lengths of 12 tracks are wrong")):
        remarks = midi_bytes.parse(header(count) + chunk(tune() + END, 3) * count, "song.mid").remarks
        assert remarks == [f"the file was mended: {told}"]


def test_only_the_name_of_a_track_is_encoded():
    named = b"\0\xff\x03\x07M\xc3\xa9lodi"
    text = b"\0\xff\x01\x0b" + named  # It looks like a name, and is the text of another event.
    data = header() + chunk(text + named + tune() + named + END)
    encoded = midi_bytes.encode_names(data, ["Mélodi"], "latin-1")
    assert encoded == header() + chunk(text + b"\0\xff\x03\x06M\xe9lodi" + tune() + named + END)
    assert midi_bytes.encode_names(data, ["Mélodi"], "ascii") == data


def test_names_are_looked_for_before_the_first_note():
    late = b"\0\xff\x03\x01b"
    file = midi_bytes.parse(header(2) + chunk(b"\0\xff\x03\x01a" + tune() + late + END) + chunk(END), "song.mid")
    assert midi_bytes.names_of(file) == [b"a"]
    assert midi_bytes.with_names(file, ["é"]).tracks == [b"\0\xff\x03\x02\xc3\xa9" + tune() + late + END, END]


def test_controllers_like_the_mark_of_a_chunk_do_no_harm(tmp_path):
    path = tmp_path / "song.mid"
    for numbers in ((118, 119), (119,)):
        forged = b"".join(bytes([0, 0xB0, number, 127]) for number in numbers)
        path.write_bytes(header() + chunk(forged + tune() + forged + END))
        assert Melody().read(path).tensor[2:].sum() == 18
