"""Encoding a file and decoding it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mirror_model import Forgetful, Mirror, exact
from torch import Tensor

import musicae
from musicae import preset
from musicae.adapters.drums import Drums
from musicae.adapters.melody import Melody
from musicae.codec import Codec
from musicae.core import Sample, Spec
from musicae.tensors.likelihoods.bernoulli import Bernoulli
from musicae.tensors.likelihoods.gaussian import Gaussian


def test_reconstruct_tells_how_much_is_right(data: Path) -> None:
    whole = musicae.reconstruct(data / "twinkle.mid", preset=exact())
    assert whole.accuracy == 1
    assert torch.equal(whole.sample.tensor, Melody().read(data / "twinkle.mid").tensor)
    assert whole.sample.meta == Melody().read(data / "twinkle.mid").meta
    # An onset is lost in each of 4 windows of 32 steps.
    assert musicae.reconstruct(data / "twinkle.mid", preset=exact(Forgetful)).accuracy == pytest.approx(31 / 32)


def test_reconstruct_of_drums_counts_steps_with_all_drums_right(data: Path) -> None:
    adapter = Drums()
    codec = Codec(preset.Preset("mirror"), adapter, Mirror(adapter.spec), Bernoulli())
    assert musicae.reconstruct(data / "rock.mid", preset=codec).accuracy == 1


def test_reconstruct_of_real_values_tells_the_share_of_the_variance(tmp_path: Path) -> None:
    class Waves(Melody):
        @property
        def spec(self) -> Spec:
            return Spec(1, (4,), "gaussian")

        def read(self, file: Any, **options: Any) -> Sample:
            return Sample(torch.tensor([[1.0, -1, 1, -1, 1, -1]]), self.blank())

    class Halved(Mirror):
        def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
            return super().params(z, x) / 2

    spec = Waves().spec
    made = musicae.reconstruct(tmp_path, preset=Codec(preset.Preset("w"), Waves(), Mirror(spec), Gaussian()))
    assert made.accuracy == 1
    made = musicae.reconstruct(tmp_path, preset=Codec(preset.Preset("w"), Waves(), Halved(spec), Gaussian()))
    assert made.accuracy == pytest.approx(0.75)


def test_reconstruct_of_a_picture_tells_its_psnr(data: Path, digits: Codec) -> None:
    made = musicae.reconstruct(data / "three.png", preset=digits)
    given = digits.adapter.read(data / "three.png").tensor
    error = (made.sample.tensor - given).square().mean()
    assert made.psnr == pytest.approx(-10 * error.log10().item(), abs=1e-4)
    assert made.accuracy == pytest.approx(1 - (error / given.var(correction=0)).item(), abs=1e-4)
    assert musicae.reconstruct(data / "twinkle.mid", preset=exact()).psnr is None
