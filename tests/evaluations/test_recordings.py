"""The figures of cleaning: of a model that does nothing, of one that knows, and of others beside it."""

import numpy as np
import pytest
import soundfile
import torch

from musicae import codec
from musicae.errors import MusicaeError
from musicae.evaluations import recordings
from musicae.evaluations.run import evaluate
from musicae.evaluations.shared import peers


@pytest.fixture
def folders(tmp_path):
    rng = np.random.default_rng(0)
    time = np.arange(6000) / 8000
    for speaker in ("a", "b"):
        (tmp_path / "speech" / speaker).mkdir(parents=True)
        for i in range(2):
            x = 0.1 * np.convolve(rng.standard_normal(6000), np.ones(5), "same") * (1 + np.sin(20 * time))
            soundfile.write(tmp_path / "speech" / speaker / f"{i}.wav", x, 8000)
    (tmp_path / "noise" / "many").mkdir(parents=True)
    soundfile.write(tmp_path / "noise" / "rain.wav", 0.1 * rng.standard_normal(3000), 8000)
    soundfile.write(tmp_path / "noise" / "many" / "x.wav", 0.1 * rng.standard_normal(3000), 8000)
    return {"speech": tmp_path / "speech", "noise": tmp_path / "noise", "voices": tmp_path / "speech"}


@pytest.fixture
def through(tiny_voice, monkeypatch):
    made = codec.load(str(tiny_voice))
    monkeypatch.setattr(made, "restore_any_size", lambda x, report=None: x)
    return made


def test_a_model_that_does_nothing_gains_nothing(through, folders):
    figures = recordings.recordings(through, folders, None, "", clips=2, seconds=1.0)
    assert figures["files"] == 2 * 2 * 4 * 3
    assert figures["si_sdr_gain"] == 0
    assert figures["si_sdr_clean"] > 60
    kinds = {"white", "rain", "many", "babble"}
    assert {f"si_sdr_gain_{kind}" for kind in (*kinds, "0_db", "5_db", "10_db")} <= set(figures)
    assert figures["cost"] < 0.1
    assert recordings.recordings(through, folders, 5, "", clips=2, seconds=1.0)["files"] == 5


def test_the_kinds_of_noise_and_the_ratios_are_settings(through, folders):
    few = {"speech": folders["speech"], "noise": folders["noise"]}
    kinds = ("hum", "crackle")
    figures = recordings.recordings(through, few, None, "", clips=1, seconds=1.0, kinds=kinds, snrs_db=(20.0,))
    assert figures["files"] == 2 * 4
    named = {f"si_sdr_gain_{kind}" for kind in (*kinds, "rain", "many", "20_db")}
    assert named == {name for name in figures if name.startswith("si_sdr_gain_")}
    with pytest.raises(MusicaeError, match="there is no 'hun'; did you mean 'hum'"):
        recordings.recordings(through, few, None, "", kinds=("hun",))


def test_a_model_that_is_worse_than_nothing_loses_and_a_peer_stands_beside_it(through, folders, monkeypatch):
    noise = torch.randn(1, 8000, generator=torch.Generator().manual_seed(5))
    monkeypatch.setattr(through, "restore_any_size", lambda x, report=None: x + noise)
    late = torch.zeros(1)

    def echo(x, rate):
        return torch.cat([late.expand(100), x])[: len(x)]

    monkeypatch.setitem(peers._KNOWN, "echo", ("torch", echo))
    figures = recordings.recordings(through, folders, None, "echo", clips=1, seconds=1.0)
    assert figures["si_sdr_gain"] < -3
    assert figures["echo_si_sdr_gain"] == pytest.approx(0, abs=0.2)  # It is moved back to where it belongs.
    assert "echo_cost" in figures


def test_missing_data_and_unknown_peers_are_one_line(through, folders, tiny_digits):
    with pytest.raises(MusicaeError, match="name it with --data speech=DIR"):
        recordings.recordings(through, {}, None, "")
    with pytest.raises(MusicaeError, match="no such peer; did you mean 'rnnoise'"):
        recordings.recordings(through, folders, 2, "rnoise", clips=1, seconds=1.0)
    with pytest.raises(MusicaeError, match="for models of sound"):
        recordings.recordings(codec.load(str(tiny_digits)), folders, None, "")


def test_against_is_for_evaluations_that_know_others(tiny_digits):
    made = codec.load(str(tiny_digits))
    made.preset.sections["evaluation"] = {"name": "generative"}
    with pytest.raises(MusicaeError, match="leave out --against"):
        evaluate(made, {}, 2, "rnnoise")
