"""The metadata blocks of FLAC."""

from __future__ import annotations

import struct

from mutagen.flac import FLAC, CueSheet, CueSheetTrack, CueSheetTrackIndex

from musicae.formats.sound.tags import flac
from musicae.formats.sound.tags.values import Block


def with_blocks(path, tagged):
    tagged.make(path)
    file = FLAC(path)
    sheet = CueSheet(None)
    track = CueSheetTrack(1, 0)
    track.indexes.append(CueSheetTrackIndex(1, 0))
    sheet.tracks += [track, CueSheetTrack(170, 12_000)]
    file.metadata_blocks.append(sheet)
    file.cuesheet = sheet
    file.save()
    data = path.read_bytes()
    # Two APPLICATION blocks right after the STREAMINFO of 34 bytes.
    own = b"".join(b"\x02" + struct.pack(">I", len(body))[1:] + body for body in (b"ABCDown", b"rifffmt "))
    path.write_bytes(data[:42] + own + data[42:])
    return path


def kinds(path):
    with path.open("rb") as file:
        return [(block.name[0], block.data) for block in flac.read(file)[0]]


def test_all_blocks_are_kept_as_they_are(tmp_path, tagged):
    old = with_blocks(tmp_path / "a.flac", tagged)
    assert tagged.copy(old, tmp_path / "b.flac") == []
    mine = [block for block in kinds(tmp_path / "b.flac") if block[0] != 4]
    assert sorted(mine) == sorted(block for block in kinds(old) if block[0] != 4)
    assert [kind for kind, _ in mine] == [2, 2, 6, 5] or sorted(kind for kind, _ in mine) == [2, 2, 5, 6]
    assert FLAC(tmp_path / "b.flac").cuesheet.tracks[-1].start_offset == 12_000


def test_what_counts_samples_is_left_out_at_another_rate(tmp_path, tagged):
    old = with_blocks(tmp_path / "a.flac", tagged)
    (remark,) = tagged.copy(old, tmp_path / "b.flac", rate=96_000)
    assert "cue sheet" in remark
    assert [data for kind, data in kinds(tmp_path / "b.flac") if kind == 2] == [b"ABCDown"]
    assert tagged.of(tmp_path / "b.flac")[1] == [tagged.cover]


def test_what_only_flac_holds_is_named(tmp_path, tagged):
    (remark,) = tagged.copy(with_blocks(tmp_path / "a.flac", tagged), tmp_path / "b.mp3")
    assert remark == "left out of the tags: APPLICATION blocks, the cue sheet"


def test_a_damaged_block_is_left_out_of_what_others_can_hold():
    assert flac.common((Block(b"\4", b"\xff" * 9), Block(b"\6", b""))).fields == ()


def test_a_picture_over_16_mb_does_not_fit(tmp_path, tagged):
    tagged.make(tmp_path / "a.wav")
    from mutagen.id3 import APIC
    from mutagen.wave import WAVE

    file = WAVE(tmp_path / "a.wav")
    file.tags.add(APIC(3, "image/png", 0, "", bytes(17 << 20)))
    file.save()
    assert tagged.copy(tmp_path / "a.wav", tmp_path / "b.flac") == ["left out of the tags: what is over 16 MB"]
    assert tagged.of(tmp_path / "b.flac")[1] == [tagged.cover]


def test_an_id3_tag_before_flac_is_left_out_with_a_line(tmp_path, tagged):
    old = tagged.make(tmp_path / "a.flac")
    old.write_bytes(b"ID3\4\0\0\0\0\0\5" + bytes(5) + old.read_bytes())
    assert tagged.copy(old, tmp_path / "b.flac") == ["left out of its tags: an ID3 tag before FLAC"]
    assert tagged.of(tmp_path / "b.flac")[1] == [tagged.cover]


def test_a_picture_that_is_damaged_is_left_out_with_a_line(tmp_path, tagged):
    old = tagged.make(tmp_path / "a.flac")
    old.write_bytes(old.read_bytes().replace(b"\0\0\0\nimage/jpeg", b"\0\0\1\nimage/jpeg"))
    assert tagged.copy(old, tmp_path / "b.flac") == ["left out of the tags: a picture that is damaged"]
    assert tagged.of(tmp_path / "b.flac")[0].items() >= tagged.fields.items()
