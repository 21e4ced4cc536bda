"""Synthesisers in processes of their own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from musicae.errors import MusicaeError
from musicae.formats.music.synth import VARIABLE, synthesiser
from musicae.formats.music.synth_pool import SynthPool


def test_they_render_what_the_synthesiser_does_and_end(repository: Path) -> None:
    data = (repository / "data" / "rock.mid").read_bytes()
    pool = SynthPool(2)
    with ThreadPoolExecutor(4) as threads:
        sounds = list(threads.map(pool, [data] * 4))
    expected = synthesiser()[1](data)
    assert all(np.array_equal(sound, expected) for sound in sounds)
    processes = [pool._free.get(), pool._free.get()]
    for process in processes:
        pool._free.put(process)
    pool.close()
    assert all(process is not None and process.poll() is not None for process in processes)


def test_music_that_kills_one_is_one_line_and_the_next_is_rendered(repository: Path) -> None:
    pool = SynthPool(1)
    with pytest.raises(MusicaeError, match="the synthesiser failed"):
        pool(b"no music")
    assert len(pool((repository / "data" / "rock.mid").read_bytes()))
    pool.close()


def test_another_synthesiser_renders_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "none")
    with pytest.raises(MusicaeError, match="no synthesiser named 'none'"):
        SynthPool(1)
    seen = []

    def play(data: bytes) -> np.ndarray:
        seen.append(threading.get_ident())
        return np.zeros((1, 2), np.float32)

    monkeypatch.setattr("musicae.formats.music.synth_pool.synthesiser", lambda: ("fluidsynth", play))
    pool = SynthPool(2)
    assert pool(b"").shape == (1, 2)
    assert seen == [threading.get_ident()]
    pool.close()
