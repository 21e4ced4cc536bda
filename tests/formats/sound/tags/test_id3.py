"""ID3, APE and Lyrics3 tags of MP3 files."""

from __future__ import annotations

import io

import mutagen.id3
import pytest
import soundfile
from mutagen.apev2 import APEv2

from musicae.formats.sound.tags import id3
from musicae.formats.sound.tags.values import Block, Common, Picture

Frames = mutagen.id3.Frames


def parsed(data):
    return mutagen.id3.ID3(io.BytesIO(data))


@pytest.mark.parametrize("version", [3, 4])
def test_all_frames_are_kept_but_those_on_the_encoding(version):
    tags = mutagen.id3.ID3()
    for frame in (
        Frames["TIT2"](1, ["Stück"]),
        Frames["TXXX"](1, "Encoder", ["x"]),
        Frames["TXXX"](0, "encoder", ["x"]),
        Frames["TSSE"](3, ["x"]),
        Frames["TLEN"](3, ["5"]),
        Frames["PRIV"]("me", b"\xff\x00\xff\xe0"),
    ):
        tags.add(frame)
    out = io.BytesIO()
    tags.save(out, v2_version=version)
    cleaned = parsed(id3.clean(out.getvalue()))
    assert sorted(cleaned) == ["PRIV:me:\xff\x00\xffà", "TIT2"]
    assert str(cleaned["TIT2"]) == "Stück"


def test_a_tag_of_version_2_and_one_of_version_3_with_stuffed_bytes_are_read():
    frames = b"TT2\0\0\4\0abc" + b"TSS\0\0\2\0x"
    old = b"ID3\2\0\0\0\0\0" + bytes([len(frames)]) + frames
    assert str(parsed(id3.clean(old))["TIT2"]) == "abc"
    frame = b"PRIV\0\0\0\6\0\0me\0\xff\x00\xe0"  # 0xFF 0xE0, stuffed.
    frame = frame.replace(b"\6", b"\5")
    stuffed = b"ID3\3\0\x80\0\0\0" + bytes([len(frame)]) + frame
    assert parsed(id3.clean(stuffed)).getall("PRIV")[0].data == b"\xff\xe0"


def test_plain_sizes_in_version_4_are_read():
    frame = b"APIC\0\0\1\0\0\0" + b"\0image/png\0\3\0".ljust(256, b"x") + b"TIT2\0\0\0\4\0\0\3abc"
    cleaned = id3.clean(b"ID3\4\0\0\0\0" + bytes([len(frame) >> 7, len(frame) & 127]) + frame)
    assert b"TIT2" in cleaned
    assert len(cleaned) == 10 + len(frame)


def test_a_tag_of_nothing_that_can_be_read_is_refused():
    with pytest.raises(ValueError, match="ID3"):
        id3.clean(b"ID3\3\0\0\0\0\0\x20" + b"\xfe" * 32)
    with pytest.raises(ValueError, match="version"):
        id3.clean(b"ID3\7\0\0\0\0\0\x20" + b"\xfe" * 32)
    assert id3.clean(b"ID3\3\0\0\0\0\0\x20" + bytes(32)) == b""


def test_a_built_tag_is_what_mutagen_reads():
    common = Common(
        (("TITLE", "Stück"), ("ARTIST", "a"), ("ARTIST", "b"), ("TRACKNUMBER", "3"), ("TRACKTOTAL", "12"), ("X", "y")),
        (Picture(b"jpeg", "image/jpeg", 4, "back"),),
    )
    tags = parsed(id3.build(common))
    assert (str(tags["TIT2"]), tags["TPE1"].text, str(tags["TRCK"]), str(tags["TXXX:X"])) == (
        "Stück", ["a", "b"], "3/12", "y")  # fmt: skip
    assert (tags["APIC:back"].data, tags["APIC:back"].type) == (b"jpeg", 4)
    assert id3.build(Common()) == b""
    assert id3.common((Block(b"ID3", id3.build(common)),)).pictures == common.pictures


def with_tail(path, tagged):
    """An MP3 file with an APE tag, Lyrics3 and ID3v1 at its end."""
    tagged.make(path)
    ape = APEv2()
    ape["Title"], ape["MP3GAIN_UNDO"], ape["Year"] = "of APE", "+1,+1", "1999"
    out = io.BytesIO()
    ape.save(out)
    lyrics = b"LYRICSBEGININD0000210"
    lyrics += b"%06d" % len(lyrics) + b"LYRICS200"
    first = (b"TAG" + b"of one".ljust(30, b"\0")).ljust(125, b"\0") + b"\0\0\x11"
    path.write_bytes(path.read_bytes() + out.getvalue() + lyrics + first)
    return path, lyrics, first


def test_what_follows_the_sound_is_kept_without_the_gains_in_its_frames(tmp_path, tagged):
    path, lyrics, first = with_tail(tmp_path / "a.mp3", tagged)
    assert tagged.copy(path, tmp_path / "b.mp3") == []
    data = (tmp_path / "b.mp3").read_bytes()
    assert data.endswith(lyrics + first)
    (tmp_path / "c").write_bytes(data[: -len(lyrics + first)])
    assert dict(APEv2(tmp_path / "c")) == {"Title": "of APE", "Year": "1999"}


def test_tags_at_the_end_alone_are_enough_for_another_format(tmp_path, tagged):
    soundfile.write(tmp_path / "a.mp3", [0.0] * 5000, 48_000)
    _, _, first = with_tail(tmp_path / "b.mp3", tagged)
    tail = (tmp_path / "b.mp3").read_bytes()
    tail = tail[tail.index(b"APETAGEX") :]
    (tmp_path / "c.mp3").write_bytes((tmp_path / "a.mp3").read_bytes() + tail)
    (tmp_path / "d.mp3").write_bytes((tmp_path / "a.mp3").read_bytes() + first)
    tagged.copy(tmp_path / "c.mp3", tmp_path / "c.flac")
    tagged.copy(tmp_path / "d.mp3", tmp_path / "d.flac")
    assert tagged.of(tmp_path / "c.flac")[0] == {"TITLE": "of APE", "DATE": "1999", "GENRE": "Rock"}
    assert tagged.of(tmp_path / "d.flac")[0] == {"TITLE": "of one", "GENRE": "Rock"}


def test_a_tag_longer_than_its_file_is_left_out(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(100))
    with (tmp_path / "a.mp3").open("rb") as file:
        assert id3.read(file) == ([], ["tags over 64 MB or longer than the file"])
        assert id3.head_end(file) > 2**27
