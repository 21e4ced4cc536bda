"""The verbs, with a model that keeps everything, so that what comes out is known, and with a small untrained one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
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


# --- walk ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("spherical", [True, False])
def test_a_walk_begins_at_a_and_ends_at_b(tiny: Codec, even: bool, spherical: bool) -> None:
    za, zb = torch.randn(3, 8), torch.randn(3, 8)
    steps = ops.walk(tiny, za, zb, 5, even=even, spherical=spherical)
    assert steps.shape == (5, 3, *SPEC.full_shape)
    assert torch.equal(steps[0], tiny.decode(za))
    assert torch.equal(steps[-1], tiny.decode(zb))


def test_an_even_walk_never_turns_back_and_its_largest_change_is_smaller(tiny: Codec) -> None:
    generator = torch.Generator().manual_seed(0)
    za, zb = 4 * torch.randn(20, 8, generator=generator), 4 * torch.randn(20, 8, generator=generator)
    even, uneven = ops.walk(tiny, za, zb, 9), ops.walk(tiny, za, zb, 9, even=False)
    far = torch.stack([ops.differences(step, even[0]) for step in even])
    assert far[-1].min() > 0
    assert (far.diff(dim=0)[:-1] >= 0).all()

    def largest(walk: Tensor) -> Tensor:
        return torch.stack([ops.differences(now, then) for now, then in pairwise(walk)]).amax(0)

    assert largest(even).mean() < 0.9 * largest(uneven).mean()


def test_pairs_do_not_depend_on_their_neighbours(tiny: Codec) -> None:
    za, zb = torch.randn(70, 8), torch.randn(70, 8)
    together = ops.walk(tiny, za, zb, 4)
    alone = torch.cat([ops.walk(tiny, za[i : i + 1], zb[i : i + 1], 4) for i in (0, 62, 69)], dim=1)
    assert torch.equal(together[:, [0, 62, 69]], alone)


@pytest.mark.parametrize("spherical", [True, False])
def test_a_walk_between_equal_codes_stands_still(tiny: Codec, spherical: bool) -> None:
    z = torch.randn(2, 8)
    for codes in (z, torch.zeros(2, 8)):
        steps = ops.walk(tiny, codes, codes, 5, spherical=spherical)
        assert all(torch.equal(step, tiny.decode(codes)) for step in steps)


def test_a_warm_walk_is_drawn_by_its_seed(tiny: Codec) -> None:
    za, zb = torch.randn(40, 8), torch.randn(40, 8)
    one, same, other = (ops.walk(tiny, za, zb, 3, temperature=1.0, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one, ops.walk(tiny, za, zb, 3))


def test_a_walk_tells_how_far_it_has_come(tiny: Codec) -> None:
    told: list[tuple[int, int]] = []
    ops.walk(tiny, torch.randn(70, 8), torch.randn(70, 8), 3, report=lambda done, of: told.append((done, of)))
    assert told == [(0, 70), (62, 70), (70, 70)]


def test_a_long_way_through_the_noise_is_followed_at_a_few_places() -> None:
    class Bent:
        """Stands for a prior whose codes lie on a parabola over the noise."""

        def to_noise(self, z: Tensor) -> Tensor:
            return z[:, :1].repeat(1, 2)

        def from_noise(self, noise: Tensor) -> Tensor:
            return torch.stack([noise[:, 0], noise[:, 0].square()], dim=1)

    codec = exact()
    codec.prior = Bent()  # type: ignore[assignment]
    a, b = torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 1.0]])
    times = torch.linspace(0, 1, 65)
    codes = ops._between(codec, a, b, times, spherical=False)
    assert torch.allclose(codes[:, 0, 1], times.square(), atol=0.005)
    assert torch.equal(codes[0], a)
    assert torch.equal(codes[-1], b)
    assert torch.allclose(ops._between(codec, a, b, times[::8], spherical=False)[:, 0, 1], times[::8].square())


def test_more_steps_than_fine_moments(tiny: Codec) -> None:
    assert len(ops.walk(tiny, torch.randn(1, 8), torch.randn(1, 8), 70)) == 70


@pytest.mark.parametrize("steps", [-1, 0, 1, 1001])
def test_a_walk_refuses_a_senseless_number_of_steps(tiny: Codec, steps: int) -> None:
    with pytest.raises(MusicaeError, match="steps must be between 2 and 1000"):
        ops.walk(tiny, torch.zeros(1, 8), torch.zeros(1, 8), steps)


def test_differences_count_places_or_measure_them() -> None:
    a, b = line(2, 1, 1, 0)[None], line(2, 1, 5, 5)[None]
    assert ops.differences(a, b).tolist() == [0.5]
    hits = torch.tensor([[[1.0, 0, 0, 0], [1, 0, 0, 1]]])
    assert ops.differences(hits, torch.zeros(1, 2, 4), "bernoulli").tolist() == [0.5]
    assert ops.differences(torch.full((2, 1, 3), 3.0), torch.zeros(2, 1, 3), "gaussian").tolist() == [3, 3]


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


# --- which preset --------------------------------------------------------------------------------------------------


def test_the_kind_of_file_picks_the_preset(data: Path, tmp_path: Path) -> None:
    tune = tmp_path / "tune.ABC"
    tune.write_text("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n")
    chosen = {name: ops.preset_for(data / name) for name in ("twinkle.mid", "band.mid", "rock.mid", "bossa.mid")}
    assert chosen == {
        "twinkle.mid": "melody-2bar", "band.mid": "melody-2bar", "rock.mid": "drums-2bar", "bossa.mid": "drums-2bar",
    }  # fmt: skip
    assert ops.preset_for(tune) == "melody-2bar"


def test_a_broken_adapter_of_another_package_keeps_ours_from_no_file(data: Path, entry_points: Any) -> None:
    entry_points.add("adapters", "a-wreck", "no_such_module:Adapter", "musicae-wreck")
    assert ops.preset_for(data / "rock.mid") == "drums-2bar"


def test_files_that_no_preset_takes(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(MusicaeError, match=r"notes.txt is of no kind that is read here \(.abc, .mid, .midi\)"):
        ops.preset_for(tmp_path / "notes.txt")
    with pytest.raises(MusicaeError, match="is a folder; name a file in it"):
        ops.preset_for(tmp_path)
    with pytest.raises(MusicaeError, match="there is no file"):
        ops.preset_for(tmp_path / "no.mid")
    with pytest.raises(MusicaeError, match="no file to choose a preset by"):
        ops.codec_for(None)


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
