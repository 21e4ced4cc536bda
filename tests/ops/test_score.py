"""How strange a file is to a preset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.ops import score as scoring


@pytest.fixture
def digits(tiny_digits: Path) -> Codec:
    return codecs.load(str(tiny_digits))


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Windows:
    """Forty training pictures, black but for noise."""
    values = (torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 40).to(torch.uint8)
    made = Windows(values, torch.arange(40), 1, levels=255)
    monkeypatch.setattr("musicae.splits.load", lambda *args: made)
    return made


def test_the_score_is_the_elbo_a_dimension(digits: Codec) -> None:
    x = torch.rand(3, 1, 28, 28)
    code = digits.encode(x)
    many = scoring.anomaly(digits, x, draws=400)
    drawn = torch.stack([digits.nll(code.sample(torch.Generator().manual_seed(i)), x) for i in range(400)])
    assert torch.allclose(many, (drawn.mean(0) + code.kl().sum(1)) / 784, rtol=0.01)


def test_a_score_does_not_depend_on_its_neighbours(digits: Codec) -> None:
    x = torch.rand(5, 1, 28, 28)
    together = scoring.anomaly(digits, x, batch=3)
    assert torch.allclose(together[3:4], scoring.anomaly(digits, x[3:4]), atol=1e-5)
    assert scoring.anomaly(digits, x[:0]).shape == (0,)


def test_a_plain_autoencoder_is_scored_by_its_error(untrained: Any) -> None:
    path = untrained("tiny-plain", adapter={"name": "image"}, model={"name": "ae", "latent": 4, "width": 8, "depth": 2})
    codec, x = codecs.load(str(path)), torch.rand(2, 1, 28, 28)
    error = (codec.decode(codec.encode(x).mean) - x).square().flatten(1).mean(1)
    assert torch.allclose(scoring.anomaly(codec, x), error)


def test_a_conditional_model_takes_the_label_that_fits_best(tiny_classes: Path) -> None:
    codec, x = codecs.load(str(tiny_classes)), torch.rand(2, 1, 28, 28)
    conds = [codec.label_conditions(torch.full((2,), label)) for label in range(10)]
    each = [scoring._cost(codec, "neg_elbo", x, cond, 4) for cond in conds]
    assert torch.allclose(scoring.anomaly(codec, x), torch.stack(each).amin(0))


def test_files_have_a_percentile_of_the_training_data(
    digits: Codec, training: Windows, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    made = scoring.score(repository / "data" / "three.png", tmp_path / "bad.png", preset=digits, known=30)
    assert made.measure == "neg_elbo"
    assert made.known.shape == (30,)
    assert (made.known.diff() >= 0).all()
    (one,) = made.files
    assert one.percentile == pytest.approx(100 * (made.known < one.value).float().mean().item())
    assert list(made.skipped) == [str(tmp_path / "bad.png")]
    with pytest.raises(MusicaeError, match=r"bad\.png"):
        scoring.score(tmp_path / "bad.png", preset=digits)


def test_what_cannot_be_scored(tiny_denoise: Path, repository: Path) -> None:
    with pytest.raises(MusicaeError, match="the preset 'tiny-denoise' only restores, it cannot score"):
        scoring.score(repository / "data" / "three.png", preset=str(tiny_denoise))
