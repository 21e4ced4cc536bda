"""The verbs, with a model that keeps everything, so that what comes out is known, and with a small untrained one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from torch import Tensor, nn

from musicae import codec as codecs
from musicae import ops, preset
from musicae.adapters.drums import Drums
from musicae.adapters.melody import Melody
from musicae.codec import Codec
from musicae.core import Choose, Latent, Sample, Spec
from musicae.errors import MusicaeError
from musicae.likelihoods import Bernoulli, Categorical, Gaussian

SPEC = Melody().spec


class Mirror(nn.Module):
    """A model whose code is the window itself."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.latent_size = spec.channels * spec.shape[0]

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        return Latent(x.flatten(1))

    def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return z.unflatten(1, self.spec.full_shape)

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        values = self.params(z, z)
        return choose(values - 0.5 if self.spec.likelihood == "bernoulli" else values)


class Forgetful(Mirror):
    """A model that always gives a rest on the first step of a window."""

    def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
        out = super().params(z, x).clone()
        out[:, :, 0] = 0
        out[:, 0, 0] = 1
        return out


def exact(kind: type[Mirror] = Mirror) -> Codec:
    adapter = Melody()
    return Codec(preset.Preset("mirror"), adapter, kind(adapter.spec), Categorical())


@pytest.fixture(scope="session")
def tiny(tiny_melody: Path) -> Codec:
    return codecs.load(str(tiny_melody))


@pytest.fixture
def data(repository: Path) -> Path:
    return repository / "data"


def line(*tokens: int) -> Tensor:
    """Return a melody one-hot over the channels, ``(C, T)``."""
    return torch.eye(SPEC.channels)[list(tokens)].T.contiguous()


def written(path: Path, tensor: Tensor, **meta: Any) -> Path:
    adapter = Melody()
    adapter.write(Sample(tensor, {**adapter.blank(), **meta}), path)
    return path


# --- interpolate ---------------------------------------------------------------------------------------------------


def test_the_whole_length_of_both_is_interpolated(data: Path) -> None:
    codec = exact()
    a, b = (codec.adapter.read(data / name) for name in ("twinkle.mid", "ode-to-joy.mid"))
    made = ops.interpolate(data / "twinkle.mid", data / "ode-to-joy.mid", preset=codec, steps=5)
    assert len(made.parts) == len(made.distances) == 5
    assert made.codes.shape == (2, 4, codec.model.latent_size)
    assert torch.equal(made.parts[0].tensor, a.tensor)
    assert torch.equal(made.parts[-1].tensor, b.tensor)
    assert made.distances[0] == 0
    assert made.distances[-1] == pytest.approx(ops.differences(a.tensor[None], b.tensor[None]).item())
    assert made.notices == []
    assert made.joined().tensor.shape == (SPEC.channels, 5 * 128)


def test_the_shorter_is_looped_padded_or_the_longer_trimmed(tmp_path: Path) -> None:
    short, long = [5, 1, 1, 1, 6, 1, 1, 1] * 2, [9, 1, 1, 1] * 12
    a, b = written(tmp_path / "a.mid", line(*short)), written(tmp_path / "b.mid", line(*long))

    def first_and_last(align: str) -> tuple[list[int], list[int], list[str]]:
        made = ops.interpolate(a, b, preset=exact(), steps=3, align=align)
        tokens = [part.tensor.argmax(0).tolist() for part in made.parts]
        return tokens[0], tokens[-1], made.notices

    assert first_and_last("loop") == (short * 3, long, ["a.mid has 16 steps, not 48; it was looped"])
    assert first_and_last("pad") == (short + [0] * 32, long, ["a.mid has 16 steps, not 48; silence was added"])
    assert first_and_last("trim") == (short, long[:16], ["b.mid has 48 steps, not 16; it was cut"])
    with pytest.raises(MusicaeError, match="align must be"):
        ops.interpolate(a, b, preset=exact(), align="stretch")


def test_whole_recordings_are_interpolated_and_lengths_are_in_seconds(tmp_path: Path) -> None:
    model = {"name": "mdct-vae", "latent": 32, "hop": 32, "width": 8, "blocks": 1}
    codec = codecs.build(
        preset.Preset("made", {"adapter": {"name": "audio", "rate": 8000, "size": 1024}, "model": model})
    )
    sounds = {name: torch.randn(length) / 10 for name, length in {"a.wav": 4000, "b.wav": 12_000}.items()}
    for name, x in sounds.items():
        soundfile.write(tmp_path / name, x.numpy(), 8000, "FLOAT")
    made = ops.interpolate(tmp_path / "a.wav", tmp_path / "b.wav", preset=codec, steps=3)
    assert made.notices == ["a.wav has 0.5 s, not 1.5 s; it was looped"]
    first, last = made.parts[0].tensor[0], made.parts[-1].tensor[0]
    torch.testing.assert_close(first, sounds["a.wav"].repeat(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(last, sounds["b.wav"], atol=1e-3, rtol=0)
    assert made.joined().tensor.shape == (1, 36_000)


def test_the_shorter_of_two_drums_is_struck_once(tmp_path: Path) -> None:
    time = torch.arange(57_000) / 44_100
    for name, seconds, pitch in (("kick", 0.6, 60), ("snare", 1.2, 180)):
        hit = 0.8 * torch.sin(2 * torch.pi * pitch * time) * torch.exp(-9 * time) * (time < seconds)
        soundfile.write(tmp_path / f"{name}.wav", hit[: round(seconds * 44_100)].numpy(), 44_100)
    kick, snare = tmp_path / "kick.wav", tmp_path / "snare.wav"

    def levels(align: str | None) -> tuple[list[str], torch.Tensor]:
        made = ops.interpolate(kick, snare, steps=2, align=align)
        return made.notices, made.parts[0].tensor[0].mean(0)

    notices, level = levels(None)
    assert notices == ["kick.wav has 1.0 s, not 1.2 s; silence was added"]
    struck = level[:20].max()
    assert level[170:].max() < 0.2 * struck
    notices, level = levels("loop")
    assert notices == ["kick.wav has 1.0 s, not 1.2 s; it was looped"]
    assert level[170:].max() > 0.5 * struck


def test_what_was_looped_or_cut_leaves_no_tempo_behind_in_what_follows(tmp_path: Path) -> None:
    b = written(tmp_path / "b.mid", line(*[9, 1, 1, 1] * 12), tempos=[[0, 100.0], [32, 200.0]])
    a = written(tmp_path / "a.mid", line(*[5, 1, 1, 1] * 4), tempos=[[0, 60.0]])
    made = ops.interpolate(b, a, preset=exact(), steps=2, align="trim", exact_endpoints=True)
    tempos = made.joined().meta["tempos"]
    assert [(at, round(qpm)) for at, qpm in tempos] == [(0, 100), (16, 60)]


def test_windows_overlap_by_the_hop_of_the_inputs(data: Path) -> None:
    codec = exact()
    path = data / "greensleeves.mid"
    sample = codec.adapter.read(path)
    assert sample.hop == 24  # Two bars of 6/8 would not fit a window; one and a half of 4/4 do.
    made = ops.interpolate(path, path, preset=codec, steps=2)
    assert all(torch.equal(part.tensor, sample.tensor) for part in made.parts)
    mixed = ops.interpolate(path, data / "twinkle.mid", preset=codec, steps=2)
    assert "the inputs have different bars; all are cut into windows of 32 steps" in mixed.notices
    assert torch.equal(mixed.parts[0].tensor[:, :108], sample.tensor)


def test_exact_endpoints_are_the_inputs(tiny: Codec, data: Path) -> None:
    files = data / "twinkle.mid", data / "ode-to-joy.mid"
    plain = ops.interpolate(*files, preset=tiny, steps=4)
    ends = ops.interpolate(*files, preset=tiny, steps=4, exact_endpoints=True)
    for i, file in ((0, files[0]), (-1, files[1])):
        sample = tiny.adapter.read(file)
        assert not torch.equal(plain.parts[i].tensor, sample.tensor)
        assert torch.equal(ends.parts[i].tensor, sample.tensor)
        assert ends.parts[i].meta == sample.meta
    assert torch.equal(plain.parts[1].tensor, ends.parts[1].tensor)
    assert ends.distances[0] == 0


def test_a_grid_has_its_inputs_in_the_corners(data: Path) -> None:
    codec = exact()
    files = [data / f"{name}.mid" for name in ("twinkle", "ode-to-joy", "band", "twinkle")]
    made = ops.interpolate(*files, preset=codec, steps=3, grid=True)
    assert len(made.parts) == 9
    for corner, file in zip((0, 2, 6, 8), files, strict=True):
        sample = codec.adapter.read(file)
        assert torch.equal(made.parts[corner].tensor[:, : sample.tensor.shape[1]], sample.tensor)
    assert made.parts[0].meta["tempos"] == codec.adapter.read(files[0]).meta["tempos"]


def test_tempo_goes_from_one_to_the_other(tmp_path: Path) -> None:
    notes = line(*[5, 1, 1, 1] * 8)
    a = written(tmp_path / "a.mid", notes, tempos=[[0, 60.0]])
    b = written(tmp_path / "b.mid", notes, tempos=[[0, 240.0]])
    made = ops.interpolate(a, b, preset=exact(), steps=3)
    assert [part.meta["tempos"][0][1] for part in made.parts] == pytest.approx([60, 120, 240], rel=1e-3)


@pytest.mark.parametrize("spherical", [True, False])
def test_the_same_file_twice(tiny: Codec, data: Path, spherical: bool) -> None:
    file = data / "twinkle.mid"
    made = ops.interpolate(file, file, preset=tiny, spherical=spherical)
    assert made.distances == [0.0] * 9


def test_the_same_call_gives_the_same_music(tiny: Codec, data: Path) -> None:
    files = data / "twinkle.mid", data / "ode-to-joy.mid"
    one, two = (ops.interpolate(*files, preset=tiny, steps=3, temperature=0.8, seed=5) for _ in range(2))
    assert all(torch.equal(a.tensor, b.tensor) for a, b in zip(one.parts, two.parts, strict=True))


def test_drums_are_interpolated_too(tiny_drums: Path, data: Path) -> None:
    made = ops.interpolate(data / "rock.mid", data / "bossa.mid", preset=str(tiny_drums), steps=3)
    assert made.parts[1].tensor.shape == (9, 64)
    assert set(made.parts[1].tensor.unique().tolist()) <= {0.0, 1.0}


def test_read_options_hold_for_all_inputs(data: Path) -> None:
    made = ops.interpolate(data / "twinkle.mid", data / "ode-to-joy.mid", preset=exact(), steps=2, bars="3-4")
    for part, name in zip(made.parts, ("twinkle.mid", "ode-to-joy.mid"), strict=True):
        assert torch.equal(part.tensor, Melody().read(data / name).tensor[:, 32:64])


def test_interpolate_refuses(tiny: Codec, data: Path) -> None:
    a, b = data / "twinkle.mid", data / "ode-to-joy.mid"
    for arguments, settings, line_ in [
        ((a, b, a), {}, "interpolate takes 2 files, or 4 for a grid, not 3"),
        ((a, b), {"grid": True}, "interpolate takes 2 files, or 4 for a grid, not 2 for a grid"),
        ((a, b), {"steps": 1}, "steps must be between 2 and 1000, not 1"),
        ((a, b), {"temperature": float("nan")}, "temperature must be 0 or more, not nan"),
        ((a, b), {"temperature": -1.0}, "temperature must be 0 or more"),
        ((a, b), {"pages": 3}, "the adapter of 'tiny-melody' has no option 'pages'; it takes track, bars"),
        ((a, data / "no.mid"), {}, "there is no file .*no.mid; check the name"),
        ((a, data / "rock.mid"), {}, "rock.mid: it has only drums; use --preset drums-2bar"),
    ]:
        with pytest.raises(MusicaeError, match=line_):
            ops.interpolate(*arguments, preset=tiny, **settings)


# --- the other verbs -----------------------------------------------------------------------------------------------


def test_reconstruct_tells_how_much_is_right(data: Path) -> None:
    whole = ops.reconstruct(data / "twinkle.mid", preset=exact())
    assert whole.accuracy == 1
    assert torch.equal(whole.sample.tensor, Melody().read(data / "twinkle.mid").tensor)
    assert whole.sample.meta == Melody().read(data / "twinkle.mid").meta
    # An onset is lost in each of 4 windows of 32 steps.
    assert ops.reconstruct(data / "twinkle.mid", preset=exact(Forgetful)).accuracy == pytest.approx(31 / 32)


def test_reconstruct_of_drums_counts_steps_with_all_drums_right(data: Path) -> None:
    adapter = Drums()
    codec = Codec(preset.Preset("mirror"), adapter, Mirror(adapter.spec), Bernoulli())
    assert ops.reconstruct(data / "rock.mid", preset=codec).accuracy == 1


def test_reconstruct_of_real_values_tells_the_share_of_the_variance(tmp_path: Path) -> None:
    class Waves(Melody):
        @property
        def spec(self) -> Spec:
            return Spec(1, (4,), "gaussian")

        def read(self, path: Path, **options: Any) -> Sample:
            return Sample(torch.tensor([[1.0, -1, 1, -1, 1, -1]]), self.blank())

    class Halved(Mirror):
        def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
            return super().params(z, x) / 2

    spec = Waves().spec
    made = ops.reconstruct(tmp_path, preset=Codec(preset.Preset("w"), Waves(), Mirror(spec), Gaussian()))
    assert made.accuracy == 1
    made = ops.reconstruct(tmp_path, preset=Codec(preset.Preset("w"), Waves(), Halved(spec), Gaussian()))
    assert made.accuracy == pytest.approx(0.75)


def test_sample_draws_by_its_seed(tiny: Codec) -> None:
    drawn = ops.sample(tiny, 3, seed=4)
    assert [one.tensor.shape for one in drawn] == [SPEC.full_shape] * 3
    assert all(torch.equal(a.tensor, b.tensor) for a, b in zip(drawn, ops.sample(tiny, 3, seed=4), strict=True))
    assert not torch.equal(drawn[0].tensor, drawn[1].tensor)
    assert not torch.equal(drawn[0].tensor, ops.sample(tiny, 1, seed=5)[0].tensor)
    frozen = ops.sample(tiny, 2, temperature=0)
    assert torch.equal(frozen[0].tensor, frozen[1].tensor)
    for n in (0, 1001):
        with pytest.raises(MusicaeError, match="the number of results must be between 1 and 1000"):
            ops.sample(tiny, n)


def test_a_language_model_has_nothing_to_draw_a_code_from() -> None:
    tree = {"adapter": {"name": "melody"}, "model": {"name": "lm", "width": 8}}
    with pytest.raises(MusicaeError, match="the preset 'lm' has no codes to draw"):
        ops.sample(codecs.build(preset.resolve(preset.parse(tree, "lm"))))


def test_vary_goes_from_the_file_to_a_draw(tiny: Codec, data: Path) -> None:
    file = data / "twinkle.mid"
    kept = ops.vary(file, 1.0, 2, preset=tiny)
    same = ops.reconstruct(file, preset=tiny).sample.tensor
    assert [torch.equal(one.tensor, same) for one in kept] == [True, True]
    other = ops.vary(file, 0.0, 2, preset=tiny, seed=3)
    drawn = [one.tensor for one in ops.sample(tiny, 2, seed=3)]
    # Each of the 4 windows has gone all the way to the one draw of its variation.
    assert [torch.equal(one.tensor, draw.repeat(1, 4)) for one, draw in zip(other, drawn, strict=True)] == [True, True]
    between = ops.vary(file, 0.6, 2, preset=tiny, seed=3)
    assert not torch.equal(between[0].tensor, between[1].tensor)
    assert between[0].meta == tiny.adapter.read(file).meta


@pytest.mark.parametrize("similarity", [float("nan"), -0.1, 1.1])
def test_vary_refuses_a_similarity_that_is_none(tiny: Codec, data: Path, similarity: float) -> None:
    with pytest.raises(MusicaeError, match="similarity must be between 0 and 1"):
        ops.vary(data / "twinkle.mid", similarity, preset=tiny)


# --- pictures ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def digits(tiny_digits: Path) -> Codec:
    return codecs.load(str(tiny_digits))


def test_reconstruct_of_a_picture_tells_its_psnr(data: Path, digits: Codec) -> None:
    made = ops.reconstruct(data / "three.png", preset=digits)
    given = digits.adapter.read(data / "three.png").tensor
    error = (made.sample.tensor - given).square().mean()
    assert made.psnr == pytest.approx(-10 * error.log10().item(), abs=1e-4)
    assert made.accuracy == pytest.approx(1 - (error / given.var(correction=0)).item(), abs=1e-4)
    assert ops.reconstruct(data / "twinkle.mid", preset=exact()).psnr is None


def test_pictures_are_interpolated(data: Path, digits: Codec) -> None:
    made = ops.interpolate(data / "three.png", data / "seven.png", preset=digits, steps=5)
    assert [part.tensor.shape for part in made.parts] == [(1, 28, 28)] * 5
    for part, name in ((made.parts[0], "three"), (made.parts[-1], "seven")):
        whole = ops.reconstruct(data / f"{name}.png", preset=digits).sample.tensor
        assert torch.allclose(part.tensor, whole, atol=1e-5)
    assert made.distances == sorted(made.distances)
    assert made.joined().tensor.shape == (1, 28, 5 * 28)


def test_a_label_chooses_what_is_sampled(tiny_classes: Path) -> None:
    codec = codecs.load(str(tiny_classes))
    seven, also, other = (ops.sample(codec, 3, label=label, seed=2) for label in (7, "7", 8))
    each = ops.sample(codec, 12, seed=2)
    assert all(torch.equal(a.tensor, b.tensor) for a, b in zip(seven, also, strict=True))
    assert not torch.equal(seven[0].tensor, other[0].tensor)
    cond = codec.labels(torch.arange(12) % 10)
    wanted = codec.decode(codec.draw(12, 2, cond=cond), cond=cond)
    assert all(torch.equal(one.tensor, want) for one, want in zip(each, wanted, strict=True))


def test_conditional_verbs_ask_for_a_label(tiny_classes: Path, digits: Codec, data: Path) -> None:
    codec, three = codecs.load(str(tiny_classes)), data / "three.png"
    assert ops.reconstruct(three, preset=codec, label=3).psnr != ops.reconstruct(three, preset=codec, label=4).psnr
    assert len(ops.vary(three, n=2, preset=codec, label="3")) == 2
    for verb in (ops.reconstruct, ops.vary):
        with pytest.raises(MusicaeError, match="'tiny-classes' must know what it is given; choose a label of 0, 1, 2"):
            verb(three, preset=codec)
        with pytest.raises(MusicaeError, match="'tiny-digits' takes no label; use a conditional one"):
            verb(three, preset=digits, label=3)
    with pytest.raises(MusicaeError, match="the codes of 'tiny-classes' say nothing without their labels"):
        ops.interpolate(three, three, preset=codec)
    with pytest.raises(MusicaeError, match="'tiny-classes' has no label '12'; it has 0, 1, 2"):
        ops.sample(codec, label=12)
