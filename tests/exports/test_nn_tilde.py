"""Files for nn~: loaded as it loads them, and called buffer by buffer."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import musicae
from musicae.adapters.audio import Audio
from musicae.errors import MusicaeError
from musicae.exports.nn_tilde import write
from musicae.formats.music import synth

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


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Any:
    """Return what gives samples of a song as it sounds, ``(batch, 1, samples)``, each row from another place."""
    path = tmp_path_factory.mktemp("song") / "song.wav"
    synth.render(repository / "data" / "rock.mid", path)

    def excerpt(rate: int, samples: int, batch: int = 1) -> Tensor:
        sound = Audio(rate, samples).read(path).tensor
        return torch.stack([sound[:, start : start + samples] for start in range(rate, (batch + 1) * rate, rate)])

    return excerpt


@torch.inference_mode()
def through(method: Any, x: Tensor, size: int) -> Tensor:
    """Return what a method makes of ``(B, C, n)``, in buffers of `size`."""
    return torch.cat([method(block) for block in x.split(size, 2)], 2)


def db_apart(x: Tensor, wanted: Tensor) -> float:
    """Return the power of the difference in decibels below `wanted`: Griffin-Lim multiplies rounding errors."""
    return float(10 * ((x - wanted).square().mean() / wanted.square().mean()).log10())


def test_a_denoiser_gives_what_the_codec_gives_however_large_the_buffers(made: Any, recorded: Any) -> None:
    module, methods = made("denoise-speech")
    assert methods == {"forward": [1, 1, 1, 1]}
    assert module.forward_params.tolist() == [1, 1, 1, 1]
    assert (module.get_methods(), module.get_attributes(), module.get_sample_rate()) == (["forward"], [], 16_000)
    assert (module.forward_input_labels, module.forward_output_labels) == (["(signal) sound"], ["(signal) sound"])
    x, model = recorded(16_000, 10 * BUFFER), musicae.load("denoise-speech").model
    x = x + 0.03 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    late = model.multiple
    with torch.no_grad():
        wanted, _ = model.stream(x[..., : x.shape[2] // late * late], model.initial_state())
    out = through(module, x, BUFFER)
    assert out.shape == x.shape
    assert wanted.abs().max() > 0.1
    torch.testing.assert_close(out[..., late:], wanted[..., : x.shape[2] - late], rtol=0, atol=1e-5)
    again, _ = made("denoise-speech")
    torch.testing.assert_close(through(again, x, 512), out, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "channels", "ratio"), [("sound", 65, 256), ("drum-sounds", 59, 2048)])
def test_encode_decode_and_forward_give_what_the_codec_gives(
    name: str, channels: int, ratio: int, made: Any, recorded: Any
) -> None:
    module, methods = made(name)
    assert methods["encode"] == module.encode_params.tolist() == [1, 1, channels, ratio]
    assert methods["decode"] == module.decode_params.tolist() == [channels, ratio, 1, 1]
    assert module.get_methods() == ["encode", "decode", "forward"]
    assert len(module.encode_output_labels) == channels
    codec = musicae.load(name)
    sound = codec.adapter.sound
    assert sound is not None
    x = recorded(sound.rate, 2 * sound.size)
    codes = [codec.encode(sound.analyse(window[0])).mean for window in x.split(sound.size, 2)]
    wanted = torch.cat([sound.synthesise(codec.decode(code)) for code in codes], 1)[None]
    assert wanted.abs().max() > 0.1
    longer = torch.cat([x, torch.zeros(1, 1, sound.size)], 2)
    out = through(module, longer, BUFFER)
    assert db_apart(out[..., sound.size :], wanted) < -50
    signals = through(module.encode, longer, BUFFER)
    assert signals.shape == (1, channels, 3 * sound.size // ratio)
    first = sound.size // ratio
    signals = torch.cat([signals[..., first:], signals[..., :first]], 2)
    out = through(module.decode, signals, BUFFER // ratio)
    assert db_apart(out[..., sound.size :], wanted) < -50


def test_signals_of_a_code_in_frames_are_its_numbers_over_time(made: Any, recorded: Any) -> None:
    module, _ = made("sound")
    codec = musicae.load("sound")
    x = recorded(16_000, codec.spec.shape[0])
    code = codec.encode(x).mean.view(129, 64)
    with torch.inference_mode():
        module.encode(x)
        signals = module.encode(x)[0]
    torch.testing.assert_close(signals[:64], code[:128].T, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(signals[64, :64], code[128], rtol=1e-3, atol=1e-3)


def test_several_at_once_are_each_on_their_own(made: Any, recorded: Any) -> None:
    x = recorded(16_000, 2 * BUFFER, batch=2)
    both = through(made("denoise-speech")[0], x, BUFFER)
    for i in range(2):
        alone = through(made("denoise-speech")[0], x[i : i + 1], BUFFER)
        torch.testing.assert_close(both[i : i + 1], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["melody-2bar", "mnist-vae", "photo-denoise"])
def test_what_has_no_sound_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(MusicaeError, match=f"'{name}' does not"):
        write(name, tmp_path / "a.ts")
    assert list(tmp_path.iterdir()) == []
