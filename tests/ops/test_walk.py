"""Walks between codes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from musicae import preset
from musicae.adapters.melody import Melody
from musicae.codec import Codec
from musicae.core import Group, Model, Prior, Spec
from musicae.errors import MusicaeError
from musicae.ops import walk as walks
from musicae.tensors import latent
from musicae.tensors.likelihoods.categorical import Categorical

SPEC = Melody().spec


def walk(codec: Codec, za: Tensor, zb: Tensor, steps: int, report: Any = None, **options: Any) -> Tensor:
    """Return the values of a walk."""
    return walks.walk(codec, za, zb, walks.WalkOptions(steps, **options), report=report).values


class NoModel(Model):
    """Stands where only the prior is asked."""


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("spherical", [True, False])
def test_a_walk_begins_at_a_and_ends_at_b(tiny: Codec, even: bool, spherical: bool) -> None:
    za, zb = torch.randn(3, 8), torch.randn(3, 8)
    steps = walk(tiny, za, zb, 5, even=even, spherical=spherical)
    assert steps.shape == (5, 3, *SPEC.full_shape)
    assert torch.equal(steps[0], tiny.decode(za))
    assert torch.equal(steps[-1], tiny.decode(zb))


def test_an_even_walk_never_turns_back_and_its_largest_change_is_smaller(tiny: Codec) -> None:
    generator = torch.Generator().manual_seed(0)
    za, zb = 4 * torch.randn(20, 8, generator=generator), 4 * torch.randn(20, 8, generator=generator)
    even, uneven = walk(tiny, za, zb, 9), walk(tiny, za, zb, 9, even=False)
    far = torch.stack([tiny.likelihood.distance(step, even[0]) for step in even])
    assert far[-1].min() > 0
    assert (far.diff(dim=0)[:-1] >= 0).all()

    def largest(walk: Tensor) -> Tensor:
        return torch.stack([tiny.likelihood.distance(now, then) for now, then in pairwise(walk)]).amax(0)

    assert largest(even).mean() < 0.9 * largest(uneven).mean()


def test_pairs_do_not_depend_on_their_neighbours(tiny: Codec) -> None:
    za, zb = torch.randn(70, 8), torch.randn(70, 8)
    together = walk(tiny, za, zb, 4)
    alone = torch.cat([walk(tiny, za[i : i + 1], zb[i : i + 1], 4) for i in (0, 62, 69)], dim=1)
    assert torch.equal(together[:, [0, 62, 69]], alone)


@pytest.mark.parametrize("spherical", [True, False])
def test_a_walk_between_equal_codes_stands_still(tiny: Codec, spherical: bool) -> None:
    z = torch.randn(2, 8)
    for codes in (z, torch.zeros(2, 8)):
        steps = walk(tiny, codes, codes, 5, spherical=spherical)
        assert all(torch.equal(step, tiny.decode(codes)) for step in steps)


def test_a_warm_walk_is_drawn_by_its_seed(tiny: Codec) -> None:
    za, zb = torch.randn(40, 8), torch.randn(40, 8)
    one, same, other = (walk(tiny, za, zb, 3, temperature=1.0, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one, walk(tiny, za, zb, 3))


def test_a_walk_tells_how_far_it_has_come(tiny: Codec) -> None:
    told: list[tuple[int, int]] = []
    walk(tiny, torch.randn(70, 8), torch.randn(70, 8), 3, report=lambda done, of: told.append((done, of)))
    assert told == [(0, 70), (45, 70), (70, 70)]


def test_a_long_way_through_the_noise_is_followed_at_a_few_places() -> None:
    class Bent(Prior):
        """A prior whose codes lie on a parabola over the noise."""

        active_size = 2

        def to_noise(self, z: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
            return z[:, :1].repeat(1, 2)

        def from_noise(self, noise: Tensor, cond: Tensor | None = None, given: Tensor | None = None) -> Tensor:
            return torch.stack([noise[:, 0], noise[:, 0].square()], dim=1)

    codec = Codec(preset.Preset("bent"), Melody(), NoModel(), Categorical(), Bent())
    a, b = torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 1.0]])
    times = torch.linspace(0, 1, 65)
    codes = walks.between(codec, a, b, times, spherical=False)
    assert torch.allclose(codes[:, 0, 1], times.square(), atol=0.005)
    assert torch.equal(codes[0], a)
    assert torch.equal(codes[-1], b)
    assert torch.allclose(walks.between(codec, a, b, times[::8], spherical=False)[:, 0, 1], times[::8].square())


def test_a_walk_says_when_it_is_where(tiny: Codec) -> None:
    za, zb = torch.randn(3, 8), torch.randn(3, 8)
    values, times, _ = walks.walk(tiny, za, zb, walks.WalkOptions(5))
    assert times.shape == (5, 3)
    assert times[0].tolist() == [0, 0, 0]
    assert times[-1].tolist() == [1, 1, 1]
    for i in range(3):
        code = walks.between(tiny, za[i : i + 1], zb[i : i + 1], torch.linspace(0, 1, 33), spherical=True)
        stop = int((times[2, i] * 32).round())
        near = tiny.decode(code[max(0, stop - 8) : stop + 9, 0])  # Half bars are up to a step ahead or behind.
        for half, shown in zip(near.split(8, -1), values[2, i].split(8, -1), strict=True):
            assert (half == shown).flatten(1).all(1).any()
    uneven = walks.walk(tiny, za, zb, walks.WalkOptions(5, even=False)).times
    assert torch.equal(uneven, torch.linspace(0, 1, 5)[:, None].expand(5, 3))


def test_more_steps_than_fine_moments(tiny: Codec) -> None:
    assert len(walk(tiny, torch.randn(1, 8), torch.randn(1, 8), 70)) == 70


@pytest.mark.parametrize("steps", [-1, 0, 1, 1001])
def test_a_walk_refuses_a_senseless_number_of_steps(tiny: Codec, steps: int) -> None:
    with pytest.raises(MusicaeError, match="steps must be between 2 and 1000"):
        walk(tiny, torch.zeros(1, 8), torch.zeros(1, 8), steps)


def test_pictures_are_compared_by_their_greys(digits: Codec) -> None:
    za, zb = torch.tensor([[-2.0, 0.5]]), torch.tensor([[2.0, 1.0]])
    steps = walk(digits, za, zb, 5)
    assert steps.shape == (5, 1, 1, 28, 28)
    assert torch.allclose(steps[0], digits.decode(za), atol=1e-5)
    assert torch.allclose(steps[-1], digits.decode(zb), atol=1e-5)
    far = digits.likelihood.distance(steps[:, 0], steps[0])
    assert (far.diff() > 0).all()


def test_conditions_go_along_with_the_walk() -> None:
    a, b = torch.rand(2, 3, 4), torch.rand(2, 3, 4)
    times = torch.tensor([0.0, 0.25, 1.0])
    told = walks.between_conditions((a, b), times)
    assert told is not None
    assert told.shape == (3, 2, 3, 4)
    assert torch.equal(told[0], a)
    torch.testing.assert_close(told[1], a + 0.25 * (b - a))
    each = walks.between_conditions((a, b), torch.tensor([[0.0, 1.0]]))
    assert each is not None
    assert torch.equal(each[0, 0], a[0])
    assert torch.equal(each[0, 1], b[1])
    assert walks.between_conditions(None, times) is None


def test_few_values_are_decoded_at_once(tiny: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    za, zb = torch.randn(5, 8), torch.randn(5, 8)
    decoded = []
    inside = Codec.decode_with_nll

    def counted(self: Codec, z: Tensor, cond: Tensor | None = None) -> tuple[Tensor, Tensor]:
        decoded.append(len(z))
        return inside(self, z, cond)

    monkeypatch.setattr(Codec, "decode_with_nll", counted)
    whole = walk(tiny, za, zb, 4)
    monkeypatch.setattr(walks, "_VALUES_AT_ONCE", 2 * 33 * SPEC.channels * SPEC.shape[0])
    assert torch.equal(walk(tiny, za, zb, 4), whole)
    assert decoded == [5 * 33, 2 * 33, 2 * 33, 33]


def test_doubt_counts_by_group(tiny: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    """A band has more to be unsure of than a melody: its steps may be as small all the same."""
    costs: list[Tensor] = []
    choose = latent.even_stops

    def seen(distances: Tensor, steps: int, penalty: Tensor, still_cost: float) -> Tensor:
        costs.append(penalty)
        return choose(distances, steps, penalty, still_cost)

    monkeypatch.setattr(latent, "even_stops", seen)
    za, zb = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0)).unbind()
    walk(tiny, za, zb, 5)
    half = Group("half", SPEC.channels // 2, "categorical")
    rest = Group("rest", SPEC.channels - half.channels, "categorical")
    monkeypatch.setattr(Codec, "spec", property(lambda _: Spec.joint(SPEC.shape, (half, rest))))
    walk(tiny, za, zb, 5)
    assert costs[0].max() > 0
    torch.testing.assert_close(costs[1], costs[0] / 2 * 0.5**0.5)  # Twice as many values differ less among stops.


def test_half_bars_move_one_after_another(tiny: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    za, zb = 4 * torch.randn(20, 8, generator=generator), 4 * torch.randn(20, 8, generator=generator)
    staggered = walk(tiny, za, zb, 9)
    monkeypatch.setattr(walks, "_STRETCHES", 1)
    together = walk(tiny, za, zb, 9)

    def changes(values: Tensor) -> Tensor:
        return torch.stack([tiny.likelihood.distance(now, then) for now, then in pairwise(values)])

    assert torch.equal(staggered[0], together[0])
    assert torch.equal(staggered[-1], together[-1])
    assert changes(staggered).pow(4).sum(0).mean() < 0.8 * changes(together).pow(4).sum(0).mean()


@pytest.mark.parametrize(("beat", "shape", "length"), [(4, 32, 8), (4, 256, 16), (4, 24, 8), (4, 20, 20), (0, 32, 32)])
def test_a_stretch_is_half_a_bar_at_least(
    tiny: Codec, monkeypatch: pytest.MonkeyPatch, beat: int, shape: int, length: int
) -> None:
    monkeypatch.setattr(tiny.adapter, "steps_per_beat", beat)
    monkeypatch.setattr(Codec, "spec", property(lambda _: Spec(SPEC.channels, (shape,), "categorical")))
    assert walks._stretch(tiny) == length


def test_few_walks_go_beyond_their_end(tiny: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    za, zb = 4 * torch.randn(60, 8, generator=generator), 4 * torch.randn(60, 8, generator=generator)

    def beyond() -> int:
        steps = walk(tiny, za, zb, 9)
        far = torch.stack([tiny.likelihood.distance(step, steps[0]) for step in steps])
        return int((far[-2] > far[-1]).sum())

    few = beyond()
    monkeypatch.setattr(walks, "_BEYOND_COST", 0.0)
    assert few < beyond()
