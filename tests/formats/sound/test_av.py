"""Sound that PyAV reads: from paths and streams, and one line where it is missing or cannot."""

import importlib.util
import io

import numpy as np
import pytest
from made_sounds import read, tones

from musicae.errors import MusicaeError
from musicae.formats.sound import files as sound


def encoded(path, codec, form=None, rate=16_000, layout="mono", seconds=1, tags=None):
    """Write tones by PyAV, in chunks of the codec's frame."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", format=form) as container:
        container.metadata.update(tags or {})
        stream = container.add_stream(codec, rate=rate, layout=layout)
        x = tones(seconds * rate, {"mono": 1, "stereo": 2, "5.1": 6}[layout], rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(x.T), format="fltp", layout=layout)
        frame.rate = rate
        context = stream.codec_context
        resampler = av.AudioResampler(format=context.format, layout=layout, rate=rate, frame_size=1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [
        ("a.m4a", "aac", "ipod"),
        ("a.m4b", "aac", "mp4"),
        ("a.mov", "aac", "mov"),
        ("a.mka", "aac", "matroska"),
        ("a.mkv", "libmp3lame", "matroska"),
        ("a.aac", "aac", "adts"),
        ("a.ac3", "ac3", "ac3"),
        ("a.eac3", "eac3", "eac3"),
        ("a.tta", "tta", "tta"),
        ("a.wv", "wavpack", "wv"),
        ("a.avi", "libmp3lame", "avi"),
        ("a.flv", "libmp3lame", "flv"),
        ("a.ts", "mp2", "mpegts"),
        ("a.caf", "alac", "caf"),
        ("a.wav", "adpcm_yamaha", "wav"),
    ],
)
def test_each_format_is_read_whatever_it_is_called(tmp_path, name, codec, form):
    rate = {"ac3": 48_000, "eac3": 48_000, "libmp3lame": 44_100, "mp2": 48_000}.get(codec, 16_000)
    path = encoded(tmp_path / name, codec, form, rate)
    other = path.rename(tmp_path / "renamed.mp3")
    for file in (other, io.BytesIO(other.read_bytes())):
        with sound.reading(file) as opened:
            x = np.concatenate(list(opened.blocks()))
            assert (opened.kind.rate, opened.kind.channels, opened.remarks) == (rate, 1, [])
        assert 0.9 * rate < len(x) < 1.2 * rate
        assert np.sqrt(np.square(x).mean()) == pytest.approx(0.28, rel=0.1)


def test_what_changes_on_the_way_is_brought_to_the_first(tmp_path):
    parts = [("stereo", 16_000), ("mono", 16_000), ("mono", 44_100), ("5.1", 48_000)]
    paths = [encoded(tmp_path / f"{i}", "aac", "adts", rate, layout) for i, (layout, rate) in enumerate(parts)]
    (tmp_path / "a.aac").write_bytes(b"".join(path.read_bytes() for path in paths))
    with sound.reading(tmp_path / "a.aac") as opened:
        x = np.concatenate(list(opened.blocks(1000)))
        assert (opened.kind.rate, opened.kind.channels) == (16_000, 2)
    assert len(x) == pytest.approx(4 * 16_000, rel=0.1)


@pytest.mark.parametrize("channels", [1, 2, 9, 16, 47])
def test_any_number_of_channels_is_read(tmp_path, channels):
    av = pytest.importorskip("av")
    x = tones(2000, channels, 16_000)
    with av.open(str(tmp_path / "a.mka"), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=16_000, layout=f"{channels} channels")
        frame = av.AudioFrame.from_ndarray(x.reshape(1, -1), format="flt", layout=f"{channels} channels")
        frame.rate = 16_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    assert np.array_equal(read(tmp_path / "a.mka"), x)


def test_tags_that_are_not_utf_8_do_no_harm(tmp_path):
    path = encoded(tmp_path / "a.m4a", "aac", "ipod", tags={"title": "the title"})
    path.write_bytes(path.read_bytes().replace(b"the title", b"\xff\xe9\x80 t\xfctl\xe9"))
    assert len(read(path)) > 15_000


def test_damaged_packets_are_left_out_with_a_remark(tmp_path):
    path = encoded(tmp_path / "a.mka", "aac", "matroska", seconds=4)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 60] = bytes(60)
    path.write_bytes(data)
    with sound.reading(path) as opened:
        assert sum(map(len, opened.blocks())) > 50_000
        assert "cannot be decoded and were left out" in opened.remarks[0]


@pytest.mark.parametrize("content", [b"\xff", b"\xff\xf1", b"\xff\xf1\x50\x80", b"\x0b\x77", b"\0\0\0\x14ftypqt  "])
@pytest.mark.parametrize("name", ["a.aac", "a.ac3", "a.m4a"])
def test_a_few_bytes_are_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MusicaeError) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_hostile_rate_is_one_line(tmp_path):
    path = encoded(tmp_path / "a.tta", "tta", "tta")
    data = bytearray(path.read_bytes())
    data[10:14] = (900_000_000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(MusicaeError):
        read(path)


def test_a_video_without_sound_says_so(tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(MusicaeError, match="has no sound in it"):
        read(tmp_path / "a.mkv")


def test_what_pyav_reads_is_read_from_paths_and_streams(tmp_path, monkeypatch):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tones(16_000, 1, 16_000).T, format="fltp", layout="mono")
        frame.rate = 16_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    for file in (tmp_path / "a.m4a", io.BytesIO((tmp_path / "a.m4a").read_bytes())):
        with sound.reading(file) as opened:
            x = np.concatenate(list(opened.blocks()))
            assert opened.kind.rate == 16_000
        assert abs(len(x) - 16_000) < 2100
        assert 0.2 < np.sqrt(np.square(x).mean()) < 0.32
    (tmp_path / "bad.g722").write_bytes(b"")
    with pytest.raises(MusicaeError, match="is empty"):
        read(tmp_path / "bad.g722")
    (tmp_path / "bad.m4a").write_bytes(b"hello there")
    with pytest.raises(MusicaeError, match="not a sound file"):
        read(tmp_path / "bad.m4a")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MusicaeError, match=r"musicae\[av\]"):
        read(tmp_path / "a.m4a")
