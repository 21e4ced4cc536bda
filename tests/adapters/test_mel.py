"""Spectrograms of sounds, and sounds of spectrograms."""

import io

import numpy as np
import pytest
import soundfile
import torch

from musicae.adapters.mel import Mel
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.testing import check_adapter

SMALL = {"sample_rate": 8000, "n_fft": 256, "hop_length": 64, "n_mels": 32, "frames": 48, "griffin_lim_steps": 30}


def drum(rate=8000, seconds=0.3, before=0.0):
    time = np.arange(round(rate * seconds)) / rate
    rng = np.random.default_rng(0)
    body = 0.7 * np.sin(2 * np.pi * 150 * time) + 0.2 * rng.standard_normal(len(time))
    return np.concatenate([np.zeros(round(rate * before)), body * np.exp(-12 * time)]).astype(np.float32)


def test_it_keeps_its_promises(tmp_path):
    # A phase that is found gives back a spectrogram that is near, not the same.
    soundfile.write(tmp_path / "a.wav", drum(), 8000, "FLOAT")
    check_adapter(Mel(**SMALL), tmp_path / "a.wav", tolerance=1.0)


def test_a_sound_starts_at_its_start_and_is_filled_up(tmp_path):
    soundfile.write(tmp_path / "a.wav", drum(), 8000, "FLOAT")
    soundfile.write(tmp_path / "late.wav", drum(before=0.2), 8000, "FLOAT")
    adapter = Mel(**SMALL)
    a, late = adapter.read(tmp_path / "a.wav"), adapter.read(tmp_path / "late.wav")
    assert a.tensor.shape == (1, 32, 48)
    torch.testing.assert_close(a.tensor, late.tensor, atol=0.05, rtol=0)
    assert "0.200 s of silence" in late.remarks[0]
    assert a.tensor[..., -5:].max() < 0.2
    soundfile.write(tmp_path / "long.wav", np.tile(drum(), 3), 8000)
    assert adapter.read(tmp_path / "long.wav").tensor.shape[-1] == -(-3 * 2400 // 64)


def test_values_are_decibels_and_silence_is_nothing(tmp_path):
    adapter = Mel(**SMALL)
    tone = 0.5 * torch.sin(2 * torch.pi * 1000 * torch.arange(8000) / 8000)
    loud, quiet = adapter.analyse(tone[None]), adapter.analyse(0.1 * tone[None])
    middle = slice(10, 100)
    peak = loud[0, 0, :, middle].argmax(0)
    assert peak.unique().numel() == 1
    difference = (loud - quiet)[0, 0, peak[0], middle]
    torch.testing.assert_close(difference, torch.full_like(difference, 0.4), atol=1e-3, rtol=0)  # 20 dB of 50.
    assert adapter.analyse(torch.zeros(1, 8000)).max() == 0
    assert adapter.synthesise(torch.zeros(1, 1, 32, 48)).abs().max() < 1e-4


def test_what_is_written_sounds_like_what_was_read(tmp_path):
    adapter = Mel(**SMALL)
    soundfile.write(tmp_path / "a.flac", drum(16_000)[:, None].repeat(2, 1), 16_000, "PCM_24")
    sample = adapter.read(tmp_path / "a.flac")
    adapter.write(sample, tmp_path / "b.flac")
    made = soundfile.info(tmp_path / "b.flac")
    assert (made.samplerate, made.channels, made.subtype) == (16_000, 2, "PCM_24")
    again = adapter.read(tmp_path / "b.flac").tensor
    assert (again - sample.tensor).abs().mean() < 0.05
    louder = Sample(sample.tensor + 0.6, sample.meta)
    adapter.write(louder, tmp_path / "loud.flac")
    assert 0.9 < np.abs(soundfile.read(tmp_path / "loud.flac")[0]).max() <= 1


def test_a_round_trip_is_what_is_written_and_read_again(tmp_path):
    adapter = Mel(**SMALL)
    soundfile.write(tmp_path / "a.wav", drum(), 8000, "FLOAT")
    true = adapter.read(tmp_path / "a.wav").tensor
    made = adapter.round_trip(true[None])
    assert made.shape == (1, *true.shape)
    assert torch.equal(made, adapter.analyse(adapter.synthesise(true[None])))
    stream = io.BytesIO()
    adapter.write(Sample(true, {"kind": {"rate": 8000, "channels": 1, "format": "WAV", "subtype": "FLOAT"}}), stream)
    again = adapter.read(stream).tensor
    assert (again - made[0]).abs().mean() < 0.05


def test_its_steps_are_frames_and_no_samples():
    adapter = Mel(**SMALL)
    assert adapter.sample_rate == 0
    assert adapter.steps_per_second == 125
    assert (adapter.default_align, adapter.any_size) == ("pad", False)


def test_augmenting_moves_and_stretches_what_is_there():
    adapter = Mel(**SMALL, gain_db=6.0, shift_bands=3.0, stretch=0.2)
    x = torch.zeros(16, 1, 32, 48)
    x[:, :, 16, :24] = 1.0
    made = adapter.augment(x, torch.Generator().manual_seed(0))
    assert made.shape == x.shape
    assert torch.equal(made, adapter.augment(x, torch.Generator().manual_seed(0)))
    rows = made[:, 0, :, 5].argmax(1)
    lengths = (made[:, 0].amax(1) > 0.4).sum(1)
    assert 13 <= rows.min() < rows.max() <= 19
    assert 19 <= lengths.min() < lengths.max() <= 30
    assert (made[:, 0, :, 0].amax(1) > 0.3).all()  # The start stays at the start.
    assert torch.equal(Mel(**SMALL).augment(x, torch.Generator()), x)


def test_a_picture_has_its_low_bands_at_the_bottom():
    x = torch.zeros(1, 4, 3)
    x[0, 0] = 2.0
    assert Mel(**SMALL).picture(x)[0, -1].tolist() == [1.0, 1.0, 1.0]


def test_bad_settings_and_files_are_one_line(tmp_path):
    with pytest.raises(MusicaeError, match="half of n_fft"):
        Mel(n_fft=256, hop_length=200)
    with pytest.raises(MusicaeError, match="stretch 0 to"):
        Mel(stretch=0.7)
    (tmp_path / "a.wav").write_text("hello")
    with pytest.raises(MusicaeError, match="not a sound file"):
        Mel().read(tmp_path / "a.wav")
    assert Mel.sniff(b"hello", tmp_path / "a.wav") == 0.4
    assert Mel.sniff(b"hello", tmp_path / "a.txt") == 0
