"""Sound through pipes."""

import io
import struct

import numpy as np
import pytest
import soundfile

from musicae.errors import MusicaeError, OutputError
from musicae.formats.sound.files import Kind
from musicae.formats.sound.wav_pipe import PipeReader, PipeWriter


def noise(frames=1000, channels=2):
    return (0.5 * np.random.default_rng(0).uniform(-1, 1, (frames, channels))).astype(np.float32)


class Dribble(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data):
        self.data = data

    def read(self, size=-1):
        part, self.data = self.data[: min(size, 7)], self.data[min(size, 7) :]
        return part


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_wav_goes_through_whole(subtype):
    file = io.BytesIO()
    soundfile.write(file, noise(), 44_100, subtype, format="WAV")
    reader = PipeReader(Dribble(file.getvalue()))
    assert reader.kind == Kind(44_100, 2, "WAV", subtype)
    x = np.concatenate(list(reader.blocks()))
    assert np.abs(x - noise()).max() < 1e-4
    out = io.BytesIO()
    writer = PipeWriter(out, reader.kind, header=True)
    writer.write(x)
    again = PipeReader(io.BytesIO(out.getvalue()))
    assert np.array_equal(np.concatenate(list(again.blocks())), x)
    # A header that says a length which nothing has; soundfile knows what to do.
    assert soundfile.read(io.BytesIO(out.getvalue()))[0].shape == (1000, 2)


def test_what_was_before_the_samples_is_passed_over_and_an_unknown_length_is_no_harm():
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 16)
    listed = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    head = b"RIFF\xff\xff\xff\xffWAVE" + listed + b"fmt " + struct.pack("<I", 16) + form + b"data\0\0\0\0"
    reader = PipeReader(io.BytesIO(head + struct.pack("<3h", 1, -1, 16_384)))
    assert np.concatenate(list(reader.blocks()))[:, 0].tolist() == [1 / 32_768, -1 / 32_768, 0.5]


def wav(frames=1000):
    file = io.BytesIO()
    soundfile.write(file, noise(frames), 44_100, "PCM_16", format="WAV")
    return file.getvalue()


def test_what_comes_after_the_samples_is_none():
    reader = PipeReader(io.BytesIO(wav() + b"LIST" + struct.pack("<I", 90) + bytes(range(90))))
    assert sum(map(len, reader.blocks())) == 1000


@pytest.mark.parametrize("cut", [400, 401])
def test_a_stream_that_ends_early_gives_what_came_and_says_so(cut):
    reader = PipeReader(io.BytesIO(wav()[:-cut]))
    seen = []
    with pytest.raises(MusicaeError, match="ended before the sound did"):
        seen += reader.blocks()
    blocks = PipeReader(io.BytesIO(wav()[:-cut])).blocks()
    assert len(next(blocks)) == 1000 - (cut + 3) // 4


def test_a_stream_that_cannot_be_written_is_one_line():
    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="stdout cannot be written: No space"):
        PipeWriter(Full(), Kind(8000, 2), header=True).write(noise())


def test_bare_samples():
    data = (noise() * 32_768).astype("<i2").tobytes()
    reader = PipeReader(io.BytesIO(data), "48000:2:s16")
    assert reader.kind.rate == 48_000
    out = io.BytesIO()
    writer = PipeWriter(out, reader.kind, header=False)
    for block in reader.blocks():
        writer.write(block)
    assert out.getvalue() == data
    writer.write(np.full((3, 2), 1.5, np.float32))
    assert "3 samples were up to 3.5 dB too loud" in writer.remark()
    assert out.getvalue()[-12:] == struct.pack("<6h", *[32_767] * 6)


@pytest.mark.parametrize(
    ("data", "raw", "match"),
    [
        (b"", "", "no sound on stdin"),
        (b"RIFF", "", "not WAV"),
        (b"OggS" + bytes(20), "", "not WAV"),
        (b"RIFF\0\0\0\0WAVEfmt ", "", "within its header"),
        (b"RIFF\0\0\0\0WAVEfmt \4\0\0\0abcd", "", "damaged header"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "", "does not give the format"),
        (b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\xffabc", "", "within its header"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 30_000, 8000, 1, 1, 16), "", "30000 channels"),
        (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 85, 2, 44_100, 1, 1, 0), "", "format 85"),
        (b"", "48000:2", "--raw takes"),
        (b"", "48000:2:u8", "--raw takes"),
        (b"", "0:2:s16", "--raw takes"),
    ],
)
def test_what_is_no_sound_is_one_line(data, raw, match):
    with pytest.raises(MusicaeError, match=match):
        PipeReader(io.BytesIO(data), raw)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFF00, 0x80000000, 0xFFFFFFFF])
def test_a_length_that_nobody_knew_is_no_length(size):
    data = wav()
    place = data.index(b"data") + 4
    data = data[:place] + struct.pack("<I", size) + data[place + 4 :]
    assert sum(len(block) for block in PipeReader(io.BytesIO(data)).blocks()) == 1000
