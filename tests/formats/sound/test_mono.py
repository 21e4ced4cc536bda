"""Sound files as one channel."""

import numpy as np
import pytest
import soundfile

from musicae.errors import MusicaeError
from musicae.formats.sound.mono import mono_blocks


def test_channels_are_mixed_and_the_rate_is_changed(tmp_path):
    tone = np.sin(2 * np.pi * 300 * np.arange(44_100) / 44_100)
    soundfile.write(tmp_path / "a.wav", np.stack([0.4 * tone, 0.2 * tone], axis=1), 44_100)
    samples = np.concatenate(list(mono_blocks(tmp_path / "a.wav", 22_050)))
    assert len(samples) == pytest.approx(22_050, abs=2)
    wanted = 0.3 * np.sin(2 * np.pi * 300 * np.arange(len(samples)) / 22_050)
    assert np.abs(samples - wanted)[500:-500].max() < 0.01


def test_what_is_no_sound(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"nothing")
    with pytest.raises(MusicaeError):
        list(mono_blocks(tmp_path / "a.wav", 22_050))
