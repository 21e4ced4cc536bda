"""Hidden parts."""

import pytest
import torch

from musicae.core import Group, Spec
from musicae.corruptions.hide_parts import HideParts
from musicae.corruptions.noise import Noise
from musicae.errors import MusicaeError

SPEC = Spec.joint(
    (8,),
    (
        Group("tune", 3, "categorical"),
        Group("chords", 2, "bernoulli"),
        Group("beat", 2, "bernoulli"),
        Group("tune_velocity", 1, "gaussian"),
    ),
)
PARTS = ("tune", "chords", "beat")


def batch(n):
    x = torch.rand(n, SPEC.channels, 8, generator=torch.Generator().manual_seed(5)) * 0.4 + 0.55
    return x.round(decimals=3)


def hidden(x, y):
    """Return which groups ``(N, 4)`` are changed, all of their values or none."""
    rows = [SPEC.slices[group.name] for group in SPEC.groups]
    changed = torch.stack([(x[:, r] != y[:, r]).flatten(1).all(1) for r in rows], 1)
    kept = torch.stack([(x[:, r] == y[:, r]).flatten(1).all(1) for r in rows], 1)
    assert torch.equal(changed, ~kept)
    return changed


def test_some_parts_are_hidden_but_never_all(rng):
    x = batch(2000)
    gone = hidden(x, HideParts(1.0, PARTS).bind(SPEC)(x, rng()))
    assert not gone[:, :3].all(1).any()
    # Each part is hidden with probability 1/2 on average, unless it is the one of three that stays.
    assert torch.allclose(gone[:, :3].float().mean(0), torch.full((3,), 1 / 3), atol=0.04)


def test_the_loudness_of_a_part_is_hidden_with_it(rng):
    x = batch(200)
    gone = hidden(x, HideParts(1.0, PARTS).bind(SPEC)(x, rng()))
    assert torch.equal(gone[:, 0], gone[:, 3])


def test_what_is_hidden_is_unknown_not_silent(rng):
    x = batch(200)
    y = HideParts(1.0, PARTS).bind(SPEC)(x, rng())
    gone = hidden(x, y)
    assert (y[gone[:, 0]][:, SPEC.slices["tune"]] == 0).all()
    assert (y[gone[:, 1]][:, SPEC.slices["chords"]] == 0.5).all()
    assert (y[gone[:, 2]][:, SPEC.slices["beat"]] == 0.5).all()


def test_a_share_of_the_examples_is_left_alone(rng):
    x = batch(2000)
    corrupt = HideParts(0.4, PARTS).bind(SPEC)
    # Of those chosen, one in three hides nothing: the two parts that may go are each kept by chance.
    assert hidden(x, corrupt(x, rng())).any(1).float().mean().item() == pytest.approx(0.4 * 2 / 3, abs=0.04)
    assert torch.equal(HideParts(0.0, PARTS).bind(SPEC)(x, rng()), x)
    assert torch.equal(corrupt(x, rng()), corrupt(x, rng()))


def test_parts_that_are_not_named_always_show(rng):
    x = batch(300)
    assert not hidden(x, HideParts(1.0, ("tune", "beat")).bind(SPEC)(x, rng()))[:, 1].any()


def test_a_single_part_is_often_left(rng):
    x = batch(2000)
    gone = hidden(x, HideParts(1.0, PARTS).bind(SPEC)(x, rng()))
    assert (gone[:, :3].sum(1) == 2).float().mean().item() == pytest.approx(1 / 3, abs=0.04)


def test_a_prior_is_given_a_share_of_its_own(rng):
    x = batch(2000)
    bound = HideParts(0.0, PARTS, prior_share=0.6).bind(SPEC)
    assert hidden(x, bound.hides(x, rng())).any(1).float().mean().item() == pytest.approx(0.6 * 2 / 3, abs=0.04)


def test_chosen_channels_are_hidden(rng):
    x = batch(4)
    bound = HideParts(0.0, PARTS).bind(SPEC)
    chosen = SPEC.parts["tune"]
    y = bound.hide(x, chosen)
    assert torch.equal(hidden(x, y), torch.tensor([[True, False, False, True]]).expand(4, -1))
    assert not y[:, SPEC.slices["tune"]].any()
    with pytest.raises(MusicaeError, match="must be bound"):
        HideParts().hide(x, chosen)
    with pytest.raises(MusicaeError, match="use 'hide-parts'"):
        Noise().hide(x, chosen)


def test_what_makes_no_sense_is_refused(rng):
    with pytest.raises(MusicaeError, match="share must be 0 to 1, not 2"):
        HideParts(2.0)
    for parts in (("tune",), ("tune", "tune")):
        with pytest.raises(MusicaeError, match="two different groups"):
            HideParts(0.5, parts)
    with pytest.raises(MusicaeError, match=r"no part 'beet'; did you mean 'beat'\?"):
        HideParts(0.5, ("tune", "beet")).bind(SPEC)
    with pytest.raises(MusicaeError, match="must be bound"):
        HideParts(0.5)(batch(1), rng())
