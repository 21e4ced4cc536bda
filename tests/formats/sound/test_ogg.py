"""Ogg files of one link and of several."""

import io

import numpy as np
import pytest
import soundfile

from musicae.errors import MusicaeError
from musicae.formats.sound import files as sound
from musicae.formats.sound.ogg import links_of


def ogg(seconds, rate=16_000, channels=1, hz=440, subtype="VORBIS"):
    time = np.arange(round(seconds * rate))[:, None] / rate
    file = io.BytesIO()
    x = 0.4 * np.sin(2 * np.pi * hz * time) * np.ones(channels)
    soundfile.write(file, x, rate, format="OGG", subtype=subtype)
    return file.getvalue()


def read(file):
    with sound.reading(file) as opened:
        return opened, np.concatenate(list(opened.blocks(5000)))


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_all_links_are_read_at_the_rate_and_channels_of_the_first(tmp_path, subtype):
    data = ogg(1, subtype=subtype) + ogg(1.5, 48_000, 2, 880, subtype) + ogg(0.5, 24_000, 1, 220, subtype)
    (tmp_path / "a.ogg").write_bytes(data)
    for file in (tmp_path / "a.ogg", io.BytesIO(data)):
        opened, x = read(file)
        assert (opened.kind.rate, opened.kind.channels, opened.remarks) == (16_000, 1, [])
        assert abs(len(x) - 48_000) < 700
        assert abs(opened.length - 48_000) < 700
        for start, hz in ((4000, 440), (24_000, 880), (42_000, 220)):
            spectrum = np.abs(np.fft.rfft(x[start : start + 4000, 0] * np.hanning(4000)))
            assert abs(spectrum.argmax() * 4 - hz) <= 4
            assert np.sqrt(np.square(x[start : start + 4000]).mean()) == pytest.approx(0.283, rel=0.1)


def test_links_of_one_kind_are_joined_to_the_sample():
    one, other = ogg(0.5, channels=2), ogg(0.7, channels=2, hz=700)
    parts = [read(io.BytesIO(data))[1] for data in (one, other)]
    assert np.array_equal(read(io.BytesIO(one + other))[1], np.concatenate(parts))


def test_a_link_that_is_damaged_is_left_out_with_a_remark():
    broken = bytearray(ogg(0.5))
    broken[60:4000] = bytes(3940)
    opened, x = read(io.BytesIO(ogg(0.5) + bytes(broken) + ogg(0.5)))
    assert abs(len(x) - 16_000) < 500
    assert "1 of the 3 parts" in opened.remarks[0]


def test_links_are_found_by_their_first_pages():
    one, other = ogg(0.5), ogg(0.25, 48_000, subtype="OPUS")
    links = links_of(io.BytesIO(one + b"some junk" + other), "a.ogg")
    assert [link.seconds for link in links] == pytest.approx([0.5, 0.25], abs=0.01)
    assert links[1].start == len(one) + 9
    assert links[1].end == len(one) + 9 + len(other)
    wide = links_of(
        io.BytesIO(one + bytes(2**20 - len(one) - 3) + other), "a.ogg"
    )  # Over the edge of what is searched.
    assert [link.start for link in wide] == [0, 2**20 - 3]
    assert links_of(io.BytesIO(bytes(200_000)), "a.ogg") == []


@pytest.mark.parametrize("rate", [0, 900_000_000])
def test_a_hostile_rate_is_one_line(rate):
    data = bytearray(ogg(0.1))
    at = data.index(b"\x01vorbis") + 12
    data[at : at + 4] = rate.to_bytes(4, "little")
    with pytest.raises(MusicaeError):
        read(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("gap", [b"", b"gap"])
def test_more_streams_than_any_recording_has_are_refused(gap):
    pages = (b"OggS\0\2" + bytes(21) + gap) * 10_001
    with pytest.raises(MusicaeError, match="more than 10000 parts"):
        links_of(io.BytesIO(pages), "a.ogg")
