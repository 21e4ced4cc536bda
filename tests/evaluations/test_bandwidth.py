"""The figures of a filled up band: of a model that adds nothing, and of one that knows."""

import numpy as np
import pytest
import soundfile
import torch

from musicae import codec
from musicae.errors import MusicaeError
from musicae.evaluations import bandwidth


@pytest.fixture
def sounds(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "sounds" / "many").mkdir(parents=True)
    for name in ("a.wav", "many/b.wav"):
        soundfile.write(tmp_path / "sounds" / name, 0.1 * rng.standard_normal(20_000), 8000)
    return {"sounds": tmp_path / "sounds"}


def test_a_model_that_adds_nothing_is_the_sinc(tiny_voice, sounds, monkeypatch):
    made = codec.load(str(tiny_voice))
    monkeypatch.setattr(made, "restore_any_size", lambda x, report=None: x)
    figures = bandwidth.bandwidth(made, sounds, None, clips=2, seconds=1.0)
    assert figures["files"] == 4
    for name in ("lsd", "snr", "mel_distance"):
        assert figures[name] == pytest.approx(figures[f"floor_sinc_{name}"])
    assert figures["snr"] == pytest.approx(3.0, abs=0.4)  # Half of white noise is missing.
    assert figures["lsd"] > figures["floor_spline_lsd"] > 2
    assert bandwidth.bandwidth(made, sounds, 2, clips=2, seconds=1.0)["files"] == 2


def test_a_model_that_adds_noise_of_the_right_level_is_nearer_in_spectrum_and_further_in_samples(
    tiny_voice, sounds, monkeypatch
):
    made = codec.load(str(tiny_voice))

    def filled(x, report=None):
        noise = torch.fft.rfft(0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0)))
        noise[..., : noise.shape[-1] // 2] = 0
        return x + torch.fft.irfft(noise, n=x.shape[-1])

    monkeypatch.setattr(made, "restore_any_size", filled)
    figures = bandwidth.bandwidth(made, sounds, None, clips=1, seconds=1.0)
    assert figures["lsd"] < 0.7 * figures["floor_sinc_lsd"]
    assert figures["snr"] < figures["floor_sinc_snr"] - 2


def test_missing_data_are_one_line(tiny_voice):
    with pytest.raises(MusicaeError, match="name it with --data sounds=DIR"):
        bandwidth.bandwidth(codec.load(str(tiny_voice)), {}, None)
