"""Sound that PyAV reads: from paths and streams, and one line where it is missing or cannot."""

import importlib.util
import io

import numpy as np
import pytest

from musicae.errors import MusicaeError
from musicae.formats import sound_files as sound


def tones(frames=4000, channels=1, rate=8000):
    time = np.arange(frames)[:, None] / rate
    return (0.4 * np.sin(2 * np.pi * time * (220 + 110 * np.arange(channels)))).astype(np.float32)


def read(file):
    with sound.reading(file) as opened:
        return np.concatenate(list(opened.blocks()))


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
