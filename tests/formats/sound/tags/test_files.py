"""Tags from any format into any other, read back by mutagen."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
import soundfile

from musicae.formats.sound.files import Kind, writing
from musicae.formats.sound.tags.files import read_tags
from musicae.formats.sound.tags.values import Common, Tags

NOISE = random.Random(0).randbytes(100)

SUFFIXES = [".flac", ".mp3", ".ogg", ".opus", ".wav", ".aiff"]


@pytest.mark.parametrize("new", SUFFIXES)
@pytest.mark.parametrize("old", SUFFIXES)
def test_fields_and_covers_are_kept_and_those_of_the_encoder_are_not(tmp_path, tagged, old, new):
    remarks = tagged.copy(tagged.make(tmp_path / f"old{old}"), tmp_path / f"new{new}")
    fields, pictures = tagged.of(tmp_path / f"new{new}")
    assert {name: fields.get(name) for name in tagged.fields} == tagged.fields
    assert pictures == [tagged.cover]
    assert not {"ENCODER", "TSSE", "iTunSMPB", "ITUNSMPB"} & fields.keys()
    assert remarks == []
    vorbis = {".flac", ".ogg", ".opus"}
    if old in vorbis and new in vorbis:
        assert fields["ENCODEROPTIONS"] == "kept"
    if old not in vorbis and new not in vorbis:
        assert fields["PRIV"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_without_tags_gets_none(tmp_path, tagged, suffix):
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 48_000)
    assert not read_tags(tmp_path / "a.wav")
    assert tagged.copy(tmp_path / "a.wav", tmp_path / f"b{suffix}") == []
    fields, pictures = tagged.of(tmp_path / f"b{suffix}")
    assert pictures == []
    assert fields in ({}, {"ENCODER": "libsndfile"})


def test_mp4_gives_its_fields_and_cover(tmp_path, tagged):
    av = pytest.importorskip("av")
    from mutagen.mp4 import MP4, MP4Cover, MP4FreeForm

    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), "f4"), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file = MP4(path)
    file["\xa9nam"], file["\xa9ART"], file["trkn"], file["disk"] = "Stück", "Zoë", [(3, 12)], [(1, 0)]
    file["covr"] = [MP4Cover(tagged.cover, MP4Cover.FORMAT_JPEG)]
    file["----:com.apple.iTunes:MusicBrainz Album Id"] = MP4FreeForm(b"abc")
    file.save()
    tagged.copy(path, tmp_path / "b.flac")
    fields, pictures = tagged.of(tmp_path / "b.flac")
    assert pictures == [tagged.cover]
    assert fields == {"TITLE": "Stück", "ARTIST": "Zoë", "TRACKNUMBER": "3", "TRACKTOTAL": "12", "DISCNUMBER": "1",
                      "MUSICBRAINZ_ALBUMID": "abc"}  # fmt: skip


def test_matroska_gives_its_fields(tmp_path, tagged):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.mka"), "w", format="matroska") as container:
        container.metadata.update(title="Stück", album="Hiss")
        stream = container.add_stream("flac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), "i2"), format="s16", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    tagged.copy(tmp_path / "a.mka", tmp_path / "b.flac")
    fields, _ = tagged.of(tmp_path / "b.flac")
    assert fields == {"TITLE": "Stück", "ALBUM": "Hiss"}


def test_a_stream_is_read_and_written_too(tmp_path, tagged):
    stream, out = io.BytesIO(tagged.make(tmp_path / "a.flac").read_bytes()), io.BytesIO()
    tags = read_tags(stream)
    assert stream.tell() == 0
    with writing(out, Kind(48_000, 1, "FLAC"), tags) as file:
        file.write(np.zeros((100, 1), np.float32))
    (tmp_path / "b.flac").write_bytes(out.getvalue())
    assert tagged.of(tmp_path / "b.flac")[1] == [tagged.cover]


def test_a_format_that_holds_no_tags_says_so(tmp_path, tagged):
    (remark,) = tagged.copy(tagged.make(tmp_path / "a.flac"), tmp_path / "b.au")
    assert remark == "left out of the tags: tags and covers, which AU does not hold"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_tags_never_stop_anything(tmp_path, tagged, suffix):
    """Every cut, and bytes at random where the tags are: a result is always written, and can be read."""
    data = tagged.make(tmp_path / f"a{suffix}").read_bytes()
    rng = np.random.default_rng(0)
    for i in range(6):
        spoilt = bytearray(data)
        for at in rng.integers(12, min(1200, len(data)), 1 + i):
            spoilt[at] = rng.integers(256)
        for at in rng.integers(max(0, len(data) - 90_000), len(data), i):
            spoilt[at] = rng.integers(256)
        (tmp_path / f"b{suffix}").write_bytes(spoilt if i % 3 else spoilt[: int(rng.integers(20, len(data)))])
        for new in (suffix, ".wav", ".flac"):
            tagged.copy(tmp_path / f"b{suffix}", tmp_path / f"c{new}")


@pytest.mark.parametrize("data", [b"", b"fLaC\x04\xff\xff\xff", b"ID3\x04\0\0\x7f\x7f\x7f\x7f", NOISE])
def test_what_is_no_sound_has_no_tags(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    tags = read_tags(tmp_path / "a")
    assert not tags.blocks
    assert len(tags.remarks) <= 1
    assert not read_tags(tmp_path / "missing").blocks


def test_the_fields_of_another_format_are_enough(tmp_path, tagged):
    with writing(tmp_path / "a.flac", Kind(48_000, 1, "FLAC"), Tags(common=Common((("TITLE", "x"),)))) as file:
        file.write(np.zeros((100, 1), np.float32))
    assert tagged.of(tmp_path / "a.flac")[0] == {"TITLE": "x"}
