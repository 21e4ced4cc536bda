"""Bands: which notes are read, and that all of them come back."""

from __future__ import annotations

import io
from pathlib import Path

import mido
import pytest
import torch
from made_bands import BASS, CHORDS, DRUMS, LOW, MELODY, PIANO, TUNE, again, notes, playing, same, written

from musicae.adapters.band import Band
from musicae.core import Adapter, Sample
from musicae.errors import MusicaeError
from musicae.formats.music.percussion import CLASSES
from musicae.tensors import band as bands
from musicae.testing import check_adapter

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def band() -> Band:
    return Band()


# --- reading -------------------------------------------------------------------------------------------------------


def test_it_is_an_adapter(band):
    assert isinstance(band, Adapter)
    assert band.spec == bands.spec(32)
    assert Band(bars=4, steps_per_beat=2).spec.shape == (32,)
    check_adapter(band)
    check_adapter(band, DATA / "band.mid")
    with pytest.raises(MusicaeError, match=r"\[adapter\]"):
        Band(bars=0)


def test_a_band_has_its_four_parts(band, make_midi):
    sample = band.read(make_midi(MELODY, BASS, PIANO, DRUMS))
    assert sample.tensor.shape == (band.spec.channels, 32)
    assert notes(sample, "melody") == [(2 * i, 2 * i + 2, 67 + i % 5) for i in range(16)]
    assert notes(sample, "bass") == [(4 * i, 4 * i + 4, 38 + i % 5) for i in range(8)]
    assert notes(sample, "harmony") == [(8 * i, 8 * i + 8, p) for i in range(4) for p in (55, 60, 64)]
    assert notes(sample, "drums") == [(2 * i, 2 * i + 1, 0 if i % 4 == 0 else 2) for i in range(16)]
    assert {part: how["programs"] for part, how in sample.meta["parts"].items()} == {
        "melody": [[0, 73]], "bass": [[0, 33]], "harmony": [[0, 0]], "drums": [[0, 0]],
    }  # fmt: skip
    assert {how["track"] for how in sample.meta["parts"].values()} == {"Lead", "Bass", "Piano", "Drums"}
    loud = sample.tensor[bands.groups_of("drums")[1]]
    assert loud.amax(0)[::2].mul(127).round().tolist() == [100 - i for i in range(16)]


@pytest.mark.parametrize(
    ("tracks", "parts"),
    [
        ([MELODY], {"melody"}),
        ([DRUMS], {"drums"}),
        ([BASS], {"bass"}),
        ([PIANO], {"melody", "harmony"}),
        ([MELODY, DRUMS], {"melody", "drums"}),
        ([BASS, PIANO], {"melody", "bass", "harmony"}),
    ],
)
def test_a_part_that_a_file_lacks_is_silent(tracks, parts, band, make_midi):
    sample = band.read(make_midi(*tracks))
    assert playing(sample) == set(sample.meta["parts"]) == parts
    silent = bands.silent()
    for part in set(bands.PARTS) - parts:
        for rows in bands.groups_of(part):
            assert torch.equal(sample.tensor[rows], silent[rows, None].expand(-1, sample.tensor.shape[1]))
    same(sample, again(band, sample))


def test_a_piano_gives_its_top_line_and_its_chords(band, make_midi):
    sample = band.read(make_midi({"notes": [*CHORDS, *[(s, n, p + 12) for s, n, p in TUNE]]}))
    assert [pitch for _, _, pitch in notes(sample, "melody")] == [79 + i % 5 for i in range(16)]
    assert {pitch for _, _, pitch in notes(sample, "harmony")} == {55, 60, 64}


def test_notes_of_harmony_that_begin_together_share_their_mean_velocity(band, make_midi):
    loud = [(start, n, pitch, 60 + pitch % 7) for start, n, pitch in CHORDS]
    sample = band.read(make_midi(MELODY, BASS, PIANO | {"notes": loud}))
    mean = round((60 + 55 % 7 + 60 + 60 % 7 + 60 + 64 % 7) / 3)
    assert sample.tensor[bands.groups_of("harmony")[1]][0, ::8].mul(127).tolist() == pytest.approx([mean] * 4)
    same(sample, again(band, sample))


def test_several_drum_tracks_and_harmonies_play_together(band, make_midi):
    guitar = {"name": "Guitar", "notes": [(0, 8, 50), (0, 8, 57)], "channel": 3, "programs": [(0, 25)]}
    more = {"name": "Shaker", "notes": [(0.25, 0.1, 49)], "channel": 9}
    sample = band.read(make_midi(MELODY, BASS, PIANO, DRUMS, guitar, more))
    assert {(0, 32, 50), (0, 32, 57)} < set(notes(sample, "harmony"))
    assert (1, 2, 7) in notes(sample, "drums")


def test_tracks_are_sent_to_other_parts(band, make_midi):
    path = make_midi(MELODY, BASS, PIANO, DRUMS)
    sample = band.read(path, part=["Piano=melody", "1=none"])
    assert playing(sample) == {"melody", "bass", "harmony", "drums"}
    assert [pitch for _, _, pitch in notes(sample, "melody")] == [64] * 4
    assert [pitch for _, _, pitch in notes(band.read(path, track=3), "melody")] == [64] * 4
    with pytest.raises(MusicaeError, match=r"song.mid: there is no part 'flute'"):
        band.read(path, part=["1=flute"])
    with pytest.raises(MusicaeError, match="none of its tracks plays in the band; send one to a part"):
        band.read(path, part=[f"{i}=none" for i in range(1, 5)])


def test_a_pick_up_stays_before_the_bar_line(band, make_midi):
    early = {"name": "Lead", "notes": [(0, 1, 67), *[(s + 1, n, p) for s, n, p in TUNE]]}
    low = BASS | {"notes": [(s + 1, n, p) for s, n, p in LOW]}
    sample = band.read(make_midi(early, low, meters=[(0, 1, 4), (1, 4, 4)]))
    assert notes(sample, "melody")[:2] == [(12, 16, 67), (16, 18, 67)]
    assert notes(sample, "bass")[0] == (16, 20, 38)
    same(sample, again(band, sample))


@pytest.mark.parametrize(("meter", "hop"), [((3, 4), 24), ((6, 8), 24), ((2, 4), 32), ((5, 4), 20), ((7, 8), 28)])
def test_windows_hold_whole_bars_of_any_meter(meter, hop, band, make_midi):
    sample = band.read(make_midi(MELODY, BASS, PIANO, DRUMS, meters=[(0, *meter)]))
    assert (sample.hop, sample.meta["meters"]) == (hop, [[0, *meter]])
    assert sample.tensor.shape[1] * meter[1] % (16 * meter[0]) == 0
    same(sample, again(band, sample))


def test_meters_keep_changing(band, make_midi):
    sample = band.read(make_midi(MELODY, BASS, DRUMS, meters=[(0, 3, 4), (3, 2, 4), (5, 6, 8)]))
    assert sample.meta["meters"] == [[0, 3, 4], [12, 2, 4], [20, 6, 8]]
    same(sample, again(band, sample))


@pytest.mark.parametrize(
    ("meters", "bars", "kept"),
    [
        ([(0, 4, 4), (4, 2, 4), (6, 4, 4)], "2-3", [[0, 2, 4], [8, 4, 4]]),
        ([(0, 4, 4), (4, 3, 4), (7, 5, 4)], "2-3", [[0, 3, 4], [12, 5, 4]]),
        ([(0, 1, 4), (1, 7, 8)], "2", [[0, 7, 8]]),
        ([(0, 4, 4), (6, 4, 4)], None, [[0, 4, 4], [24, 4, 4]]),
    ],
)
def test_a_short_first_bar_of_an_excerpt_is_no_pick_up(meters, bars, kept, band, make_midi):
    sample = band.read(make_midi(MELODY, BASS, meters=meters), bars=bars)
    assert sample.meta["meters"] == kept
    same(sample, again(band, sample))


def test_empty_bars_at_the_start_are_left_out_unless_they_are_ours(band, make_midi):
    late = [one | {"notes": [(note[0] + 8, *note[1:]) for note in one["notes"]]} for one in (MELODY, BASS)]
    sample = band.read(make_midi(*late))
    assert sample.tensor.shape[1] == 32
    assert any("2 empty bar(s) at the start" in remark for remark in sample.remarks)
    silent = bands.silent()[:, None].expand(-1, 32)
    padded = Sample(torch.cat([silent, sample.tensor, silent], 1), sample.meta | {"length": 96})
    same(padded, again(band, padded))


def test_bars_are_chosen(band, make_midi):
    path = make_midi(MELODY, BASS, DRUMS)
    second = band.read(path, bars="2")
    assert torch.equal(second.tensor, band.read(path).tensor[:, 16:])
    assert second.meta["length"] == 16
    with pytest.raises(MusicaeError, match="end in bar 2"):
        band.read(path, bars="3")
    gap = make_midi(MELODY | {"notes": [(0, 1, 60), (12, 1, 60)]}, BASS | {"notes": [(0, 1, 40)]})
    with pytest.raises(MusicaeError, match=r"bars '2-3' have no notes; choose others with --bars"):
        band.read(gap, bars="2-3")


def test_programs_keep_changing(band, make_midi):
    sample = band.read(make_midi(MELODY | {"programs": [(0, 73), (4, 40)]}, BASS, DRUMS))
    assert sample.meta["parts"]["melody"]["programs"] == [[0, 73], [16, 40]]
    same(sample, again(band, sample))


def test_what_cannot_be_a_band_is_one_line(band, make_midi, tmp_path):
    cut = (DATA / "band.mid").read_bytes()[:40]
    for data, message in ((b"", "is empty"), (b"no music", "not"), (cut, "bad.mid")):
        (tmp_path / "bad.mid").write_bytes(data)
        with pytest.raises(MusicaeError, match=message) as error:
            band.read(tmp_path / "bad.mid")
        assert "\n" not in str(error.value)
    with pytest.raises(MusicaeError, match=r"song.mid: it has no notes; give a file with music"):
        band.read(make_midi({"notes": []}))
    with pytest.raises(MusicaeError, match=r"song.mid: it has only drums, and no General MIDI percussion"):
        band.read(make_midi(DRUMS | {"notes": [(0, 1, 3), (1, 1, 100)]}))
    with pytest.raises(MusicaeError, match=r"song.mid: none of its tracks plays in the band"):
        band.read(make_midi({"notes": TUNE, "programs": [(0, 127)]}))
    with pytest.raises(MusicaeError, match="no file"):
        band.read(tmp_path / "none.mid")


def test_two_notes_far_apart_do_not_fill_the_memory(band, make_midi):
    path = make_midi(MELODY | {"notes": [(0, 1, 60), (240_000, 1, 60)]}, tpq=24)
    with pytest.raises(MusicaeError, match=r"song.mid: the band takes 1.79 GB of memory, the limit is 1 GB"):
        band.read(path)
    with pytest.raises(MusicaeError, match="the band takes"):
        band.read_packed(path)
    assert band.read(path, bars="1-2").tensor.shape[1] == 32


def test_two_hundred_tracks_long_tempo_maps_and_four_hours(band, make_midi):
    wide = make_midi(*({"notes": [(i % 8, 2, 40 + i % 50)], "name": f"t{i}", "channel": i % 9} for i in range(200)))
    sample = band.read(wide)
    assert sample.tensor[bands.groups_of("harmony")[0]].any()
    assert len("".join(sample.remarks)) < 2000
    same(sample, again(band, sample))
    tempos = [(i / 4, 400_000 + 1000 * (i % 7)) for i in range(10_000)]
    sample = band.read(make_midi({"notes": [(i, 1, 60) for i in range(2500)]}, BASS, tempos=tempos, tpq=24))
    assert len(sample.meta["tempos"]) == 10_000
    same(sample, again(band, sample))
    four_hours = [(i, 1, 60 + i % 12) for i in range(4 * 60 * 120)]
    long = band.read(make_midi({"notes": four_hours}, BASS, DRUMS, tpq=24))
    assert long.tensor.shape == (band.spec.channels, 4 * 4 * 60 * 120)


def test_abc_is_read(band, tmp_path):
    (tmp_path / "tune.abc").write_text("X:1\nT:Tune\nM:3/4\nL:1/4\nK:G\nD|GAB|c2A|GAF|G2|]\n")
    sample = band.read(tmp_path / "tune.abc")
    assert notes(sample, "melody")[:2] == [(8, 12, 62), (12, 16, 67)]
    assert playing(sample) == {"melody"}


# --- writing -------------------------------------------------------------------------------------------------------


def test_a_sequencer_finds_a_channel_for_each_part(band, make_midi):
    sample = band.read(make_midi(MELODY, BASS, PIANO, DRUMS, tempos=[(0, 600_000)]))
    file = mido.MidiFile(file=written(band, sample))
    assert file.type == 1
    channels = {t.name: {e.channel for e in t if e.type == "note_on"} for t in file.tracks if t.name}
    assert channels["Drums"] == {9}
    assert all(len(own) == 1 for own in channels.values())
    assert len(set().union(*channels.values())) == len(channels) == 4
    programs = {t.name: [e.program for e in t if e.type == "program_change"] for t in file.tracks if t.name}
    assert (programs["Lead"], programs["Bass"]) == ([73], [33])
    pretty_midi = pytest.importorskip("pretty_midi")
    opened = pretty_midi.PrettyMIDI(written(band, sample))
    assert [(one.name, one.program, one.is_drum) for one in opened.instruments] == [
        ("Lead", 73, False), ("Bass", 33, False), ("Piano", 0, False), ("Drums", 0, True),
    ]  # fmt: skip
    assert opened.instruments[1].notes[1].start == pytest.approx(0.6)
    assert len(opened.instruments[2].notes) == 12


def test_parts_of_one_name_stay_apart(band, make_midi):
    sample = band.read(make_midi(MELODY, BASS, PIANO))
    for part in sample.meta["parts"].values():
        part["track"] = "Anonymous"
    back = again(band, sample)
    assert torch.equal(back.tensor, sample.tensor)
    assert len({part["track"] for part in back.meta["parts"].values()}) == 3


def test_a_band_that_came_from_no_file_is_written(band):
    tensor = bands.silent()[:, None].repeat(1, 32)
    rows, loud = bands.groups_of("bass")
    tensor[rows, 4] = 0
    tensor[rows.start + 10, 4] = 1
    tensor[loud, 4] = 0.5
    back = again(band, Sample(tensor, band.blank()))
    assert (back.meta["parts"]["bass"]["programs"], notes(back, "bass")) == ([[0, 33]], [(4, 5, 32)])
    assert back.tensor.shape[1] == 32
    with pytest.raises(MusicaeError, match="no notes"):
        again(band, Sample(bands.silent()[:, None].repeat(1, 32), band.blank()))


# --- beside the tensor ---------------------------------------------------------------------------------------------


def test_bands_are_joined_and_mixed(band, make_midi):
    one = band.read(make_midi(MELODY, BASS, tempos=[(0, 400_000)], name="a.mid"))
    two = band.read(make_midi(MELODY | {"programs": [(0, 40)]}, DRUMS, tempos=[(0, 800_000)], name="b.mid"))
    joined = band.concat([one, two])
    assert torch.equal(joined.tensor, torch.cat([one.tensor, two.tensor], 1))
    assert joined.meta["length"] == 64
    assert joined.meta["parts"]["melody"]["programs"] == [[0, 73], [32, 40]]
    assert set(joined.meta["parts"]) == {"melody", "bass", "drums"}
    assert [at for at, _ in joined.meta["tempos"]] == [0, 32]
    same(joined, again(band, joined))
    mixed = band.mix([one.meta, two.meta], [0.4, 0.6])
    assert (mixed["parts"]["melody"]["programs"], set(mixed["parts"])) == ([[0, 40]], {"melody", "bass", "drums"})
    assert mixed["tempos"] == [[0, pytest.approx(150**0.4 * 75**0.6)]]
    assert band.mix([one.meta, two.meta], [1.0, 0.0])["tempos"] == one.meta["tempos"]


def test_the_meta_of_a_file_of_codes_is_checked(band, make_midi):
    good = band.read(make_midi(MELODY, BASS, PIANO, DRUMS)).meta
    assert band.check_meta(good) == good
    assert band.check_meta({}) == band.blank()


@pytest.mark.parametrize(
    "wrong",
    [
        {"parts": {"flute": {"programs": [[0, 1]], "track": "x"}}},
        {"parts": {"bass": {"programs": [[0, 128]], "track": "x"}}},
        {"parts": {"bass": {"programs": [], "track": "x"}}},
        {"parts": {"bass": {"programs": [[3, 1]], "track": "x"}}},
        {"parts": {"bass": {"programs": [[0, 1]]}}},
        {"parts": {"bass": {"programs": [[0, 1]], "track": "\ud800"}}},
        {"parts": []},
        {"length": -1},
        {"length": 1.5},
        {"tempos": [[0, float("nan")]]},
        {"meters": [[0, 4, 3]]},
    ],
)
def test_a_damaged_meta_is_one_line(wrong, band):
    with pytest.raises(MusicaeError, match="meta is damaged") as error:
        band.check_meta(wrong)
    assert "\n" not in str(error.value)


# --- what others ask of it ------------------------------------------------------------------------------------------


def test_onsets_and_sounding_steps(band, make_midi):
    sample = band.read(make_midi(MELODY | {"notes": [(0, 1, 60), (2, 1, 62)]}, DRUMS | {"notes": [(3, 0.1, 36)]}))
    assert band.onsets(sample.tensor[None]).sum() == 3
    assert band.sounding(sample.tensor[None])[0].tolist() == [*[True] * 4, *[False] * 4, *[True] * 5, *[False] * 3]


def test_which_files_it_takes(make_midi, tmp_path):
    def score(path):
        stream = io.BytesIO(path.read_bytes())
        stream.seek(2)
        found = Band.sniff(path.read_bytes()[:64], stream)
        assert stream.tell() == 2
        assert Band.sniff(path.read_bytes()[:64], path) == found
        return found

    assert score(make_midi(MELODY, BASS)) == 0.95
    assert score(make_midi(MELODY, DRUMS)) == 0.95
    assert score(make_midi(MELODY)) == score(make_midi(DRUMS)) == 0.3
    assert score(make_midi(DRUMS, DRUMS | {"name": "More drums"})) == 0.3
    assert Band.sniff(b"X:1\nK:C\n", io.BytesIO(b"X:1\nK:C\n")) == 0.3
    assert Band.sniff(b"no music", io.BytesIO(b"no music")) == 0.0


def test_each_part_has_a_roll(make_midi, band):
    sample = band.read(make_midi(MELODY, BASS, PIANO, DRUMS))
    rolls = band.rolls(sample)
    assert [roll.name for roll in rolls] == ["melody", "harmony", "bass", "drums"]
    for roll in rolls:
        assert [(start, start + length, row) for start, length, row in roll.notes] == notes(sample, roll.name)
        assert (roll.length, roll.steps_per_beat, roll.meters) == (sample.tensor.shape[1], 4, [[0, 4, 4]])
        assert roll.labels == (tuple(CLASSES) if roll.name == "drums" else ())
    assert rolls[3].loudness == pytest.approx([(100 - i) / 127 for i in range(16)])
    assert all(roll.loudness == pytest.approx([80 / 127] * len(roll.notes)) for roll in rolls[:3])
    silent = Sample(bands.silent()[:, None].repeat(1, 16), band.blank())
    assert [roll.notes for roll in band.rolls(silent)] == [[], [], [], []]
