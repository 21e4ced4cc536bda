"""The verbs denoise and upscale, on pictures, and presets that are for something else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import soundfile
import torch
from torch import nn

import musicae
from musicae import codec as codecs
from musicae.adapters.image import Image
from musicae.core import Sample
from musicae.corruptions.downsample import Downsample
from musicae.errors import MusicaeError
from musicae.ops.restored import RestoreOptions
from musicae.tensors import precision


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
    assert torch.equal(made.sample.tensor, codec.restore_any_size(made.given.tensor))
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
    assert torch.equal(made.sample.tensor, codec.restore_any_size(large))


def test_upscale_keeps_colours_that_a_grey_preset_does_not_see(tmp_path: Path, tiny_upscale: Path) -> None:
    codec = codecs.load(str(tiny_upscale))
    made = musicae.upscale(picture(tmp_path / "a.png", 20, 20, channels=3), preset=codec, scale=2)
    codec.adapter.write(made.sample, tmp_path / "b.png")
    assert Image(3, fit="whole").read(tmp_path / "b.png").tensor.shape == (3, 40, 40)


def test_a_picture_goes_to_a_path_to_a_stream_and_comes_from_one(
    tmp_path: Path, tiny_denoise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: False)  # A byte may differ by one where it is there.
    codec = codecs.load(str(tiny_denoise))
    path = picture(tmp_path / "a.png", 20, 30)
    in_memory = musicae.denoise(path, preset=codec)
    made = musicae.denoise(path, tmp_path / "b.png", preset=codec)
    assert (made.path, made.sample, made.preset) == (tmp_path / "b.png", None, "tiny-denoise")
    in_memory.save(tmp_path / "c.png")
    assert (tmp_path / "c.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    stream = io.BytesIO()
    musicae.denoise(io.BytesIO(path.read_bytes()), stream, preset=codec)
    assert stream.getvalue() == (tmp_path / "b.png").read_bytes()
    again = musicae.denoise(codec.adapter.read(path), str(tmp_path / "d.png"), preset=codec)
    assert again.path == tmp_path / "d.png"
    assert (tmp_path / "d.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with pytest.raises(MusicaeError, match="the result was written to its target"):
        made.save(tmp_path / "e.png")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("fast", [False, True])
def test_a_picture_of_bytes_is_restored_as_one_of_numbers(
    tmp_path: Path, untrained: Any, monkeypatch: pytest.MonkeyPatch, channels: int, fast: bool
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: fast)
    codec = codecs.load(str(untrained(
        "tiny-photo", adapter={"name": "image", "channels": 3, "fit": "whole", "likelihood": "gaussian"},
        model={"name": "unet", "width": 4, "depth": 1, "shuffle": 2, "self_ensemble": 2},
        likelihood={"name": "gaussian", "clip": True}, corruption={"name": "blind-noise"},
    )))  # fmt: skip
    path = picture(tmp_path / "a.png", 21, 30, channels)
    exact = musicae.denoise(path, preset=codec)
    exact.save(tmp_path / "b.png")
    musicae.denoise(path, tmp_path / "c.png", preset=codec)
    one, other = (np.asarray(PIL.Image.open(tmp_path / name)).astype(int) for name in ("b.png", "c.png"))
    assert one.shape == ((21, 30) if channels == 1 else (21, 30, 3))
    assert abs(one - other).max() <= int(fast and channels == 3)


def test_restore_is_the_function_behind_both(tmp_path: Path, tiny_upscale: Path) -> None:
    path = picture(tmp_path / "a.png", 17, 30)
    made = musicae.restore(path, verb="upscale", preset=str(tiny_upscale), options=RestoreOptions(scale=2))
    assert made.sample is not None
    assert torch.equal(made.sample.tensor, musicae.upscale(path, preset=str(tiny_upscale)).sample.tensor)
    with pytest.raises(MusicaeError, match="the verb 'denoise' or 'upscale', not 'sharpen'"):
        musicae.restore(path, verb="sharpen")


def test_what_is_for_sound_is_not_for_pictures(tmp_path: Path, tiny_denoise: Path) -> None:
    path = picture(tmp_path / "a.png", 20, 20)
    with pytest.raises(MusicaeError, match=f"--strength is for sound; {path} is none"):
        musicae.denoise(path, preset=str(tiny_denoise), strength=0.5)
    sample = Image(1).read(path)
    with pytest.raises(MusicaeError, match="--keep-noise and --png are for sound; the sample is none"):
        musicae.denoise(sample, preset=str(tiny_denoise), noise="n.wav", picture="p.png")
    with pytest.raises(MusicaeError, match="give one as the source"):
        musicae.denoise(path, preset=str(tiny_denoise), raw="8000:1:s16")
    with pytest.raises(MusicaeError, match="has no option 'bars'"):
        musicae.denoise(path, preset=str(tiny_denoise), bars="1-2")


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
    with pytest.raises(MusicaeError, match="the preset 'tiny-upscale' upscales, it does not denoise"):
        musicae.denoise(path, preset=str(tiny_upscale))
    with pytest.raises(MusicaeError, match="the preset 'tiny-upscale' upscales by 2, not by 4"):
        musicae.upscale(path, preset=str(tiny_upscale), scale=4)
    with pytest.raises(MusicaeError, match="a U-Net has no code"):
        musicae.reconstruct(path, preset=str(tiny_denoise))
    upscaler = musicae.load(str(tiny_upscale))
    monkeypatch.setenv("MUSICAE_MEMORY", "15K")
    with pytest.raises(MusicaeError, match=r"a\.png, enlarged, takes 32 KB of memory, the limit is 15 KB"):
        musicae.upscale(path, preset=upscaler)


def test_what_a_picture_loses_is_told_to_every_user(tmp_path: Path, tiny_denoise: Path) -> None:
    frames = [PIL.Image.new("L", (20, 20), value) for value in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    done = musicae.denoise(tmp_path / "a.gif", tmp_path / "b.gif", preset=str(tiny_denoise))
    assert done.notices == ["a.gif: the first of its 2 pictures was taken"]
    assert not any("first of" in line for line in done.remarks)


@pytest.mark.parametrize("place", ["target", "noise", "picture", "noise and target"])
def test_no_output_is_the_input_or_another_output(tmp_path: Path, tiny_voice: Path, place: str) -> None:
    source = tmp_path / "a.wav"
    soundfile.write(source, np.full(800, 0.25), 8000)
    (tmp_path / "link.png").symlink_to(source)
    (tmp_path / "hard.wav").hardlink_to(source)
    before, hard = source.read_bytes(), tmp_path / "hard.wav"
    places: dict[str, dict[str, Any]] = {
        "target": {"target": hard},
        "noise": {"target": tmp_path / "b.wav", "noise": str(hard)},
        "picture": {"target": tmp_path / "b.wav", "picture": tmp_path / "link.png"},
        "noise and target": {"target": tmp_path / "b.wav", "noise": tmp_path / "b.wav"},
    }
    with pytest.raises(MusicaeError, match="the input and all outputs must be different files"):
        musicae.denoise(source, preset=str(tiny_voice), **places[place])
    assert source.read_bytes() == before
    assert not (tmp_path / "b.wav").exists()
