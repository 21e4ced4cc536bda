"""The figures of a code of sound."""

import numpy as np
import pytest
import soundfile
import torch

from musicae import codec
from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.evaluations import sounds
from musicae.preset import Preset


@pytest.fixture
def folders(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("speech", "music"):
        (tmp_path / name).mkdir()
        smooth = np.convolve(rng.standard_normal(20_000), np.ones(4) / 8, "same")
        soundfile.write(tmp_path / name / "a.wav", smooth, 8000)
    return {"speech": tmp_path / "speech", "music": tmp_path / "music"}


@pytest.fixture
def parts():
    torch.manual_seed(0)
    model = {"name": "mdct-vae", "latent": 8, "hop_length": 32, "width": 8, "blocks": 1}
    recipe = Preset("made", {"adapter": {"name": "audio", "sample_rate": 8000, "size": 1024}, "model": model})
    made = codec.build(recipe)
    made.networks().eval()
    return made


def test_before_training_a_model_is_its_floor(parts, folders):
    rng = torch.Generator().manual_seed(0)
    data = torch.randn(30, 1, 1536, generator=rng).cumsum(-1) / 50
    train = Windows(data, torch.arange(30), 1)
    parts.model.init_from_data(data)
    figures = sounds.sounds(parts, train, folders, None, clips=2, seconds=1.0, hop_length=32)
    assert figures["numbers_per_second"] == 2000
    for name in ("speech", "music"):
        # Its windows end here and there, where the linear code of the whole goes on.
        assert figures[f"si_sdr_{name}"] == pytest.approx(figures[f"floor_pca_si_sdr_{name}"], abs=1.0)
        assert figures[f"mel_distance_{name}"] == pytest.approx(figures[f"floor_pca_mel_distance_{name}"], abs=0.1)
    assert "si_sdr_music" not in sounds.sounds(
        parts, train, {"speech": folders["speech"]}, 1, clips=1, seconds=1.0, hop_length=32
    )


def test_what_it_cannot_measure_is_one_line(parts, tiny_voice, tmp_path):
    with pytest.raises(MusicaeError, match="--data speech=DIR or --data music=DIR"):
        sounds.sounds(parts, None, {}, None)
    with pytest.raises(MusicaeError, match="with a code"):
        sounds.sounds(codec.load(str(tiny_voice)), None, {}, None)
    with pytest.raises(MusicaeError, match="hop_length 1 does not fit a code of 264 numbers"):
        sounds.sounds(parts, None, {"speech": tmp_path}, None, hop_length=1)
