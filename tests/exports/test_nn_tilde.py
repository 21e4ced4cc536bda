"""Files for nn~: loaded as it loads them, and called buffer by buffer."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import musicae
from musicae.errors import MusicaeError
from musicae.exports.nn_tilde import write

BUFFER = 2048


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what writes a preset's file, once, and loads it."""
    folder, known = tmp_path_factory.mktemp("nn"), {}

    def load(name: str) -> Any:
        if name not in known:
            known[name] = write(name, folder / f"{name}.ts")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch would rather have its newer form, which nn~ does not read.
            return torch.jit.load(folder / f"{name}.ts"), known[name]

    return load


def tone(samples: int, batch: int = 1) -> Tensor:
    """Return a plucked chord in a little noise, ``(batch, 1, samples)``."""
    time = torch.arange(samples) / 16_000
    pitches = torch.tensor([220.0, 277.2, 329.6]) * torch.arange(1, batch + 1)[:, None]
    chord = torch.sin(2 * torch.pi * pitches[..., None] * time).mean(1) * torch.exp(-3 * (time % 0.5))
    noise = 0.02 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(0))
    return (0.3 * chord + noise)[:, None]


@torch.inference_mode()
def through(method: Any, x: Tensor, size: int) -> Tensor:
    """Return what a method makes of ``(B, C, n)``, in buffers of `size`."""
    return torch.cat([method(block) for block in x.split(size, 2)], 2)


def test_a_denoiser_gives_what_the_codec_gives_however_large_the_buffers(made: Any) -> None:
    module, methods = made("denoise-speech")
    assert methods == {"forward": [1, 1, 1, 1]}
    assert module.forward_params.tolist() == [1, 1, 1, 1]
    assert (module.get_methods(), module.get_attributes(), module.get_sample_rate()) == (["forward"], [], 16_000)
    assert (module.forward_input_labels, module.forward_output_labels) == (["(signal) sound"], ["(signal) sound"])
    x, model = tone(6 * BUFFER), musicae.load("denoise-speech").model
    late = model.multiple
    with torch.no_grad():
        wanted, _ = model.stream(x[..., : x.shape[2] // late * late], model.initial_state())
    out = through(module, x, BUFFER)
    assert out.shape == x.shape
    torch.testing.assert_close(out[..., late:], wanted[..., : x.shape[2] - late], rtol=0, atol=1e-5)
    again, _ = made("denoise-speech")
    torch.testing.assert_close(through(again, x, 512), out, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "channels", "ratio"), [("sound", 65, 256), ("drum-sounds", 59, 2048)])
def test_encode_decode_and_forward_give_what_the_codec_gives(name: str, channels: int, ratio: int, made: Any) -> None:
    module, methods = made(name)
    assert methods["encode"] == module.encode_params.tolist() == [1, 1, channels, ratio]
    assert methods["decode"] == module.decode_params.tolist() == [channels, ratio, 1, 1]
    assert module.get_methods() == ["encode", "decode", "forward"]
    assert len(module.encode_output_labels) == channels
    codec = musicae.load(name)
    sound = codec.adapter.sound
    assert sound is not None
    x = tone(sound.size)
    wanted = sound.synthesise(codec.decode(codec.encode(sound.analyse(x[:, 0])).mean))[:, None]
    assert wanted.abs().max() > 0.1
    silence = torch.zeros_like(x)
    out = through(module, torch.cat([x, silence], 2), BUFFER)
    torch.testing.assert_close(out[..., sound.size :], wanted, rtol=0, atol=1e-4)
    codes = through(module.encode, torch.cat([x, silence], 2), BUFFER)
    assert codes.shape == (1, channels, 2 * sound.size // ratio)
    codes = codes[..., sound.size // ratio :]
    out = through(module.decode, torch.cat([codes, codes], 2), BUFFER // ratio)
    torch.testing.assert_close(out[..., sound.size :], wanted, rtol=0, atol=1e-4)


def test_signals_of_a_code_in_frames_are_its_numbers_over_time(made: Any) -> None:
    module, _ = made("sound")
    codec = musicae.load("sound")
    x = tone(codec.spec.shape[0])
    code = codec.encode(x).mean.view(129, 64)
    with torch.inference_mode():
        module.encode(x)
        signals = module.encode(x)[0]
    torch.testing.assert_close(signals[:64], code[:128].T, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(signals[64, :64], code[128], rtol=1e-3, atol=1e-3)


def test_several_at_once_are_each_on_their_own(made: Any) -> None:
    x = tone(2 * BUFFER, batch=2)
    both = through(made("denoise-speech")[0], x, BUFFER)
    for i in range(2):
        alone = through(made("denoise-speech")[0], x[i : i + 1], BUFFER)
        torch.testing.assert_close(both[i : i + 1], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["melody-2bar", "mnist-vae", "photo-denoise"])
def test_what_has_no_sound_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(MusicaeError, match=f"'{name}' does not"):
        write(name, tmp_path / "a.ts")
    assert list(tmp_path.iterdir()) == []
