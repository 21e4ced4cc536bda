"""The verbs denoise and upscale, on pictures; those on recordings are tested in `cli/test_recordings.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import musicae
from musicae import codec as codecs
from musicae.adapters.image import Image
from musicae.core import Sample
from musicae.corruptions.downsample import Downsample
from musicae.errors import MusicaeError


def picture(path: Path, height: int, width: int, channels: int = 1) -> Path:
    """Write a picture of smooth random values."""
    values = torch.rand(1, channels, 5, 5, generator=torch.Generator().manual_seed(height))
    large = nn.functional.interpolate(values, (height, width), mode="bilinear")[0]
    Image(channels).write(Sample(large, {}), path)
    return path


def test_denoise_takes_pictures_of_any_size(tmp_path: Path, tiny_denoise: Path) -> None:
    codec = codecs.load(str(tiny_denoise))
    told: list[tuple[int, int]] = []
    path = picture(tmp_path / "a.png", 37, 51)
    made = musicae.denoise(path, preset=codec, report=lambda done, of: told.append((done, of)))
    assert torch.equal(made.given.tensor, codec.adapter.read(path).tensor)
    assert torch.equal(made.sample.tensor, codec.restore_whole(made.given.tensor))
    assert made.sample.meta == made.given.meta
    assert told == [(0, 1), (1, 1)]
    assert made.remarks[-1] == "the preset undoes noise"


def test_denoise_by_a_model_with_a_code(repository: Path, untrained: Any) -> None:
    three = repository / "data" / "three.png"
    path = untrained(
        "tiny-ae", adapter={"name": "image"}, model={"name": "ae", "latent": 4, "width": 8, "depth": 2},
        corruption={"name": "noise"},
    )  # fmt: skip
    made = musicae.denoise(three, preset=str(path))
    assert torch.equal(made.sample.tensor, musicae.reconstruct(three, preset=str(path)).sample.tensor)


def test_upscale_enlarges_and_then_restores(tmp_path: Path, tiny_upscale: Path) -> None:
    codec = codecs.load(str(tiny_upscale))
    path = picture(tmp_path / "a.png", 17, 30)
    made = musicae.upscale(path, preset=codec)
    large = Downsample(2, "bicubic").enlarge(codec.adapter.read(path).tensor[None])[0]
    assert made.sample.tensor.shape == (1, 34, 60)
    assert torch.equal(made.given.tensor, large)
    assert torch.equal(made.sample.tensor, codec.restore_whole(large))


def test_upscale_keeps_colours_that_a_grey_preset_does_not_see(tmp_path: Path, tiny_upscale: Path) -> None:
    codec = codecs.load(str(tiny_upscale))
    made = musicae.upscale(picture(tmp_path / "a.png", 20, 20, channels=3), preset=codec, scale=2)
    codec.adapter.write(made.sample, tmp_path / "b.png")
    assert Image(3, fit="whole").read(tmp_path / "b.png").tensor.shape == (3, 40, 40)


@pytest.mark.parametrize("verb", [musicae.denoise, musicae.upscale])
def test_recordings_have_functions_of_their_own(tiny_voice: Path, verb: Any) -> None:
    with pytest.raises(MusicaeError, match=r"a.wav is a recording; musicae.\w+_recording\(codec, source, target\)"):
        verb("a.wav", preset=str(tiny_voice))


def test_restoring_refuses(
    tmp_path: Path, tiny_digits: Path, tiny_denoise: Path, tiny_upscale: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = picture(tmp_path / "a.png", 20, 20)
    without = "the preset 'tiny-digits' was trained without a corruption and restores nothing"
    with pytest.raises(MusicaeError, match=without):
        musicae.denoise(path, preset=str(tiny_digits))
    with pytest.raises(MusicaeError, match=without):
        musicae.upscale(path, preset=str(tiny_digits))
    with pytest.raises(MusicaeError, match="the preset 'tiny-denoise' undoes noise, it does not upscale"):
        musicae.upscale(path, preset=str(tiny_denoise))
    with pytest.raises(MusicaeError, match="the preset 'tiny-upscale' upscales by 2, not by 4"):
        musicae.upscale(path, preset=str(tiny_upscale), scale=4)
    with pytest.raises(MusicaeError, match="a U-Net has no code"):
        musicae.reconstruct(path, preset=str(tiny_denoise))
    monkeypatch.setattr(ops, "_LARGEST", 1000)
    with pytest.raises(MusicaeError, match="would have 0 million values after that; cut it into pieces first"):
        musicae.upscale(path, preset=str(tiny_upscale))
