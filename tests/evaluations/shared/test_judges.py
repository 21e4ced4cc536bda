"""STOI and PESQ, where they are installed."""

import importlib.util

import pytest
import torch

from musicae.evaluations.shared.judges import speech_scores


@pytest.fixture
def pair():
    """Noise that swells as syllables do, and the same with more noise."""
    rng = torch.Generator().manual_seed(0)
    swell = 1 + torch.sin(torch.arange(24_000) / 400)
    clean = 0.1 * swell * torch.randn(24_000, generator=rng)
    return clean, clean + torch.randn(24_000, generator=rng)


def test_stoi_knows_clean_from_noisy(pair):
    pytest.importorskip("pystoi")
    clean, noisy = pair
    scores = speech_scores([(clean, clean), (clean, noisy)], 8000)["stoi"]
    assert scores[0] > 0.99 > scores[1]


def test_pesq_is_for_its_rate(pair):
    clean, noisy = pair
    assert "pesq" not in speech_scores([(clean, noisy)], 8000)
    if importlib.util.find_spec("pesq"):
        scores = speech_scores([(clean, clean), (clean, noisy)], 16_000)["pesq"]
        assert scores[0] > scores[1] >= 1


def test_judges_that_are_not_installed_are_left_out(pair, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert speech_scores([pair], 16_000) == {}
